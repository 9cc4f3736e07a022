use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;
use pyo3::types::{PyDelta, PyTuple};

use super::clock::chance;
use super::deadline;
use super::end::End;
use super::events::{hook_failed, tell};
use crate::clock::{Nanos, nanos, seconds};
use crate::python::errors::InvalidParameterError;
use crate::resilience::backoff::{Backoff, Growth, Jitter};
use crate::resilience::budget::Budget;
use crate::resilience::retry::{Attempts, GiveUp, Retry};

/// Retries that several policies share.
#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct RetryBudget(Budget);

#[pymethods]
impl RetryBudget {
    #[new]
    fn new(share: f64, per_second: f64, reserve: f64) -> PyResult<Self> {
        Ok(Self(Budget::new(share, per_second, reserve)?))
    }

    fn deposit(&self) {
        self.0.deposit();
    }

    fn withdraw(&self) -> bool {
        self.0.withdraw(crate::clock::coarse())
    }

    #[getter]
    fn balance(&self) -> f64 {
        self.0.balance()
    }
}

/// A retry and what Python wants retried.
#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct RetryPolicy {
    name: String,
    core: Mutex<Retry>,
    timed: bool,
    budget: Option<Py<RetryBudget>>,
    on: Py<PyTuple>,
    on_error: Option<Py<PyAny>>,
    on_result: Option<Py<PyAny>>,
    on_retry: Option<Py<PyAny>>,
    refusals: bool,
    retries: AtomicU64,
    given_up: AtomicU64,
}

/// `on_error`, `on_result` and `on_retry`.
type Hooks = (Option<Py<PyAny>>, Option<Py<PyAny>>, Option<Py<PyAny>>);

fn core_of(
    attempts: u32,
    elapsed: Option<f64>,
    growth: (&str, f64, f64, f64),
    jitter: (&str, f64),
) -> PyResult<Retry> {
    let (strategy, base, cap, multiplier) = growth;
    let unknown = |parameter, value| {
        InvalidParameterError::new_err(format!("{parameter} must be known, got {value:?}"))
    };
    let growth = match strategy {
        "fixed_delay" => Growth::Fixed,
        "exponential_backoff" => Growth::Exponential(multiplier),
        "linear_backoff" => Growth::Linear,
        "fibonacci_backoff" => Growth::Fibonacci,
        other => return Err(unknown("strategy", other)),
    };
    let jitter = match jitter {
        ("none", _) => Jitter::None,
        ("full", _) => Jitter::Full,
        ("decorrelated", _) => Jitter::Decorrelated,
        ("share", share) => Jitter::Share(share),
        (other, _) => return Err(unknown("jitter", other)),
    };
    let backoff = Backoff::new(growth, base, cap, jitter)?;
    Ok(Retry::new(attempts, elapsed.map_or(Nanos::MAX, nanos), backoff)?)
}

#[pymethods]
impl RetryPolicy {
    #[new]
    fn new(
        name: String,
        attempts: u32,
        elapsed: Option<f64>,
        growth: (String, f64, f64, f64),
        jitter: (String, f64),
        budget: Option<Py<RetryBudget>>,
        on: Py<PyTuple>,
        refusals: bool,
        hooks: Hooks,
    ) -> PyResult<Self> {
        let growth = (growth.0.as_str(), growth.1, growth.2, growth.3);
        let core = core_of(attempts, elapsed, growth, (jitter.0.as_str(), jitter.1))?;
        let (on_error, on_result, on_retry) = hooks;
        Ok(Self {
            name,
            core: Mutex::new(core),
            timed: elapsed.is_some(),
            budget,
            on,
            on_error,
            on_result,
            on_retry,
            refusals,
            retries: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
        })
    }

    /// Totals: attempts after the first, and calls that failed all the same.
    fn tally(&self) -> (u64, u64) {
        (self.retries.load(Ordering::Relaxed), self.given_up.load(Ordering::Relaxed))
    }

    /// The wait after failed attempt `n` for a draw of `chance`, in seconds.
    fn wait(&self, n: u32, previous: f64, chance: f64) -> f64 {
        let core = self.core.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        seconds(core.backoff().wait(n.max(1), nanos(previous), chance))
    }
}

impl RetryPolicy {
    /// Whether the first attempt needs no note.
    #[inline]
    pub(super) fn begins_quietly(&self) -> bool {
        self.budget.is_none() && !self.timed
    }

    /// Whether every result is as good as done.
    #[inline]
    pub(super) fn takes_any(&self) -> bool {
        self.on_result.is_none()
    }

    pub(super) fn begin(&self, py: Python<'_>, now: impl FnOnce() -> Nanos) -> Attempts {
        if let Some(budget) = &self.budget {
            budget.bind(py).get().0.deposit();
        }
        let started = if self.timed { now() } else { 0 };
        Attempts { made: 1, waited: 0, started }
    }

    /// How long to wait before trying again; `None` if this end stands.
    pub(super) fn again(
        &self,
        py: Python<'_>,
        attempts: &mut Attempts,
        end: &End,
        now: Nanos,
    ) -> PyResult<Option<Nanos>> {
        if !self.wants(py, end)? {
            return Ok(None);
        }
        let hint = match end {
            End::Failed(error) | End::Refused(error) => hint_of(py, error),
            _ => None,
        };
        let deadline = deadline::deadline(py)?;
        let budget = self.budget.as_ref().map(|budget| &budget.bind(py).get().0);
        let failed = attempts.made;
        let core = self.core.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let next = core.next(attempts, now, hint, deadline, budget, chance());
        let kind = if next.is_ok() { "retry.attempt_failed" } else { "retry.gave_up" };
        tell(py, kind, &self.name, |attributes| {
            attributes.set_item("attempt", failed)?;
            if let End::Failed(error) | End::Refused(error) = end {
                attributes.set_item("error", error.get_type(py).name()?)?;
            }
            match next {
                Ok(wait) => attributes.set_item("wait", seconds(wait)),
                Err(GiveUp::Attempts) => attributes.set_item("reason", "attempts"),
                Err(GiveUp::Time) => attributes.set_item("reason", "time"),
                Err(GiveUp::Budget) => attributes.set_item("reason", "budget"),
            }
        });
        let counter = if next.is_ok() { &self.retries } else { &self.given_up };
        counter.fetch_add(1, Ordering::Relaxed);
        if let (Ok(_), Some(hook)) = (next, &self.on_retry) {
            let error = match end {
                End::Failed(error) | End::Refused(error) => Some(error.value(py).clone()),
                _ => None,
            };
            if let Err(error) = hook.call1(py, (failed, error)) {
                hook_failed(py, "on_retry", &error);
            }
        }
        Ok(next.ok())
    }

    fn wants(&self, py: Python<'_>, end: &End) -> PyResult<bool> {
        match end {
            End::Cancelled(_) => Ok(false),
            End::Value(value) => match &self.on_result {
                None => Ok(false),
                Some(bad) => bad.call1(py, (value,))?.is_truthy(py),
            },
            End::Failed(error) | End::Refused(error) => {
                let refused = matches!(end, End::Refused(_));
                if (refused && !self.refusals)
                    || error.is_instance_of::<pyo3::exceptions::PyMemoryError>(py)
                {
                    return Ok(false);
                }
                if !error.is_instance(py, self.on.bind(py)) {
                    return Ok(false);
                }
                match &self.on_error {
                    None => Ok(true),
                    Some(transient) => transient.call1(py, (error.value(py),))?.is_truthy(py),
                }
            }
        }
    }
}

/// What the exception says about when to come back: seconds or a timedelta.
fn hint_of(py: Python<'_>, error: &PyErr) -> Option<Nanos> {
    let hint = error.value(py).getattr_opt(pyo3::intern!(py, "retry_after")).ok()??;
    let hint = match hint.cast::<PyDelta>() {
        Ok(delta) => delta.call_method0("total_seconds").ok()?,
        Err(_) => hint,
    };
    hint.extract::<f64>().ok().filter(|hint| hint.is_finite()).map(nanos)
}
