//! How long operations took in the last minutes.

use std::collections::{HashMap, VecDeque};

use super::{Micros, Sketch};

/// What is known of an operation over some time.
#[derive(Clone, Debug, Default)]
pub struct Timings {
    /// Calls that ended.
    pub calls: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// Their durations in seconds, added up.
    pub seconds: f64,
    /// The durations, from which quantiles can be had.
    pub durations: Sketch,
}

impl Timings {
    fn add(&mut self, seconds: f64, failed: bool) {
        self.calls += 1;
        self.failures += u64::from(failed);
        self.seconds += seconds;
        self.durations.observe(seconds);
    }

    fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.failures += other.failures;
        self.seconds += other.seconds;
        self.durations.merge(&other.durations);
    }
}

/// Timings of many operations in slots of equal width; the oldest are dropped.
#[derive(Debug)]
pub struct Operations {
    width: Micros,
    kept: i64,
    most: usize,
    /// Per name: number of a slot, ascending, and what happened in it.
    slots: HashMap<String, VecDeque<(i64, Timings)>>,
}

/// The name under which operations beyond the cap are counted together.
const OVERFLOW: &str = "(other)";

impl Operations {
    /// Keeps `kept` slots of `width`, for at most `most` names.
    pub fn new(width: Micros, kept: usize, most: usize) -> Self {
        Self { width: width.max(1), kept: kept as i64, most, slots: HashMap::new() }
    }

    /// A call of `name` ended at `now`; a duration that is no number counts as none.
    pub fn record(&mut self, name: &str, seconds: f64, failed: bool, now: Micros) {
        let slot = now.div_euclid(self.width);
        let seconds = if seconds.is_finite() { seconds.max(0.0) } else { 0.0 };
        let known = self.slots.contains_key(name);
        let name = if known || self.slots.len() < self.most { name } else { OVERFLOW };
        if !self.slots.contains_key(name) {
            self.slots.insert(name.to_owned(), VecDeque::new());
        }
        let Some(slots) = self.slots.get_mut(name) else { return };
        while slots.front().is_some_and(|(number, _)| *number <= slot - self.kept) {
            slots.pop_front();
        }
        // Clocks of threads may be read in another order than they arrive here.
        let at = slots.partition_point(|(number, _)| *number < slot);
        if slots.get(at).is_none_or(|(number, _)| *number != slot) {
            slots.insert(at, (slot, Timings::default()));
        }
        slots[at].1.add(seconds, failed);
    }

    /// Timings by name over the slots that end after `since`; names without a call are left out.
    pub fn since(&self, since: Micros, now: Micros) -> Vec<(&str, Timings)> {
        let first = since.div_euclid(self.width).max(now.div_euclid(self.width) - self.kept + 1);
        let mut found: Vec<(&str, Timings)> = Vec::new();
        for (name, slots) in &self.slots {
            let mut total = Timings::default();
            for (_, timings) in slots.iter().filter(|(number, _)| *number >= first) {
                total.merge(timings);
            }
            if total.calls > 0 {
                found.push((name, total));
            }
        }
        found.sort_by(|a, b| a.0.cmp(b.0));
        found
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.slots.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::SECOND;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_older_than_the_window_does_not_count() {
        let mut operations = Operations::new(10 * SECOND, 6, 10);
        operations.record("a", 1.0, false, 0);
        operations.record("a", 3.0, true, 30 * SECOND);
        let calls = |since, now| {
            operations.since(since * SECOND, now * SECOND).iter().map(|(_, t)| t.calls).sum::<u64>()
        };
        assert_eq!(calls(0, 30), 2);
        assert_eq!(calls(10, 30), 1);
        assert_eq!(calls(0, 59), 2);
        assert_eq!(calls(0, 60), 1, "six slots of ten seconds are kept");
        assert_eq!(calls(0, 100), 0);
        let all = operations.since(0, 30 * SECOND);
        assert_eq!((all[0].0, all[0].1.failures, all[0].1.seconds), ("a", 1, 4.0));
    }

    #[test]
    fn names_beyond_the_cap_are_counted_together() {
        let mut operations = Operations::new(SECOND, 5, 2);
        for name in ["a", "b", "c", "d", "a"] {
            operations.record(name, 0.5, false, 0);
        }
        let counts: Vec<_> = operations.since(0, 0).iter().map(|(n, t)| (*n, t.calls)).collect();
        assert_eq!(counts, [(OVERFLOW, 2), ("a", 2), ("b", 1)]);
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_list_of_all_calls(
            calls in prop::collection::vec((0..300_i64, 0.0..10.0_f64, any::<bool>()), 1..80),
            back in 0..100_i64,
        ) {
            let mut operations = Operations::new(SECOND, 60, 10);
            let now = calls.iter().map(|(at, ..)| *at).max().unwrap_or(0);
            for (at, seconds, failed) in &calls {
                operations.record("x", *seconds, *failed, at * SECOND);
            }
            let first = (now - back).max(now - 59);
            let recent: Vec<_> = calls.iter().filter(|(at, ..)| *at >= first).collect();
            let found = operations.since((now - back) * SECOND, now * SECOND);
            let (calls, failures) = found.first().map_or((0, 0), |(_, t)| (t.calls, t.failures));
            prop_assert_eq!(calls, recent.len() as u64);
            prop_assert_eq!(failures, recent.iter().filter(|(.., failed)| *failed).count() as u64);
        }
    }
}
