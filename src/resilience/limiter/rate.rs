use crate::clock::{Nanos, seconds};
use crate::resilience::error::{Invalid, check};

/// `limit` calls per `period`, of which `burst` may come at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    /// Calls per period.
    pub limit: u32,
    /// In nanoseconds.
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

    /// Time that one call takes up.
    pub fn interval(&self) -> Nanos {
        self.period / u64::from(self.limit)
    }
}
