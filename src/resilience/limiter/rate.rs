use crate::clock::{Nanos, seconds};
use crate::resilience::error::{Invalid, check};

/// At most `limit` calls in any window of `period`, and of these at most `burst` at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    /// Calls in a window.
    pub limit: u32,
    /// Length of the window in nanoseconds.
    pub period: Nanos,
    /// Calls that may come at once: a part of the limit, never on top of it.
    pub burst: u32,
}

impl Rate {
    /// `Ok` if every parameter is in its domain.
    pub fn check(&self) -> Result<(), Invalid> {
        check(self.limit >= 1, "limit", "at least 1", self.limit)?;
        let holds = self.period >= u64::from(self.limit) && self.period <= 1 << 60;
        check(holds, "period", "at least 1 ns per call, at most 36 years", seconds(self.period))?;
        let holds = (1..=self.limit).contains(&self.burst);
        check(holds, "burst", "from 1 to the limit, inside of which it counts", self.burst)
    }

    /// Time between calls that come evenly.
    pub fn pace(&self) -> Nanos {
        self.period.div_ceil(self.limit.into())
    }

    /// Time in which a bucket that gave a burst gets one call back, so that the burst and
    /// what follows it within the period are the limit together.
    pub fn refill(&self) -> Nanos {
        self.period.div_ceil(u64::from(self.limit - self.burst) + 1)
    }
}
