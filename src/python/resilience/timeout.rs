use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;

use super::events::tell;
use crate::clock::{Nanos, nanos, seconds};
use crate::python::errors::{DeadlineExceededError, InvalidParameterError};

/// How long a call may take.
#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct TimeoutPolicy {
    name: String,
    limit: AtomicU64,
    interrupts: bool,
    exceeded: AtomicU64,
}

#[pymethods]
impl TimeoutPolicy {
    #[new]
    fn new(name: String, limit: f64, interrupts: bool) -> PyResult<Self> {
        let (zero, exceeded) = (AtomicU64::new(0), AtomicU64::new(0));
        let policy = Self { name, limit: zero, interrupts, exceeded };
        policy.configure(limit)?;
        Ok(policy)
    }

    fn configure(&self, limit: f64) -> PyResult<()> {
        if !(limit.is_finite() && nanos(limit) > 0) {
            return Err(InvalidParameterError::new_err(format!(
                "seconds must be finite and greater than 0, got {limit}"
            )));
        }
        self.limit.store(nanos(limit), Ordering::Relaxed);
        Ok(())
    }

    #[getter]
    fn exceeded(&self) -> u64 {
        self.exceeded.load(Ordering::Relaxed)
    }
}

impl TimeoutPolicy {
    #[inline]
    pub(super) fn limit(&self) -> Nanos {
        self.limit.load(Ordering::Relaxed)
    }

    /// Whether a thread is interrupted when its time is up.
    #[inline]
    pub(super) fn interrupts(&self) -> bool {
        self.interrupts
    }

    /// The exception for a call that took too long; `cause` is what it raised itself.
    pub(super) fn overrun(&self, py: Python<'_>, cause: Option<PyErr>) -> PyErr {
        self.note(py);
        let error = DeadlineExceededError::new_err((self.name.clone(), seconds(self.limit())));
        error.set_cause(py, cause);
        error
    }

    fn note(&self, py: Python<'_>) {
        self.exceeded.fetch_add(1, Ordering::Relaxed);
        let limit = seconds(self.limit());
        tell(py, "timeout.exceeded", &self.name, |attributes| {
            attributes.set_item("seconds", limit)
        });
    }
}
