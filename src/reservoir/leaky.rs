use std::sync::Arc;

use super::lanes::Lanes;
use super::recurrent::Recurrent;
use crate::linalg::real::Real;
use crate::linalg::simd::Arithmetic;
use crate::task::{Stopped, Task};

/// Leaky-integrator units (Jaeger et al., 2007, "Optimization and applications of echo
/// state networks with leaky-integrator neurons"):
/// `x <- (1 - leak) x + leak tanh(input + bias + W x)`.
#[derive(Clone, Debug)]
pub struct Leaky<T> {
    recurrent: Arc<Recurrent<T>>,
    /// Per unit: `1 - leak`, `leak`, `bias`.
    constants: Vec<[T; 3]>,
}

impl<T: Real> Leaky<T> {
    /// One leak and one bias per unit.
    ///
    /// # Panics
    /// If the numbers of units differ.
    pub fn new(recurrent: Arc<Recurrent<T>>, leak: &[f64], bias: &[f64]) -> Self {
        assert_eq!(leak.len(), recurrent.units(), "one leak per unit");
        assert_eq!(bias.len(), recurrent.units(), "one bias per unit");
        let constants = leak.iter().zip(bias);
        let constants = constants.map(|(a, b)| [1.0 - a, *a, *b].map(T::rounded)).collect();
        Self { recurrent, constants }
    }

    /// Number of units.
    pub fn len(&self) -> usize {
        self.constants.len()
    }

    /// Whether there is no unit.
    pub fn is_empty(&self) -> bool {
        self.constants.is_empty()
    }

    /// One update of all units in all lanes; `current` holds their input, and is used up.
    #[inline(always)]
    pub(super) fn update<A: Arithmetic, const L: usize>(
        &self,
        current: &mut [Lanes<T, L>],
        states: &mut [Lanes<T, L>],
        task: &Task,
    ) -> Result<(), Stopped> {
        self.recurrent.add::<A, L>(states, current, task)?;
        for (([keep, leak, bias], current), state) in self.constants.iter().zip(current).zip(states)
        {
            for l in 0..L {
                let target = (current.0[l] + *bias).tanh::<A>();
                state.0[l] = leak.mul_add::<A>(target, *keep * state.0[l]);
            }
        }
        Ok(())
    }
}
