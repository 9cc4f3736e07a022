use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString};

use crate::clock::{Clock, Nanos, SECOND, nanos, precise, seconds};
use crate::python::errors::InvalidParameterError;

/// How often a thread that waits looks for signals.
pub(super) const TICK: Nanos = SECOND / 20;

/// Time that moves only when told.
#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct VirtualClock(Arc<AtomicU64>);

#[pymethods]
impl VirtualClock {
    #[new]
    #[pyo3(signature = (start = None))]
    fn new(start: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let start = start.map_or(Ok(0), |start| time_of("start", start))?;
        Ok(Self(Arc::new(AtomicU64::new(start))))
    }

    fn advance(&self, by: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.fetch_add(time_of("by", by)?, Ordering::AcqRel);
        Ok(())
    }

    fn __call__(&self) -> f64 {
        seconds(self.0.load(Ordering::Acquire))
    }
}

fn time_of(parameter: &str, value: &Bound<'_, PyAny>) -> PyResult<Nanos> {
    let number = if value.is_instance_of::<PyBool>() { None } else { value.extract().ok() };
    match number.filter(|number: &f64| number.is_finite() && *number >= 0.0) {
        Some(number) => Ok(nanos(number)),
        None => Err(InvalidParameterError::new_err(format!(
            "{parameter} must be seconds, finite and at least 0, got {}",
            value.repr()?
        ))),
    }
}

/// The clock that `"coarse"`, `"precise"` or a virtual one stands for.
pub(super) struct AnyClock(pub(super) Clock);

impl<'py> FromPyObject<'_, 'py> for AnyClock {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(clock) = object.cast::<VirtualClock>() {
            return Ok(Self(Clock::Virtual(clock.get().0.clone())));
        }
        let name = object.cast::<PyString>().map(|name| name.to_string()).unwrap_or_default();
        match name.as_str() {
            "coarse" => Ok(Self(Clock::Coarse)),
            "precise" => Ok(Self(Clock::Precise)),
            _ => Err(InvalidParameterError::new_err(format!(
                "clock must be 'coarse', 'precise' or a VirtualClock, got {}",
                object.repr()?
            ))),
        }
    }
}

/// Reads the clock at most once. 0 stands for "not read": a virtual clock may well say 0,
/// and is read again.
pub(super) struct Now<'a>(&'a Clock, Cell<Nanos>);

impl<'a> Now<'a> {
    pub(super) fn new(clock: &'a Clock) -> Self {
        Self(clock, Cell::new(0))
    }

    #[inline]
    pub(super) fn get(&self) -> Nanos {
        if self.1.get() == 0 {
            self.1.set(self.0.now());
        }
        self.1.get()
    }
}

/// Waits without the GIL; a signal handler may end it early by raising.
pub(super) fn sleep(py: Python<'_>, clock: &Clock, time: Nanos) -> PyResult<()> {
    if time == 0 || clock.skip(time) {
        return Ok(());
    }
    let end = precise().saturating_add(time);
    loop {
        let left = end.saturating_sub(precise());
        if left == 0 {
            return Ok(());
        }
        py.detach(|| std::thread::sleep(Duration::from_nanos(left.min(TICK))));
        py.check_signals()?;
    }
}

/// A number from `[0, 1)`: splitmix64 (Steele et al., 2014), mixed with the process so
/// that forked workers do not wait in step.
pub(super) fn chance() -> f64 {
    static STATE: AtomicU64 = AtomicU64::new(0);
    let step = STATE.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
    let mut z = step ^ precise() ^ u64::from(std::process::id()).rotate_left(32);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}
