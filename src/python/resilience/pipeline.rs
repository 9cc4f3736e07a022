use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;

use super::breaker::BreakerPolicy;
use super::bulkhead::BulkheadPolicy;
use super::clock::AnyClock;
use super::end::End;
use super::fallback::FallbackPolicy;
use super::limiter::LimiterPolicy;
use super::retry::RetryPolicy;
use super::run::MOST;
use super::timeout::TimeoutPolicy;
use crate::clock::{Clock, SECOND};
use crate::python::errors::InvalidParameterError;

/// One policy of a pipeline.
#[derive(FromPyObject)]
pub(super) enum Stage {
    Retry(Py<RetryPolicy>),
    Breaker(Py<BreakerPolicy>),
    Timeout(Py<TimeoutPolicy>),
    Bulkhead(Py<BulkheadPolicy>),
    Limiter(Py<LimiterPolicy>),
    Fallback(Py<FallbackPolicy>),
}

/// Policies in their order, outermost first.
#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct Compiled {
    pub(super) stages: Vec<Stage>,
    pub(super) clock: Clock,
    /// Which policies ask how long a call took.
    pub(super) timed: Vec<bool>,
    /// Whether a coroutine that suspends needs the event loop to watch its deadline.
    pub(super) watched: bool,
    calls: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
    cancelled: AtomicU64,
}

/// Ticks of the coarse clock are up to 10 ms apart: it cannot tell shorter calls.
const SHORTEST_COARSE: u64 = SECOND / 10;

#[pymethods]
impl Compiled {
    #[new]
    fn new(stages: Vec<Stage>, clock: Option<AnyClock>) -> PyResult<Self> {
        if stages.len() > MOST {
            return Err(InvalidParameterError::new_err(format!(
                "policies must be at most {MOST}, got {}",
                stages.len()
            )));
        }
        let slow: Vec<_> = stages
            .iter()
            .map(|stage| match stage {
                Stage::Breaker(breaker) => breaker.get().slow_call(),
                // The coarse clock cannot tell a queue of a few milliseconds.
                Stage::Bulkhead(bulkhead) => bulkhead.get().is_adaptive().then_some(0),
                _ => None,
            })
            .collect();
        let fine = slow.iter().flatten().any(|limit| *limit < SHORTEST_COARSE);
        let own = stages.iter().find_map(|stage| match stage {
            Stage::Breaker(breaker) => chosen(breaker.get().clock()),
            Stage::Limiter(limiter) => chosen(limiter.get().clock()),
            _ => None,
        });
        let usual = if fine { Clock::Precise } else { Clock::Coarse };
        let clock = clock.map(|clock| clock.0).or(own).unwrap_or(usual);
        let timed = slow.iter().map(Option::is_some).collect();
        let deadlines = stages.iter().any(|stage| matches!(stage, Stage::Timeout(_)));
        let watched = deadlines && !matches!(clock, Clock::Virtual(_));
        let zero = || AtomicU64::new(0);
        let (calls, failed, refused, cancelled) = (zero(), zero(), zero(), zero());
        Ok(Self { stages, clock, timed, watched, calls, failed, refused, cancelled })
    }

    /// Totals: calls begun, failed, refused, cancelled.
    fn tally(&self) -> (u64, u64, u64, u64) {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (of(&self.calls), of(&self.failed), of(&self.refused), of(&self.cancelled))
    }

    /// What stands in the way of a `with` block, which can be run only once.
    pub(super) fn repeats(&self) -> Option<&'static str> {
        self.stages.iter().find_map(|stage| match stage {
            Stage::Retry(_) => Some("Retry"),
            Stage::Fallback(_) => Some("Fallback"),
            _ => None,
        })
    }
}

/// Whether attached threads run one at a time: objects of a build without the GIL are larger.
const GIL: bool = size_of::<ffi::PyObject>() == 2 * size_of::<usize>();

/// A clock other than the one a policy has by default.
fn chosen(clock: &Clock) -> Option<Clock> {
    Some(clock.clone()).filter(|clock| !matches!(clock, Clock::Coarse))
}

impl Compiled {
    #[inline]
    pub(super) fn begin(&self, _: Python<'_>) {
        if GIL {
            // Nobody else writes.
            let calls = self.calls.load(Ordering::Relaxed);
            self.calls.store(calls.wrapping_add(1), Ordering::Relaxed);
        } else {
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[inline]
    pub(super) fn end(&self, end: &End) {
        let count = match end {
            End::Value(_) => return,
            End::Failed(_) => &self.failed,
            End::Refused(_) => &self.refused,
            End::Cancelled(_) => &self.cancelled,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}
