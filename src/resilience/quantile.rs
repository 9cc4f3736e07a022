//! A quantile of the last durations: when a call is late enough to make a second one.

use super::error::{Invalid, check};
use crate::clock::Nanos;

/// The last durations, in the order they came.
#[derive(Clone, Debug)]
pub struct Quantile {
    ring: Vec<Nanos>,
    size: usize,
    next: usize,
}

impl Quantile {
    /// Remembers the last `size` durations.
    pub fn new(size: usize) -> Result<Self, Invalid> {
        check((1..=1 << 16).contains(&size), "window", "from 1 to 65536 calls", size)?;
        Ok(Self { ring: Vec::new(), size, next: 0 })
    }

    /// Adds a duration.
    pub fn record(&mut self, took: Nanos) {
        if self.ring.len() < self.size {
            self.ring.push(took);
        } else {
            self.ring[self.next] = took;
            self.next = (self.next + 1) % self.size;
        }
    }

    /// The smallest duration that at least a share of `q` does not exceed; `None` before
    /// there are as many as it takes to tell (one over the share that exceeds it).
    pub fn value(&self, q: f64) -> Option<Nanos> {
        let count = self.ring.len();
        if (count as f64) * (1.0 - q) < 1.0 - 1e-9 {
            return None;
        }
        let rank = ((q * count as f64).ceil() as usize).clamp(1, count) - 1;
        let mut sorted = self.ring.clone();
        Some(*sorted.select_nth_unstable(rank).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn too_few_durations_tell_nothing_of_the_tail() {
        let mut quantile = Quantile::new(100).unwrap();
        for took in 0..19 {
            quantile.record(took);
        }
        assert_eq!(quantile.value(0.95), None);
        quantile.record(19);
        assert_eq!(quantile.value(0.95), Some(18));
    }

    proptest! {
        #[test]
        fn it_agrees_with_sorting_the_last_ones(all in prop::collection::vec(0u64..1000, 20..300), q in 0.0..0.94) {
            let mut quantile = Quantile::new(50).unwrap();
            for &took in &all {
                quantile.record(took);
            }
            let mut last: Vec<_> = all.iter().rev().take(50).copied().collect();
            last.sort_unstable();
            let value = quantile.value(q).unwrap();
            let share = |bound: u64, strict: bool| {
                last.iter().filter(|&&t| if strict { t < bound } else { t <= bound }).count() as f64 / last.len() as f64
            };
            prop_assert!(share(value, false) >= q - 1e-9);
            prop_assert!(share(value, true) < q + 1e-9 || q == 0.0);
        }
    }
}
