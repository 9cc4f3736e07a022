//! How many calls at a time a dependency bears, learned from how long they take.

use super::error::{Invalid, check};
use crate::clock::Nanos;

/// How the limit follows the calls.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Law {
    /// Additive increase while all goes well, a tenth less after a failure (Chiu and
    /// Jain, 1989).
    Aimd,
    /// By the ratio of the usual to the present duration (Netflix concurrency-limits,
    /// "Gradient2"): backs off before anything fails.
    Gradient,
}

/// A limit and what it was learned from.
#[derive(Clone, Debug)]
pub struct Adaptive {
    law: Law,
    least: f64,
    most: f64,
    limit: f64,
    usual: f64,
    seen: u32,
}

/// Calls over which the usual duration is averaged.
const MEMORY: f64 = 600.0;
/// Calls before the average is more than their mean.
const WARM_UP: u32 = 10;
/// Durations up to this much above the usual one are no sign of a queue.
const TOLERANCE: f64 = 1.5;
/// How far one call moves the limit.
const SMOOTHING: f64 = 0.2;

impl Adaptive {
    /// Starts at `initial` and stays within `least` and `most`.
    pub fn new(law: Law, initial: u32, least: u32, most: u32) -> Result<Self, Invalid> {
        check(least >= 1, "min_limit", "at least 1", least)?;
        check(most >= least, "max_limit", "at least min_limit", most)?;
        let within = (least..=most).contains(&initial);
        check(within, "initial_limit", "between min_limit and max_limit", initial)?;
        let [least, most, limit] = [least, most, initial].map(f64::from);
        Ok(Self { law, least, most, limit, usual: 0.0, seen: 0 })
    }

    /// A call took so long while `held` calls were being made, itself included; `failed`
    /// if it says that the dependency is overloaded. Returns the limit from now on.
    pub fn observe(&mut self, took: Nanos, held: u32, failed: bool) -> u32 {
        match self.law {
            Law::Aimd => self.aimd(held, failed),
            Law::Gradient => self.gradient((took as f64).max(1.0), held, failed),
        }
        self.limit = self.limit.clamp(self.least, self.most);
        self.limit()
    }

    /// The limit in force.
    pub fn limit(&self) -> u32 {
        self.limit as u32
    }

    fn aimd(&mut self, held: u32, failed: bool) {
        if failed {
            self.limit *= 0.9;
        } else if self.is_used(held) {
            self.limit += 1.0 / self.limit;
        }
    }

    fn gradient(&mut self, took: f64, held: u32, failed: bool) {
        if failed {
            self.limit *= 0.9;
            return;
        }
        self.seen = self.seen.saturating_add(1);
        let weight =
            if self.seen <= WARM_UP { 1.0 / f64::from(self.seen) } else { 2.0 / (MEMORY + 1.0) };
        self.usual += weight * (took - self.usual);
        // After a slow spell the average would take long to come down again.
        if self.usual > 2.0 * took {
            self.usual *= 0.95;
        }
        if !self.is_used(held) {
            return;
        }
        let ratio = (TOLERANCE * self.usual / took).clamp(0.5, 1.0);
        let target = self.limit * ratio + self.limit.sqrt();
        self.limit += SMOOTHING * (target - self.limit);
    }

    /// Calls that do not use the limit say nothing about it.
    fn is_used(&self, held: u32) -> bool {
        f64::from(held) >= self.limit / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server of `width` workers: calls beyond them wait in its queue.
    fn settles(law: Law, width: u32) -> u32 {
        let mut adaptive = Adaptive::new(law, 20, 1, 200).unwrap();
        for _ in 0..5000 {
            let held = adaptive.limit();
            let queue = f64::from(held) / f64::from(width);
            let took = 1e6 * queue.max(1.0);
            adaptive.observe(took as Nanos, held, queue > 3.0);
        }
        adaptive.limit()
    }

    #[test]
    fn the_limit_finds_what_the_server_bears() {
        for width in [5, 20, 40] {
            let gradient = settles(Law::Gradient, width);
            assert!((width..=4 * width).contains(&gradient), "{gradient} for {width}");
            let aimd = settles(Law::Aimd, width);
            assert!((2 * width..=4 * width).contains(&aimd), "{aimd} for {width}");
        }
    }

    #[test]
    fn calls_that_do_not_use_the_limit_leave_it() {
        for law in [Law::Aimd, Law::Gradient] {
            let mut adaptive = Adaptive::new(law, 20, 1, 200).unwrap();
            for _ in 0..100 {
                adaptive.observe(1000, 1, false);
            }
            assert_eq!(adaptive.limit(), 20);
        }
    }

    #[test]
    fn failures_narrow_it_down_to_the_least() {
        for law in [Law::Aimd, Law::Gradient] {
            let mut adaptive = Adaptive::new(law, 20, 3, 200).unwrap();
            for _ in 0..100 {
                adaptive.observe(1000, 20, true);
            }
            assert_eq!(adaptive.limit(), 3);
        }
    }
}
