use std::collections::VecDeque;

use super::rate::Rate;
use crate::clock::Nanos;
use crate::resilience::error::Invalid;

/// The times of the last calls: never more than `limit` in any window of `period`.
/// O(1) a call, 8 bytes for each call in the window.
#[derive(Clone, Debug)]
pub struct Sliding {
    rate: Rate,
    times: VecDeque<Nanos>,
}

impl Sliding {
    /// An empty window.
    pub fn new(rate: Rate) -> Result<Self, Invalid> {
        rate.check()?;
        Ok(Self { rate, times: VecDeque::new() })
    }

    /// Takes `cost` calls at `now`. `Ok` is how long to wait before making them, at most
    /// `patience`; `Err` is when to ask again.
    pub fn take(&mut self, now: Nanos, cost: u32, patience: Nanos) -> Result<Nanos, Nanos> {
        self.expire(now);
        let limit = self.rate.limit as usize;
        let cost = cost as usize;
        // The calls that must have left the window before this one enters.
        let excess = (self.times.len() + cost).saturating_sub(limit);
        let last = self.times.back().copied().unwrap_or(0);
        let enters = match excess {
            0 => now,
            _ if cost > limit => Nanos::MAX,
            _ => self.times[excess - 1].saturating_add(self.rate.period),
        };
        // Those who wait are served in order.
        let enters = enters.max(now).max(last.min(enters.max(last)));
        let wait = enters - now;
        if wait > patience || cost > limit {
            return Err(wait);
        }
        self.times.extend(std::iter::repeat_n(enters, cost));
        Ok(wait)
    }

    /// Changes the rate in use; calls in the window stay.
    pub fn configure(&mut self, rate: Rate) -> Result<(), Invalid> {
        rate.check()?;
        self.rate = rate;
        Ok(())
    }

    /// Calls that could be made at once.
    pub fn available(&mut self, now: Nanos) -> u64 {
        self.expire(now);
        u64::from(self.rate.limit).saturating_sub(self.times.len() as u64)
    }

    /// Whether the window is empty: forgetting it would change nothing.
    pub fn is_idle(&self, now: Nanos) -> bool {
        self.times.back().is_none_or(|last| last.saturating_add(self.rate.period) <= now)
    }

    fn expire(&mut self, now: Nanos) {
        while self.times.front().is_some_and(|first| first + self.rate.period <= now) {
            self.times.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PERIOD: Nanos = 100;

    fn window(limit: u32) -> Sliding {
        Sliding::new(Rate { limit, period: PERIOD, burst: limit }).unwrap()
    }

    #[test]
    fn the_patient_are_given_a_time() {
        let mut window = window(2);
        let waits: Vec<_> = (0..5).map(|_| window.take(0, 1, 100)).collect();
        assert_eq!(waits, [Ok(0), Ok(0), Ok(100), Ok(100), Err(200)]);
    }

    #[test]
    fn what_never_fits_is_refused_at_any_patience() {
        assert!(window(3).take(0, 4, Nanos::MAX).is_err());
    }

    proptest! {
        #[test]
        fn no_window_holds_more_than_the_limit(limit in 1u32..6,
                                               steps in prop::collection::vec((0u64..60, 0u64..150, 1u32..3), 1..80)) {
            let mut window = window(limit);
            let (mut now, mut entered) = (0, Vec::new());
            for (step, patience, cost) in steps {
                now += step;
                match window.take(now, cost, patience) {
                    Ok(wait) => entered.extend(std::iter::repeat_n(now + wait, cost as usize)),
                    Err(wait) => prop_assert!(wait > patience || cost > limit),
                }
                for &start in &entered {
                    let inside = entered.iter().filter(|&&t| t >= start && t < start + PERIOD);
                    prop_assert!(inside.count() <= limit as usize);
                }
            }
        }

        #[test]
        fn nobody_is_refused_while_there_is_room(limit in 1u32..6, steps in prop::collection::vec(0u64..60, 1..80)) {
            let mut window = window(limit);
            let (mut now, mut entered) = (0u64, Vec::new());
            for step in steps {
                now += step;
                let inside = entered.iter().filter(|&&t| t + PERIOD > now).count();
                let taken = window.take(now, 1, 0).is_ok();
                prop_assert_eq!(taken, inside < limit as usize);
                if taken {
                    entered.push(now);
                }
            }
        }
    }
}
