//! Outcomes of the last calls, or of the last seconds, with running totals: O(1) a call.

use std::ops::{AddAssign, SubAssign};

use super::config::Span;
use crate::clock::Nanos;

/// How many calls were made, failed, and were slow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Counts {
    pub(super) calls: u32,
    pub(super) failed: u32,
    pub(super) slow: u32,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.failed += other.failed;
        self.slow += other.slow;
    }
}

impl SubAssign for Counts {
    fn sub_assign(&mut self, other: Self) {
        self.calls -= other.calls;
        self.failed -= other.failed;
        self.slow -= other.slow;
    }
}

/// A ring whose slots are single calls, or buckets of time.
#[derive(Clone, Debug)]
pub(super) struct Window {
    span: Span,
    ring: Vec<Counts>,
    /// The slot that is written next (calls), or the number of the newest bucket (time).
    head: u64,
    totals: Counts,
}

impl Window {
    pub(super) fn new(span: Span) -> Self {
        let slots = match span {
            Span::Calls(calls) => calls,
            Span::Time(_, buckets) => buckets,
        };
        let ring = vec![Counts::default(); slots as usize];
        Self { span, ring, head: 0, totals: Counts::default() }
    }

    pub(super) fn record(&mut self, failed: bool, slow: bool, now: Nanos) {
        let one = Counts { calls: 1, failed: u32::from(failed), slow: u32::from(slow) };
        let index = match self.span {
            Span::Calls(_) => {
                let index = self.head as usize;
                self.head = if index + 1 == self.ring.len() { 0 } else { self.head + 1 };
                self.totals -= std::mem::take(&mut self.ring[index]);
                index
            }
            Span::Time(..) => {
                self.expire(now);
                (self.head % self.ring.len() as u64) as usize
            }
        };
        self.ring[index] += one;
        self.totals += one;
    }

    pub(super) fn counts(&mut self, now: Nanos) -> Counts {
        self.expire(now);
        self.totals
    }

    pub(super) fn clear(&mut self) {
        self.ring.fill(Counts::default());
        self.totals = Counts::default();
    }

    /// Empties the buckets that time has passed since the newest one; a clock that stands
    /// still or lags behind another thread's writes to the newest.
    fn expire(&mut self, now: Nanos) {
        let Span::Time(span, buckets) = self.span else { return };
        let bucket = now / (span / Nanos::from(buckets));
        if bucket <= self.head {
            return;
        }
        let slots = self.ring.len() as u64;
        for passed in (self.head + 1..=bucket).take(self.ring.len()) {
            self.totals -= std::mem::take(&mut self.ring[(passed % slots) as usize]);
        }
        self.head = bucket;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_last_calls_are_counted(size in 1u32..9, calls in prop::collection::vec(any::<(bool, bool)>(), 0..40)) {
            let mut window = Window::new(Span::Calls(size));
            for &(failed, slow) in &calls {
                window.record(failed, slow, 0);
            }
            let last = calls.iter().rev().take(size as usize);
            let counted = last.fold(Counts::default(), |mut sum, &(failed, slow)| {
                sum += Counts { calls: 1, failed: failed.into(), slow: slow.into() };
                sum
            });
            prop_assert_eq!(window.counts(0), counted);
        }

        #[test]
        fn the_last_buckets_are_counted(steps in prop::collection::vec((0u64..30, any::<bool>()), 0..40)) {
            let mut window = Window::new(Span::Time(50, 5));
            let mut now = 0;
            let mut history = Vec::new();
            for (step, failed) in steps {
                now += step;
                window.record(failed, false, now);
                history.push((now / 10, failed));
                let recent = history.iter().filter(|(bucket, _)| bucket + 5 > now / 10);
                let (calls, failed) = recent.fold((0, 0), |(c, f), (_, failed)| (c + 1, f + u32::from(*failed)));
                prop_assert_eq!(window.counts(now), Counts { calls, failed, slow: 0 });
            }
        }
    }
}
