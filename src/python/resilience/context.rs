//! The attempt of a running call, in the variable of `holdfast._context`.
#![allow(unsafe_code)] // PyContextVar_*

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyModule};

/// The number of an attempt, laid over the context of its caller. Becomes a real
/// `Context` only when someone asks for one.
#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct CallContext {
    outer: Py<PyAny>,
    attempt: u32,
    whole: PyOnceLock<Py<PyAny>>,
}

#[pymethods]
impl CallContext {
    /// The `holdfast._context.Context` this stands for.
    fn context(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let whole = self.whole.get_or_try_init(py, || {
            let outer = self.outer.bind(py);
            let outer = match outer.cast::<Self>() {
                Ok(outer) => outer.get().context(py)?.into_bound(py),
                Err(_) => outer.clone(),
            };
            let changes = PyDict::new(py);
            changes.set_item("attempt", self.attempt)?;
            outer.call_method("replace", (), Some(&changes)).map(Bound::unbind)
        })?;
        Ok(whole.clone_ref(py))
    }

    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        self.context(py)?.getattr(py, name)
    }
}

impl CallContext {
    /// The `Context` of the caller, under whatever guards have laid over it.
    pub(crate) fn beneath<'a, 'py>(context: &'a Bound<'py, PyAny>) -> &'a Bound<'py, PyAny> {
        let mut context = context;
        while let Ok(call) = context.cast_exact::<Self>() {
            context = call.get().outer.bind(context.py());
        }
        context
    }
}

fn variable(py: Python<'_>) -> PyResult<&Py<PyAny>> {
    static VARIABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    VARIABLE.get_or_try_init(py, || {
        let module = PyModule::import(py, "holdfast._context")?;
        Ok(module.getattr("variable")?.unbind())
    })
}

pub(super) fn get<'py>(py: Python<'py>, variable: &Py<PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let mut value = ptr::null_mut();
    // SAFETY: `variable` is a context variable with a default, so that `value` is set to
    // a new reference, or an error is set.
    unsafe {
        if ffi::PyContextVar_Get(variable.as_ptr(), ptr::null_mut(), &raw mut value) < 0 {
            return Err(PyErr::fetch(py));
        }
        Bound::from_owned_ptr_or_err(py, value)
    }
}

pub(super) fn set(
    py: Python<'_>,
    variable: &Py<PyAny>,
    value: &Bound<'_, PyAny>,
) -> PyResult<Token> {
    // SAFETY: both are objects of the right kind; the result is a new reference or null
    // with an error set.
    let token = unsafe { ffi::PyContextVar_Set(variable.as_ptr(), value.as_ptr()) };
    if token.is_null() { Err(PyErr::fetch(py)) } else { Ok(token) }
}

/// What [`leave`] takes back: an owned reference, or null where there is nothing to take
/// back. Plain, because runs are made for every call.
pub(super) type Token = *mut ffi::PyObject;

/// Says which attempt this is.
pub(super) fn enter_attempt(py: Python<'_>, attempt: u32) -> PyResult<Token> {
    let variable = variable(py)?;
    let outer = get(py, variable)?.unbind();
    let here = Bound::new(py, CallContext { outer, attempt, whole: PyOnceLock::new() })?;
    set(py, variable, here.as_any())
}

/// Takes back an attempt.
pub(super) fn leave_attempt(py: Python<'_>, token: Token) {
    if let Ok(variable) = variable(py) {
        leave(variable, token);
    }
}

pub(super) fn leave(variable: &Py<PyAny>, token: Token) {
    if token.is_null() {
        return;
    }
    // SAFETY: both are objects of the right kind, and the token is ours to drop. Resetting
    // fails only for a coroutine that is closed in another context than its own, where
    // there is nothing to take back.
    unsafe {
        if ffi::PyContextVar_Reset(variable.as_ptr(), token) < 0 {
            ffi::PyErr_Clear();
        }
        ffi::Py_DECREF(token);
    }
}
