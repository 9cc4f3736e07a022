//! Whether to try again, and when.

use super::backoff::Backoff;
use super::budget::Budget;
use super::error::{Invalid, check};
use crate::clock::Nanos;

/// Stops at the first bound that is reached.
#[derive(Clone, Debug)]
pub struct Retry {
    attempts: u32,
    elapsed: Nanos,
    backoff: Backoff,
}

/// What one call has used so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attempts {
    /// Attempts that were begun; 1 during the first.
    pub made: u32,
    /// The wait before the last one.
    pub waited: Nanos,
    /// When the first began.
    pub started: Nanos,
}

/// Why no further attempt is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum GiveUp {
    /// All attempts were made.
    Attempts,
    /// The wait would end after `max_elapsed` or the deadline.
    Time,
    /// The budget is used up.
    Budget,
}

impl Retry {
    /// At most `attempts` attempts (the first included) begun within `elapsed`.
    pub fn new(attempts: u32, elapsed: Nanos, backoff: Backoff) -> Result<Self, Invalid> {
        check(attempts >= 1, "max_attempts", "at least 1", attempts)?;
        Ok(Self { attempts, elapsed, backoff })
    }

    /// The schedule of waits.
    pub fn backoff(&self) -> &Backoff {
        &self.backoff
    }

    /// How long to wait before the next attempt. A `hint` from the callee ("retry after")
    /// replaces the schedule; `deadline` is when the caller gives up.
    pub fn next(
        &self,
        attempts: &mut Attempts,
        now: Nanos,
        hint: Option<Nanos>,
        deadline: Option<Nanos>,
        budget: Option<&Budget>,
        chance: f64,
    ) -> Result<Nanos, GiveUp> {
        if attempts.made >= self.attempts {
            return Err(GiveUp::Attempts);
        }
        let wait =
            hint.unwrap_or_else(|| self.backoff.wait(attempts.made, attempts.waited, chance));
        let end = now.saturating_add(wait);
        let late = deadline.is_some_and(|deadline| end >= deadline)
            || end.saturating_sub(attempts.started) > self.elapsed;
        if late {
            return Err(GiveUp::Time);
        }
        if budget.is_some_and(|budget| !budget.withdraw(now)) {
            return Err(GiveUp::Budget);
        }
        attempts.made += 1;
        attempts.waited = wait;
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::super::backoff::{Growth, Jitter};
    use super::*;
    use crate::clock::SECOND;

    fn retry(attempts: u32, elapsed: Nanos) -> Retry {
        let backoff = Backoff::new(Growth::Linear, 1.0, 60.0, Jitter::None).unwrap();
        Retry::new(attempts, elapsed, backoff).unwrap()
    }

    fn first() -> Attempts {
        Attempts { made: 1, ..Attempts::default() }
    }

    #[test]
    fn the_first_call_is_one_of_the_attempts() {
        let (retry, mut attempts) = (retry(3, Nanos::MAX), first());
        let mut next = || retry.next(&mut attempts, 0, None, None, None, 0.0);
        assert_eq!(next(), Ok(SECOND));
        assert_eq!(next(), Ok(2 * SECOND));
        assert_eq!(next(), Err(GiveUp::Attempts));
    }

    #[test]
    fn a_wait_beyond_the_deadline_is_not_begun() {
        let retry = retry(3, Nanos::MAX);
        let next = |deadline| retry.next(&mut first(), 0, None, Some(deadline), None, 0.0);
        assert_eq!(next(SECOND), Err(GiveUp::Time));
        assert_eq!(next(SECOND + 1), Ok(SECOND));
    }

    #[test]
    fn the_total_time_bounds_the_start_of_the_last_attempt() {
        let next = |now| retry(3, 5 * SECOND).next(&mut first(), now, None, None, None, 0.0);
        assert_eq!(next(4 * SECOND), Ok(SECOND));
        assert_eq!(next(4 * SECOND + 1), Err(GiveUp::Time));
    }

    #[test]
    fn a_hint_replaces_the_schedule() {
        let wait = retry(3, Nanos::MAX).next(&mut first(), 0, Some(7), None, None, 0.0);
        assert_eq!(wait, Ok(7));
    }

    #[test]
    fn an_empty_budget_ends_it_and_an_attempt_not_made_costs_nothing() {
        let budget = Budget::new(0.0, 0.0, 1.0).unwrap();
        let retry = retry(3, Nanos::MAX);
        let next = |deadline| retry.next(&mut first(), 0, None, deadline, Some(&budget), 0.0);
        assert_eq!(next(Some(0)), Err(GiveUp::Time));
        assert_eq!(next(None), Ok(SECOND));
        assert_eq!(next(None), Err(GiveUp::Budget));
    }
}
