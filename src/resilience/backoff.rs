//! How long to wait between two attempts.

use super::error::{Invalid, check};
use crate::clock::{Nanos, nanos, seconds};

/// How the interval grows with the number of failed attempts `n = 1, 2, ..`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Growth {
    /// `base`.
    Fixed,
    /// `base * multiplier^(n - 1)`.
    Exponential(f64),
    /// `base * n`.
    Linear,
    /// `base * F(n)` with F = 1, 2, 3, 5, 8, ..
    Fibonacci,
}

/// How chance spreads the interval, so that clients that failed together do not come
/// back together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Jitter {
    /// The interval itself.
    None,
    /// Uniform from 0 to the capped interval ("full jitter", Brooker, AWS 2015).
    Full,
    /// Uniform from `base` to three times the wait before, at most the cap
    /// ("decorrelated jitter", same source); growth plays no part.
    Decorrelated,
    /// The capped interval give or take this share of it, then the cap once more.
    Share(f64),
}

/// A schedule of waits.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    growth: Growth,
    base: f64,
    cap: f64,
    jitter: Jitter,
}

impl Backoff {
    /// Waits that start at `base` seconds and never exceed `cap`.
    pub fn new(growth: Growth, base: f64, cap: f64, jitter: Jitter) -> Result<Self, Invalid> {
        check(base.is_finite() && base >= 0.0, "base_delay", "finite and at least 0", base)?;
        check(cap.is_finite() && cap >= 0.0, "max_delay", "finite and at least 0", cap)?;
        if let Growth::Exponential(factor) = growth {
            let holds = factor.is_finite() && factor >= 1.0;
            check(holds, "backoff_multiplier", "finite and at least 1", factor)?;
        }
        if let Jitter::Share(share) = jitter {
            check((0.0..=1.0).contains(&share), "jitter", "a share from 0 to 1", share)?;
        }
        Ok(Self { growth, base, cap, jitter })
    }

    /// The interval after failed attempt `n`, in seconds, capped, before chance.
    pub fn interval(&self, n: u32) -> f64 {
        let factor = match self.growth {
            Growth::Fixed => 1.0,
            Growth::Exponential(multiplier) => {
                multiplier.powi(i32::try_from(n - 1).unwrap_or(i32::MAX))
            }
            Growth::Linear => f64::from(n),
            Growth::Fibonacci => fibonacci(n),
        };
        (self.base * factor).min(self.cap)
    }

    /// The wait after failed attempt `n >= 1`, given the `previous` wait and a number
    /// `chance` from `[0, 1)`.
    pub fn wait(&self, n: u32, previous: Nanos, chance: f64) -> Nanos {
        let interval = self.interval(n);
        nanos(match self.jitter {
            Jitter::None => interval,
            Jitter::Full => interval * chance,
            Jitter::Decorrelated => {
                let low = self.base.min(self.cap);
                let high = (3.0 * seconds(previous).max(self.base)).min(self.cap);
                low + (high - low) * chance
            }
            Jitter::Share(share) => (interval * (1.0 + share * (2.0 * chance - 1.0))).min(self.cap),
        })
    }
}

fn fibonacci(n: u32) -> f64 {
    // F(1500) is beyond any cap, and beyond f64.
    let (mut this, mut next) = (1.0, 2.0);
    for _ in 1..n.min(1500) {
        (this, next) = (next, this + next);
    }
    this
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn intervals(growth: Growth) -> Vec<f64> {
        let backoff = Backoff::new(growth, 1.0, 60.0, Jitter::None).unwrap();
        (1..=8).map(|n| backoff.interval(n)).collect()
    }

    #[test]
    fn intervals_grow_as_their_names_say() {
        assert_eq!(intervals(Growth::Fixed), [1.0; 8]);
        assert_eq!(
            intervals(Growth::Exponential(2.0)),
            [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
        );
        assert_eq!(intervals(Growth::Linear), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        assert_eq!(intervals(Growth::Fibonacci), [1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0, 34.0]);
    }

    #[test]
    fn parameters_outside_their_domain_are_named() {
        let error = Backoff::new(Growth::Fixed, -1.0, 1.0, Jitter::None).unwrap_err();
        assert_eq!(error.to_string(), "base_delay must be finite and at least 0, got -1");
    }

    proptest! {
        #[test]
        fn no_wait_exceeds_the_cap(n in 1u32..5000, base in 0.0..1e3, cap in 0.0..1e3,
                                   previous in 0.0..1e4, chance in 0.0..1.0) {
            for growth in [Growth::Fixed, Growth::Exponential(1.7), Growth::Linear, Growth::Fibonacci] {
                for jitter in [Jitter::None, Jitter::Full, Jitter::Decorrelated, Jitter::Share(0.1)] {
                    let backoff = Backoff::new(growth, base, cap, jitter).unwrap();
                    prop_assert!(backoff.wait(n, nanos(previous), chance) <= nanos(cap));
                }
            }
        }

        #[test]
        fn jitter_still_spreads_at_the_cap(n in 20u32..100, chance in 0.0..0.9) {
            let full = Backoff::new(Growth::Exponential(2.0), 1.0, 60.0, Jitter::Full).unwrap();
            prop_assert!(full.wait(n, 0, chance) < full.wait(n, 0, chance + 0.1));
        }
    }
}
