use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::clock::{AnyClock, Now, chance};
use super::end::End;
use super::events::{hook_failed, name_of, state_of, tell};
use crate::clock::{Clock, Nanos, nanos, precise, seconds};
use crate::python::errors::{CircuitOpenError, InvalidParameterError};
use crate::resilience::breaker::{
    Breaker, BreakerConfig, Permit, Refusal, Span, Transition, Verdict,
};

/// A breaker and what Python counts as a failure.
#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct BreakerPolicy {
    name: String,
    core: Breaker,
    on: Py<PyTuple>,
    ignore: Option<Py<PyTuple>>,
    on_result: Option<Py<PyAny>>,
    clock: Clock,
    failed: Moment,
    changed: Moment,
}

/// A time of the calendar, taken when something happened and the same ever after.
struct Moment(AtomicU64);

impl Moment {
    fn now() -> Self {
        let moment = Self(AtomicU64::new(0));
        moment.set();
        moment
    }

    fn set(&self) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.0.store(now.as_secs_f64().to_bits(), Ordering::Relaxed);
    }

    /// Seconds since 1970.
    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

fn config_of(options: &Bound<'_, PyDict>) -> PyResult<BreakerConfig> {
    fn seconds_of(value: &Bound<'_, PyAny>) -> PyResult<Nanos> {
        value.extract::<f64>().map(nanos)
    }
    let mut config = BreakerConfig::default();
    let mut buckets = 10;
    let mut span = None;
    for (key, value) in options {
        match key.extract::<&str>()? {
            "failure_threshold" => config.failure_threshold = value.extract()?,
            "success_takes_one" => config.success_takes_one = value.extract()?,
            "window" => {
                config.window = value.extract::<Option<u32>>()?.map(Span::Calls).or(config.window);
            }
            "window_seconds" => span = value.extract::<Option<f64>>()?,
            "window_buckets" => buckets = value.extract()?,
            "failure_rate" => config.failure_rate = value.extract()?,
            "minimum_calls" => config.minimum_calls = value.extract()?,
            "slow_call" => config.slow_call = value.extract::<Option<f64>>()?.map(nanos),
            "slow_rate" => config.slow_rate = value.extract()?,
            "adaptive" => config.adaptive = value.extract()?,
            "open_time" => config.open_time = seconds_of(&value)?,
            "open_growth" => config.open_growth = value.extract()?,
            "max_open_time" => config.open_cap = seconds_of(&value)?,
            "open_jitter" => config.open_jitter = value.extract()?,
            "half_open_permits" => config.permits = value.extract()?,
            "success_threshold" => config.success_threshold = value.extract()?,
            "lease" => config.lease = seconds_of(&value)?,
            other => {
                return Err(InvalidParameterError::new_err(format!("no parameter named {other}")));
            }
        }
    }
    if let Some(span) = span {
        config.window = Some(Span::Time(nanos(span), buckets));
    }
    Ok(config)
}

#[pymethods]
impl BreakerPolicy {
    #[new]
    #[pyo3(signature = (name, options, on, ignore, on_result, clock))]
    fn new(
        name: String,
        options: &Bound<'_, PyDict>,
        on: Py<PyTuple>,
        ignore: Option<Py<PyTuple>>,
        on_result: Option<Py<PyAny>>,
        clock: AnyClock,
    ) -> PyResult<Self> {
        let core = Breaker::new(config_of(options)?)?;
        let (failed, changed) = (Moment::now(), Moment::now());
        Ok(Self { name, core, on, ignore, on_result, clock: clock.0, failed, changed })
    }

    fn configure(&self, options: &Bound<'_, PyDict>) -> PyResult<()> {
        Ok(self.core.configure(config_of(options)?)?)
    }

    #[getter]
    fn state(&self) -> &'static str {
        name_of(self.core.look().state())
    }

    /// Failures in a row, successful trials, the time of the last failure (`None` before
    /// the first) and of the last change of state, in seconds since 1970.
    fn counts(&self) -> (u32, u32, Option<f64>, f64) {
        let machine = self.core.look();
        let failed = machine.last_failure().map(|_| self.failed.get());
        (machine.failures(), machine.trials_passed(), failed, self.changed.get())
    }

    /// When the failures in a row were, in seconds since 1970.
    fn history(&self) -> Vec<f64> {
        let machine = self.core.look();
        let last = machine.last_failure().unwrap_or(0);
        let before = |then| self.failed.get() - seconds(last.saturating_sub(then));
        machine.recent().map(before).collect()
    }

    /// Calls, failures and slow calls in the window.
    fn rates(&self) -> Option<(u32, u32, u32)> {
        let now = self.clock.now();
        self.core.look().rates(now)
    }

    /// Totals: successes, failures, slow, neither, refused, late, opened.
    fn tally(&self) -> (u64, u64, u64, u64, u64, u64, u64) {
        let t = self.core.tally();
        (t.successes, t.failures, t.slow, t.neither, t.refused, t.late, t.opened)
    }

    fn set(&self, py: Python<'_>, state: &str) -> PyResult<()> {
        let to = state_of(state).ok_or_else(|| {
            InvalidParameterError::new_err(format!("state must be a breaker's state, got {state}"))
        })?;
        self.announce(py, self.core.set(to, self.clock.now()));
        Ok(())
    }
}

impl BreakerPolicy {
    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Whether the duration of a call matters, and at what resolution.
    pub(super) fn slow_call(&self) -> Option<Nanos> {
        self.core.look().config().slow_call
    }

    /// A permit if it is closed.
    #[inline]
    pub(super) fn pass(&self) -> Option<Permit> {
        self.core.pass()
    }

    /// `Err` is the exception to raise instead of calling.
    pub(super) fn acquire(&self, py: Python<'_>, now: Nanos) -> Result<Permit, PyErr> {
        match self.core.acquire(now) {
            Ok((permit, transition)) => {
                self.announce(py, transition);
                Ok(permit)
            }
            Err(refusal) => {
                tell(py, "breaker.rejected", &self.name, |_| Ok(()));
                Err(self.refused(&refusal))
            }
        }
    }

    fn refused(&self, refusal: &Refusal) -> PyErr {
        let last = refusal.last_failure.map(|_| self.failed.get());
        let retry_after = refusal.retry_after.map(seconds);
        CircuitOpenError::new_err((self.name.clone(), refusal.failures, last, retry_after))
    }

    /// Takes note of a success; `false` if the result must be looked at first.
    #[inline]
    pub(super) fn succeeds(&self, permit: Permit, now: &Now<'_>, started: Nanos) -> bool {
        if self.on_result.is_some() {
            return false;
        }
        if !self.core.forget(permit) {
            let now = now.get();
            let took = if started == 0 { 0 } else { now.saturating_sub(started) };
            // Slow successes open it as failures do; their chance is drawn from the clock,
            // which is as good as any after a call.
            let chance = (now % 1000) as f64 / 1000.0;
            let change = self.core.release(permit, Verdict::Success, now, took, chance);
            if change.is_some() {
                Python::attach(|py| self.announce(py, change));
            }
        }
        true
    }

    pub(super) fn settle(
        &self,
        py: Python<'_>,
        permit: Permit,
        end: &End,
        now: Nanos,
        started: Nanos,
    ) {
        let verdict = self.verdict(py, end);
        let took = if started == 0 { 0 } else { now.saturating_sub(started) };
        let mut draw = 0.0;
        if verdict == Verdict::Failure {
            self.failed.set();
            draw = chance();
        }
        let transition = self.core.release(permit, verdict, now, took, draw);
        self.announce(py, transition);
    }

    fn verdict(&self, py: Python<'_>, end: &End) -> Verdict {
        match end {
            End::Value(value) => match &self.on_result {
                None => Verdict::Success,
                Some(bad) => match bad.call1(py, (value,)).and_then(|bad| bad.is_truthy(py)) {
                    Ok(true) => Verdict::Failure,
                    Ok(false) => Verdict::Success,
                    Err(error) => {
                        hook_failed(py, "on_result", &error);
                        Verdict::Neither
                    }
                },
            },
            End::Failed(error) => {
                let is = |kinds: &Py<PyTuple>| error.is_instance(py, kinds.bind(py));
                let counts = is(&self.on) && !self.ignore.as_ref().is_some_and(is);
                if counts { Verdict::Failure } else { Verdict::Neither }
            }
            End::Refused(_) | End::Cancelled(_) => Verdict::Neither,
        }
    }

    fn announce(&self, py: Python<'_>, transition: Option<Transition>) {
        let Some(Transition { from, to }) = transition else { return };
        self.changed.set();
        let kind = match name_of(to) {
            "open" => "breaker.opened",
            "closed" => "breaker.closed",
            "half_open" => "breaker.half_opened",
            _ => "breaker.set",
        };
        tell(py, kind, &self.name, |attributes| {
            attributes.set_item("from", name_of(from))?;
            attributes.set_item("to", name_of(to))?;
            attributes.set_item("at", seconds(precise()))
        });
    }
}
