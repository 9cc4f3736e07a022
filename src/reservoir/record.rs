use super::block::Pool;
use super::lanes::Lanes;
use crate::linalg::real::Real;
use crate::linalg::simd::Arithmetic;

/// Keeps every state: `(time, units)` per series.
#[derive(Debug)]
pub struct Record<'a, T> {
    out: Vec<&'a mut [T]>,
}

impl<'a, T> Record<'a, T> {
    /// One `length * units` slice per lane in use.
    pub fn new(out: Vec<&'a mut [T]>) -> Self {
        Self { out }
    }
}

impl<T: Real, const L: usize> Pool<T, L> for Record<'_, T> {
    #[inline(always)]
    fn observe<A: Arithmetic>(&mut self, step: usize, states: &[Lanes<T, L>]) {
        let here = step * states.len()..(step + 1) * states.len();
        for (lane, out) in self.out.iter_mut().enumerate() {
            if let Some(row) = out.get_mut(here.clone()) {
                for (value, state) in row.iter_mut().zip(states) {
                    *value = state.0[lane];
                }
            }
        }
    }

    fn finish(&mut self, _lane: usize, _length: usize, _states: &[Lanes<T, L>]) {}
}
