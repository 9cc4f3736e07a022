//! What a guarded coroutine call waits for at the moment.
#![allow(unsafe_code)] // slots of types, and PyIter_Send

use pyo3::exceptions::{PyGeneratorExit, PyStopIteration};
use pyo3::ffi;
use pyo3::prelude::*;

/// How far it came.
pub(super) enum Progress {
    Yielded(Py<PyAny>),
    Ended(PyResult<Py<PyAny>>),
}

/// What there is to wait for.
pub(super) enum Begun {
    Iterator(Py<PyAny>),
    /// It cannot be awaited: it is the result.
    Result(Py<PyAny>),
    Failed(PyErr),
}

/// Whether it is its own iterator, into which one can send directly.
pub(super) fn is_coroutine(object: *mut ffi::PyObject) -> bool {
    // SAFETY: a read of the slots of a live object's type.
    unsafe {
        let slots = (*ffi::Py_TYPE(object)).tp_as_async;
        !slots.is_null() && (*slots).am_send.is_some() && (*slots).am_await.is_some()
    }
}

/// The iterator of what a function gave to await.
pub(super) fn iterator_of(py: Python<'_>, made: Py<PyAny>) -> Begun {
    if is_coroutine(made.as_ptr()) {
        return Begun::Iterator(made);
    }
    // SAFETY: a read of a type's slots, and a slot called as CPython does: the result is a
    // new reference, or null with an error set.
    unsafe {
        let slots = (*ffi::Py_TYPE(made.as_ptr())).tp_as_async;
        let Some(iterate) = (if slots.is_null() { None } else { (*slots).am_await }) else {
            return Begun::Result(made);
        };
        match Bound::from_owned_ptr_or_err(py, iterate(made.as_ptr())) {
            Ok(iterator) => Begun::Iterator(iterator.unbind()),
            Err(error) => Begun::Failed(error),
        }
    }
}

pub(super) fn send(py: Python<'_>, current: &Bound<'_, PyAny>, value: &Py<PyAny>) -> Progress {
    let mut result = std::ptr::null_mut();
    // SAFETY: both are alive; the result is a new reference, or null with an error set.
    unsafe {
        let kind = ffi::PyIter_Send(current.as_ptr(), value.as_ptr(), &raw mut result);
        let result = Bound::from_owned_ptr_or_err(py, result).map(Bound::unbind);
        match (kind, result) {
            (ffi::PySendResult::PYGEN_NEXT, Ok(value)) => Progress::Yielded(value),
            (_, result) => Progress::Ended(result),
        }
    }
}

pub(super) fn throw(py: Python<'_>, current: &Bound<'_, PyAny>, error: PyErr) -> Progress {
    let thrown = match current.getattr_opt("throw") {
        Ok(Some(throw)) => throw.call1((error.value(py),)),
        Ok(None) => Err(error),
        Err(error) => Err(error),
    };
    match thrown {
        Ok(value) => Progress::Yielded(value.unbind()),
        Err(error) if error.is_instance_of::<PyStopIteration>(py) => {
            Progress::Ended(error.value(py).getattr("value").map(Bound::unbind))
        }
        Err(error) => Progress::Ended(Err(error)),
    }
}

pub(super) fn close(current: &Bound<'_, PyAny>) -> Progress {
    let closed = match current.getattr_opt("close") {
        Ok(Some(close)) => close.call0().map(drop),
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    Progress::Ended(closed.and_then(|()| Err(PyGeneratorExit::new_err(()))))
}
