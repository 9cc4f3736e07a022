//! One block of series, side by side, through time.

use super::lanes::Lanes;
use super::leaky::Leaky;
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel};
use crate::task::{Stopped, Task};

/// Where the units of a block get their input current from.
pub trait Drive<T, const L: usize> {
    /// Overwrites `current`, one row per unit, with the input at time `step`. Lanes whose
    /// series has ended get any finite number.
    fn fill<A: Arithmetic>(&mut self, step: usize, current: &mut [Lanes<T, L>]);
}

/// What is kept of the states of a block; each step is seen once, then dropped.
///
/// A lane whose series has ended goes on being observed, after [`finish`](Self::finish)
/// took its result. So no kernel needs a mask, and nothing of a longer neighbour can
/// get into a shorter series.
pub trait Pool<T, const L: usize> {
    /// Takes in the states after time `step`, one row per unit.
    fn observe<A: Arithmetic>(&mut self, step: usize, states: &[Lanes<T, L>]);
    /// The series in `lane` ended after `length` steps, `states` holds its last one.
    fn finish(&mut self, lane: usize, length: usize, states: &[Lanes<T, L>]);
}

/// A block ready to run; the kernel's result is its pool.
#[derive(Debug)]
pub struct Block<'a, T, D, P, const L: usize> {
    /// The units.
    pub units: &'a Leaky<T>,
    /// State of every series before its first step.
    pub start: &'a [T],
    /// Time steps of the series in each lane; an unused lane has none and never finishes.
    pub lengths: [Option<usize>; L],
    /// Updates per time step, with the same input; the last one is observed.
    pub hold: usize,
    /// Input.
    pub drive: D,
    /// Output.
    pub pool: P,
    /// Asked to stop at every update.
    pub task: &'a Task,
}

impl<T: Real, D: Drive<T, L>, P: Pool<T, L>, const L: usize> Kernel for Block<'_, T, D, P, L> {
    type Output = Result<P, Stopped>;

    #[inline(always)]
    fn run<A: Arithmetic>(self) -> Result<P, Stopped> {
        let Self { units, start, lengths, hold, mut drive, mut pool, task } = self;
        let mut states: Vec<Lanes<T, L>> = start.iter().map(|x| Lanes::splat(*x)).collect();
        let mut current = Lanes::zeros(start.len());
        let mut held = if hold > 1 { Lanes::zeros(start.len()) } else { Vec::new() };
        let longest = lengths.iter().flatten().max().copied().unwrap_or(0);
        for step in 0..=longest {
            for lane in 0..L {
                if lengths[lane] == Some(step) {
                    pool.finish(lane, step, &states);
                }
            }
            if step == longest {
                break;
            }
            drive.fill::<A>(step, &mut current);
            if hold > 1 {
                held.copy_from_slice(&current);
            }
            for update in 0..hold {
                task.check()?;
                if update > 0 {
                    current.copy_from_slice(&held);
                }
                units.update::<A, L>(&mut current, &mut states, task)?;
            }
            pool.observe::<A>(step, &states);
        }
        Ok(pool)
    }
}
