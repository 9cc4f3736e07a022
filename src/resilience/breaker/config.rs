use crate::clock::{Nanos, SECOND, seconds};
use crate::resilience::error::{Invalid, check};

/// Over what the rates are taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Span {
    /// The last calls.
    Calls(u32),
    /// The last nanoseconds, in this many buckets.
    Time(Nanos, u32),
}

/// What opens a breaker, for how long, and what closes it again.
#[derive(Clone, Debug, PartialEq)]
pub struct BreakerConfig {
    /// Opens at this many failures in a row.
    pub failure_threshold: Option<u32>,
    /// A success takes one failure back instead of all.
    pub success_takes_one: bool,
    /// What the rates below are taken over; without it there are none.
    pub window: Option<Span>,
    /// Opens when at least this share failed..
    pub failure_rate: f64,
    /// ..of at least this many calls.
    pub minimum_calls: u32,
    /// A call that takes longer is slow.
    pub slow_call: Option<Nanos>,
    /// Opens when at least this share was slow.
    pub slow_rate: f64,
    /// Raise the failure rate by what the dependency shows in quiet times.
    pub adaptive: bool,
    /// How long it stays open the first time..
    pub open_time: Nanos,
    /// ..each further time in a row longer by this factor..
    pub open_growth: f64,
    /// ..up to this long.
    pub open_cap: Nanos,
    /// The share of the open time that chance takes off.
    pub open_jitter: f64,
    /// Trial calls at a time while half-open.
    pub permits: u32,
    /// Successful trials that close it.
    pub success_threshold: u32,
    /// After this long a trial that has not come back gives its permit to another.
    pub lease: Nanos,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failure_threshold: Some(5),
            success_takes_one: false,
            window: None,
            failure_rate: 0.5,
            minimum_calls: 10,
            slow_call: None,
            slow_rate: 1.0,
            adaptive: false,
            open_time: 30 * SECOND,
            open_growth: 1.0,
            open_cap: 600 * SECOND,
            open_jitter: 0.0,
            permits: 1,
            success_threshold: 1,
            lease: 60 * SECOND,
        }
    }
}

impl BreakerConfig {
    /// `Ok` if every parameter is in its domain.
    pub fn check(&self) -> Result<(), Invalid> {
        let share = |value: f64| value > 0.0 && value <= 1.0;
        let threshold = self.failure_threshold.unwrap_or(1);
        check(threshold >= 1, "failure_threshold", "at least 1", threshold)?;
        if self.failure_threshold.is_none() {
            let value = "neither";
            check(self.window.is_some(), "failure_threshold or window", "given", value)?;
        }
        match self.window {
            Some(Span::Calls(calls)) => {
                check((1..=1 << 20).contains(&calls), "window", "from 1 to 1048576 calls", calls)?;
            }
            Some(Span::Time(span, buckets)) => {
                let fits = span >= Nanos::from(buckets) && buckets >= 1;
                check(fits, "window_seconds", "greater than 0", seconds(span))?;
            }
            None => {}
        }
        check(share(self.failure_rate), "failure_rate", "in (0, 1]", self.failure_rate)?;
        check(self.minimum_calls >= 1, "minimum_calls", "at least 1", self.minimum_calls)?;
        check(share(self.slow_rate), "slow_rate", "in (0, 1]", self.slow_rate)?;
        check(self.open_time > 0, "open_time", "greater than 0", seconds(self.open_time))?;
        let holds = self.open_growth.is_finite() && self.open_growth >= 1.0;
        check(holds, "open_growth", "finite and at least 1", self.open_growth)?;
        let holds = self.open_cap >= self.open_time;
        check(holds, "max_open_time", "at least open_time", seconds(self.open_cap))?;
        let holds = (0.0..=1.0).contains(&self.open_jitter);
        check(holds, "open_jitter", "from 0 to 1", self.open_jitter)?;
        check(self.permits >= 1, "half_open_permits", "at least 1", self.permits)?;
        let trials = self.success_threshold;
        check(trials >= 1, "success_threshold", "at least 1", trials)?;
        check(self.lease > 0, "lease", "greater than 0", seconds(self.lease))?;
        let windowed = self.window.is_some();
        check(windowed || !self.adaptive, "adaptive", "False without a window", self.adaptive)?;
        let slow = self.slow_call.is_some();
        check(windowed || !slow, "slow_call", "None without a window", "a duration")
    }

    /// Whether a success in the closed state leaves no trace when no failure is counted.
    pub(super) fn forgets_successes(&self) -> bool {
        self.window.is_none()
    }

    /// How long to stay open the `nth` time in a row, `nth >= 1`.
    pub(super) fn open_for(&self, nth: u32, chance: f64) -> Nanos {
        let exponent = i32::try_from(nth - 1).unwrap_or(i32::MAX);
        let grown = self.open_time as f64 * self.open_growth.powi(exponent);
        (grown.min(self.open_cap as f64) * (1.0 - self.open_jitter * chance)) as Nanos
    }
}
