use std::collections::VecDeque;

use super::rate::Rate;
use crate::clock::Nanos;
use crate::resilience::error::Invalid;

/// The times of the last calls: never more than `limit` in any window of `period`, and of
/// these at most `burst` at once.
///
/// Up to 128 moments are remembered as they are. Beyond that, calls within a 128th of the
/// period share the time of the latest of them: what is allowed never grows by it, and a
/// place is free again at most that much later. So a call takes O(1), and a window of a
/// billion calls no more than 4 KiB.
#[derive(Clone, Debug)]
pub struct Sliding {
    rate: Rate,
    calls: VecDeque<(Nanos, u32)>,
    held: u64,
    /// When the bucket that spaces out what exceeds a burst will be full again.
    full: Nanos,
}

const MOMENTS: u64 = 128;

impl Sliding {
    /// An empty window.
    pub fn new(rate: Rate) -> Result<Self, Invalid> {
        rate.check()?;
        Ok(Self { rate, calls: VecDeque::new(), held: 0, full: 0 })
    }

    /// Takes `cost` calls at `now`. `Ok` is how long to wait before making them, at most
    /// `patience`; `Err` is when to ask again.
    #[inline]
    pub fn take(&mut self, now: Nanos, cost: u32, patience: Nanos) -> Result<Nanos, Nanos> {
        if cost > self.rate.burst {
            return Err(Nanos::MAX);
        }
        self.expire(now);
        // Those who wait are served in order.
        let mut enters = self.calls.back().map_or(now, |(last, _)| now.max(*last));
        let excess = (self.held + u64::from(cost)).saturating_sub(self.rate.limit.into());
        if excess > 0 {
            enters = enters.max(self.left_by(excess));
        }
        if self.rate.burst < self.rate.limit {
            let pace = self.rate.pace();
            let room = pace.saturating_mul(self.rate.burst.into());
            let price = pace * u64::from(cost);
            enters = enters.max(self.full.saturating_add(price).saturating_sub(room));
        }
        let wait = enters - now;
        if wait > patience {
            return Err(wait);
        }
        if self.rate.burst < self.rate.limit {
            self.full = self.full.max(enters) + self.rate.pace() * u64::from(cost);
        }
        self.note(enters, cost);
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
        let free = u64::from(self.rate.limit).saturating_sub(self.held);
        if self.rate.burst == self.rate.limit {
            return free;
        }
        let pace = self.rate.pace();
        let room = pace.saturating_mul(self.rate.burst.into());
        free.min(room.saturating_sub(self.full.saturating_sub(now)) / pace)
    }

    /// Whether nothing is remembered: forgetting it would change nothing.
    pub fn is_idle(&self, now: Nanos) -> bool {
        let last = self.calls.back();
        self.full <= now
            && last.is_none_or(|(last, _)| last.saturating_add(self.rate.period) <= now)
    }

    #[inline]
    fn expire(&mut self, now: Nanos) {
        while let Some(&(first, calls)) = self.calls.front() {
            if first.saturating_add(self.rate.period) > now {
                break;
            }
            self.held -= u64::from(calls);
            self.calls.pop_front();
        }
    }

    /// When so many of the calls will have left the window.
    fn left_by(&self, excess: u64) -> Nanos {
        let mut left = 0;
        let gone = self.calls.iter().find(|(_, calls)| {
            left += u64::from(*calls);
            left >= excess
        });
        gone.map_or(0, |(last, _)| last.saturating_add(self.rate.period))
    }

    fn note(&mut self, at: Nanos, cost: u32) {
        self.held += u64::from(cost);
        let grain = (self.rate.period / MOMENTS).max(1);
        let many = self.calls.len() as u64 >= MOMENTS;
        if let Some((last, calls)) = self.calls.back_mut()
            && (*last == at || many && *last / grain == at / grain)
            && let Some(sum) = calls.checked_add(cost)
        {
            (*last, *calls) = (at, sum);
            return;
        }
        self.calls.push_back((at, cost));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PERIOD: Nanos = 100;

    fn window(limit: u32, burst: u32) -> Sliding {
        Sliding::new(Rate { limit, period: PERIOD, burst }).unwrap()
    }

    #[test]
    fn the_patient_are_given_a_time() {
        let mut window = window(2, 2);
        let waits: Vec<_> = (0..5).map(|_| window.take(0, 1, 100)).collect();
        assert_eq!(waits, [Ok(0), Ok(0), Ok(100), Ok(100), Err(200)]);
    }

    #[test]
    fn what_exceeds_a_burst_is_spaced_out_within_the_limit() {
        let mut window = window(10, 3);
        let waits: Vec<_> = (0..12).map(|_| window.take(0, 1, 200).unwrap()).collect();
        assert_eq!(waits, [0, 0, 0, 10, 20, 30, 40, 50, 60, 70, 100, 100]);
    }

    #[test]
    fn what_never_fits_is_refused_at_any_patience() {
        assert!(window(3, 3).take(0, 4, Nanos::MAX).is_err());
        assert!(window(9, 3).take(0, 4, Nanos::MAX).is_err());
    }

    #[test]
    fn many_calls_take_little_memory_and_lose_little_time() {
        let (limit, period) = (100_000, 1_000_000);
        let mut window = Sliding::new(Rate { limit, period, burst: limit }).unwrap();
        let mut passed = 0;
        for now in (0..10 * period).step_by(7) {
            passed += u64::from(window.take(now, 1, 0).is_ok());
            assert!(window.calls.len() as u64 <= 2 * MOMENTS + 1);
        }
        let most = 10 * u64::from(limit);
        assert!(passed <= most && passed >= most - most / MOMENTS, "{passed}");
    }

    proptest! {
        #[test]
        fn no_window_holds_more_than_the_limit(limit in 1u32..6, burst in 1u32..6,
                                               steps in prop::collection::vec((0u64..60, 0u64..150, 1u32..3), 1..80)) {
            let burst = burst.min(limit);
            let mut window = window(limit, burst);
            let (mut now, mut entered) = (0, Vec::new());
            for (step, patience, cost) in steps {
                now += step;
                match window.take(now, cost, patience) {
                    Ok(wait) => entered.extend(std::iter::repeat_n(now + wait, cost as usize)),
                    Err(wait) => prop_assert!(wait > patience || cost > burst),
                }
            }
            prop_assert!(entered.is_sorted());
            for (index, time) in entered.iter().enumerate() {
                let inside = entered[index..].iter().filter(|then| **then < time + PERIOD);
                prop_assert!(inside.count() <= limit as usize);
                let at_once = entered[index..].iter().filter(|then| *then == time).count();
                prop_assert!(at_once <= burst as usize);
            }
        }

        #[test]
        fn with_a_whole_burst_it_refuses_nothing_that_fits(limit in 1u32..6,
                                                           steps in prop::collection::vec(0u64..60, 1..80)) {
            let mut window = window(limit, limit);
            let (mut now, mut made) = (0, Vec::new());
            for step in steps {
                now += step;
                let inside = made.iter().filter(|then| *then + PERIOD > now).count();
                prop_assert_eq!(window.take(now, 1, 0).is_ok(), inside < limit as usize);
                if inside < limit as usize {
                    made.push(now);
                }
            }
        }
    }
}
