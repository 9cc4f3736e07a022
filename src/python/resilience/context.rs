//! The deadline and attempt of a running call, in the variables of `holdfast._context`.
#![allow(unsafe_code)] // PyContextVar_*

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyModule};

use crate::clock::{Nanos, nanos, seconds};

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

struct Variables {
    context: Py<PyAny>,
    deadline: Py<PyAny>,
}

fn variables(py: Python<'_>) -> PyResult<&Variables> {
    static VARIABLES: PyOnceLock<Variables> = PyOnceLock::new();
    VARIABLES.get_or_try_init(py, || {
        let module = PyModule::import(py, "holdfast._context")?;
        Ok(Variables {
            context: module.getattr("variable")?.unbind(),
            deadline: module.getattr("deadline")?.unbind(),
        })
    })
}

fn get<'py>(py: Python<'py>, variable: &Py<PyAny>) -> PyResult<Bound<'py, PyAny>> {
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

fn set(py: Python<'_>, variable: &Py<PyAny>, value: &Bound<'_, PyAny>) -> PyResult<Token> {
    // SAFETY: both are objects of the right kind; the result is a new reference or null
    // with an error set.
    let token = unsafe { ffi::PyContextVar_Set(variable.as_ptr(), value.as_ptr()) };
    if token.is_null() { Err(PyErr::fetch(py)) } else { Ok(token) }
}

/// When the caller gives up.
pub(super) fn deadline(py: Python<'_>) -> PyResult<Option<Nanos>> {
    let variables = variables(py)?;
    let deadline = get(py, &variables.deadline)?;
    if deadline.is_none() { Ok(None) } else { Ok(Some(nanos(deadline.extract()?))) }
}

/// What [`leave_deadline`] and [`leave_attempt`] take back: an owned reference, or null
/// where there is nothing to take back. Plain, because runs are made for every call.
pub(super) type Token = *mut ffi::PyObject;

/// Lays a deadline over the current one; the earlier holds. Returns the one in force.
pub(super) fn enter_deadline(py: Python<'_>, own: Nanos) -> PyResult<(Nanos, Token)> {
    match deadline(py)? {
        Some(earlier) if earlier <= own => Ok((earlier, ptr::null_mut())),
        _ => {
            let value = seconds(own).into_pyobject(py)?;
            Ok((own, set(py, &variables(py)?.deadline, &value)?))
        }
    }
}

/// Says which attempt this is.
pub(super) fn enter_attempt(py: Python<'_>, attempt: u32) -> PyResult<Token> {
    let variable = &variables(py)?.context;
    let outer = get(py, variable)?.unbind();
    let here = Bound::new(py, CallContext { outer, attempt, whole: PyOnceLock::new() })?;
    set(py, variable, here.as_any())
}

/// Takes back a deadline.
pub(super) fn leave_deadline(py: Python<'_>, token: Token) {
    if let Ok(variables) = variables(py) {
        leave(&variables.deadline, token);
    }
}

/// Takes back an attempt.
pub(super) fn leave_attempt(py: Python<'_>, token: Token) {
    if let Ok(variables) = variables(py) {
        leave(&variables.context, token);
    }
}

fn leave(variable: &Py<PyAny>, token: Token) {
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
