use super::block::Drive;
use super::lanes::Lanes;
use crate::linalg::real::Real;
use crate::linalg::simd::Arithmetic;

/// Input current `W_in u`, with `u` read from the series of the block.
#[derive(Clone, Debug)]
pub struct Input<'a, T, const L: usize> {
    weights: &'a [T],
    channels: usize,
    series: [&'a [T]; L],
    now: Vec<Lanes<T, L>>,
}

impl<'a, T: Real, const L: usize> Input<'a, T, L> {
    /// `weights` is `(units, channels)`, each series `(time, channels)`, both row-major.
    pub fn new(weights: &'a [T], channels: usize, series: [&'a [T]; L]) -> Self {
        Self { weights, channels, series, now: Lanes::zeros(channels) }
    }
}

impl<T: Real, const L: usize> Drive<T, L> for Input<'_, T, L> {
    #[inline(always)]
    fn fill<A: Arithmetic>(&mut self, step: usize, current: &mut [Lanes<T, L>]) {
        let here = step * self.channels..(step + 1) * self.channels;
        for l in 0..L {
            // An ended series stays at its last input, whose states nobody looks at.
            if let Some(row) = self.series[l].get(here.clone()) {
                for (now, value) in self.now.iter_mut().zip(row) {
                    now.0[l] = *value;
                }
            }
        }
        for (current, weights) in current.iter_mut().zip(self.weights.chunks_exact(self.channels)) {
            let mut sum = [T::default(); L];
            for (weight, now) in weights.iter().zip(&self.now) {
                for l in 0..L {
                    sum[l] = now.0[l].mul_add::<A>(*weight, sum[l]);
                }
            }
            current.0 = sum;
        }
    }
}
