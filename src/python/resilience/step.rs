//! What goes into the driver of a coroutine, and what comes out.

use pyo3::ffi;
use pyo3::prelude::*;

use super::end::End;

/// What comes in: from the event loop, or from the quick way that found something to say.
pub(super) enum Input {
    Send(Py<PyAny>),
    Throw(PyErr),
    Close,
    /// Stages up to this one have passed the call.
    Passed(usize),
    /// The function gave this to await.
    Made(Py<PyAny>),
    /// The call failed.
    Raised(PyErr),
    /// The call gave this, and only the stages before this one have not been told.
    Gave(Py<PyAny>, usize),
    /// The call is suspended for the first time.
    Yielded(Py<PyAny>),
}

/// What goes out to the event loop.
pub(super) enum Step {
    Yields(Py<PyAny>),
    Ends(End),
}

/// What the quick way comes to.
pub(super) enum Quick {
    Yields(*mut ffi::PyObject),
    Returns(*mut ffi::PyObject),
    Words(Input),
}
