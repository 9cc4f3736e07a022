use super::rate::Rate;
use crate::clock::Nanos;
use crate::resilience::error::Invalid;
use crate::resilience::sync::{AtomicU64, Ordering};

/// The generic cell rate algorithm (ITU-T I.371), a token bucket in one number: the time
/// at which the bucket will be full again ("theoretical arrival time").
///
/// A bucket of `b` calls that gets one back every `T` lets fewer than `b + P / T + 1` calls
/// pass in a window of length `P`. With `T = P / (limit - b + 1)` these are at most `limit`:
/// the larger the burst, the slower the rate that follows it.
#[derive(Debug)]
pub struct Gcra {
    full: AtomicU64,
    interval: AtomicU64,
    burst: AtomicU64,
}

impl Gcra {
    /// A full bucket.
    pub fn new(rate: Rate) -> Result<Self, Invalid> {
        rate.check()?;
        let bucket =
            Self { full: AtomicU64::new(0), interval: AtomicU64::new(0), burst: AtomicU64::new(0) };
        bucket.set(rate);
        Ok(bucket)
    }

    /// Takes `cost` calls at `now`. `Ok` is how long to wait before making them, at most
    /// `patience`; `Err` is when to ask again.
    #[inline]
    pub fn take(&self, now: Nanos, cost: u32, patience: Nanos) -> Result<Nanos, Nanos> {
        let interval = self.interval.load(Ordering::Relaxed);
        let room = interval.saturating_mul(self.burst.load(Ordering::Relaxed));
        let price = interval.saturating_mul(cost.into());
        let mut full = self.full.load(Ordering::Relaxed);
        loop {
            let filled = full.max(now).saturating_add(price);
            let wait = (filled - now).saturating_sub(room);
            if wait > patience || price > room {
                return Err(wait);
            }
            match self.full.compare_exchange_weak(full, filled, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return Ok(wait),
                Err(other) => full = other,
            }
        }
    }

    /// Changes the rate in use; what was taken stays taken.
    pub fn configure(&self, rate: Rate) -> Result<(), Invalid> {
        rate.check()?;
        self.set(rate);
        Ok(())
    }

    /// Calls that could be made at once.
    pub fn available(&self, now: Nanos) -> u64 {
        let interval = self.interval.load(Ordering::Relaxed);
        let room = interval * self.burst.load(Ordering::Relaxed);
        let taken = self.full.load(Ordering::Relaxed).saturating_sub(now);
        room.saturating_sub(taken) / interval
    }

    /// Whether the bucket is full: forgetting it would change nothing.
    pub fn is_idle(&self, now: Nanos) -> bool {
        self.full.load(Ordering::Relaxed) <= now
    }

    fn set(&self, rate: Rate) {
        self.interval.store(rate.refill(), Ordering::Relaxed);
        self.burst.store(rate.burst.into(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SECOND;
    use proptest::prelude::*;

    fn bucket(limit: u32, burst: u32) -> Gcra {
        Gcra::new(Rate { limit, period: SECOND, burst }).unwrap()
    }

    #[test]
    fn a_full_bucket_gives_its_burst_and_then_the_rest_of_the_limit() {
        let bucket = bucket(10, 6);
        let taken = |now| (0..20).filter(|_| bucket.take(now, 1, 0).is_ok()).count();
        assert_eq!(taken(0), 6);
        assert_eq!(bucket.take(0, 1, 0), Err(SECOND / 5));
        let rest: usize = (1..5).map(|fifth| taken(fifth * SECOND / 5)).sum();
        assert_eq!(6 + rest, 10);
        assert_eq!(taken(10 * SECOND), 6);
    }

    #[test]
    fn without_bursts_calls_pass_at_the_whole_rate() {
        let bucket = bucket(10, 1);
        assert!((0..50).all(|tenth| bucket.take(tenth * SECOND / 10, 1, 0).is_ok()));
    }

    #[test]
    fn the_patient_are_given_a_time() {
        let bucket = bucket(10, 1);
        let waits: Vec<_> = (0..4).map(|_| bucket.take(0, 1, SECOND / 5)).collect();
        assert_eq!(waits, [Ok(0), Ok(SECOND / 10), Ok(SECOND / 5), Err(3 * SECOND / 10)]);
    }

    #[test]
    fn what_never_fits_is_refused_at_any_patience() {
        assert!(bucket(10, 3).take(0, 4, Nanos::MAX).is_err());
    }

    #[test]
    fn a_burst_beyond_the_limit_is_no_rate() {
        let error = Gcra::new(Rate { limit: 5, period: SECOND, burst: 6 }).unwrap_err();
        assert_eq!(error.parameter, "burst");
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_bucket_of_tokens(limit in 1u32..20, burst in 1u32..20,
                                             steps in prop::collection::vec((0u64..400_000_000, 1u32..4), 1..80)) {
            let burst = burst.min(limit);
            let gcra = bucket(limit, burst);
            let interval = SECOND.div_ceil(u64::from(limit - burst + 1));
            // Tokens in units of an interval's nanoseconds, so that the model is exact too.
            let (mut tokens, mut last) = (interval * u64::from(burst), 0);
            let mut now = 0;
            for (step, cost) in steps {
                now += step;
                tokens = (tokens + now - last).min(interval * u64::from(burst));
                last = now;
                let price = interval * u64::from(cost);
                let fits = price <= tokens;
                prop_assert_eq!(gcra.take(now, cost, 0).is_ok(), fits);
                tokens -= if fits { price } else { 0 };
                prop_assert_eq!(gcra.available(now), tokens / interval);
            }
        }

        #[test]
        fn no_window_holds_more_than_the_limit(limit in 1u32..20, burst in 1u32..20, period in 40u64..300,
                                               steps in prop::collection::vec((0u64..60, 0u64..90, 1u32..4), 1..120)) {
            let burst = burst.min(limit);
            let gcra = Gcra::new(Rate { limit, period, burst }).unwrap();
            let (mut now, mut made) = (0, Vec::new());
            for (step, patience, cost) in steps {
                now += step;
                if let Ok(wait) = gcra.take(now, cost, patience) {
                    made.extend(std::iter::repeat_n(now + wait, cost as usize));
                }
            }
            for first in &made {
                let inside = made.iter().filter(|then| (*first..first + period).contains(then));
                prop_assert!(inside.count() <= limit as usize);
            }
        }
    }
}
