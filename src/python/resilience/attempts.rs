use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

use super::clock::{AnyClock, sleep};
use super::end::End;
use super::retry::RetryPolicy;
use crate::clock::{Clock, nanos, seconds};
use crate::resilience::retry::Attempts;

/// The attempts at a block that is written as a loop.
#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct AttemptLoop {
    policy: Py<RetryPolicy>,
    clock: Clock,
    attempts: Mutex<Attempts>,
}

#[pymethods]
impl AttemptLoop {
    #[new]
    fn new(py: Python<'_>, policy: Py<RetryPolicy>, clock: AnyClock) -> Self {
        let clock = clock.0;
        let attempts = Mutex::new(policy.get().begin(py, || clock.now()));
        Self { policy, clock, attempts }
    }

    /// The seconds to wait before trying again after `error`, or after `result` if there is
    /// none; `None` if that stands.
    #[pyo3(signature = (error, result = None))]
    fn again(
        &self,
        py: Python<'_>,
        error: Option<Bound<'_, PyAny>>,
        result: Option<Py<PyAny>>,
    ) -> PyResult<Option<f64>> {
        let end = match (error, result) {
            (Some(error), _) => End::raised(py, PyErr::from_value(error)),
            (None, result) => End::Value(result.unwrap_or_else(|| py.None())),
        };
        // A copy, because hooks may look at the loop.
        let mut attempts = *self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = self.policy.get().again(py, &mut attempts, &end, self.clock.now())?;
        *self.attempts.lock().unwrap_or_else(PoisonError::into_inner) = attempts;
        Ok(wait.map(seconds))
    }

    /// Waits in this thread.
    fn sleep(&self, py: Python<'_>, time: f64) -> PyResult<()> {
        sleep(py, &self.clock, nanos(time))
    }

    /// Moves a virtual clock; `False` for a real one, on which the caller must wait.
    fn skip(&self, time: f64) -> bool {
        self.clock.skip(nanos(time))
    }
}
