use pyo3::exceptions::PyException;
use pyo3::prelude::*;

use crate::clock::Nanos;
use crate::python::errors::RejectedError;

/// How a call, or a part of it, ended.
pub(super) enum End {
    Value(Py<PyAny>),
    /// By an `Exception`.
    Failed(PyErr),
    /// By a policy that did not let it begin.
    Refused(PyErr),
    /// By what is no `Exception`: cancellation, Ctrl-C, exit.
    Cancelled(PyErr),
}

impl End {
    pub(super) fn of(py: Python<'_>, result: PyResult<Py<PyAny>>) -> Self {
        match result {
            Ok(value) => Self::Value(value),
            Err(error) => Self::raised(py, error),
        }
    }

    pub(super) fn raised(py: Python<'_>, error: PyErr) -> Self {
        if !error.is_instance_of::<PyException>(py) {
            Self::Cancelled(error)
        } else if error.is_instance_of::<RejectedError>(py) {
            Self::Refused(error)
        } else {
            Self::Failed(error)
        }
    }

    pub(super) fn into_result(self) -> PyResult<Py<PyAny>> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Failed(error) | Self::Refused(error) | Self::Cancelled(error) => Err(error),
        }
    }
}

/// What the driver has to do.
pub(super) enum Next {
    /// Call the function, then unwind from the innermost stage.
    Call,
    /// Wait, then descend from stage `then`.
    Wait { time: Nanos, then: usize },
    /// Wait for a place in the bulkhead of this stage, then report it `entered` and
    /// descend from the one after it.
    Queue { stage: usize, patience: Nanos },
    /// Call this with the same arguments, then unwind from the stage after `stage`.
    Handle { handler: Py<PyAny>, stage: usize },
    /// Return or raise.
    Done(End),
}
