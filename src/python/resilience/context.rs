//! The deadline and attempt of a running call in `holdfast._context`'s variable.
#![allow(unsafe_code)] // PyContextVar_*

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyModule};

use crate::clock::{Nanos, nanos, seconds};

/// What a guard lays over the context of its caller. Becomes a real `Context` only when
/// someone asks for one, so that a call nobody looks at does not pay for it.
#[pyclass(frozen, freelist = 64, module = "holdfast._core")]
pub(crate) struct CallContext {
    outer: Py<PyAny>,
    deadline: Option<Nanos>,
    attempt: Option<u32>,
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
            if let Some(deadline) = self.deadline {
                changes.set_item("deadline", seconds(deadline))?;
            }
            if let Some(attempt) = self.attempt {
                changes.set_item("attempt", attempt)?;
            }
            let replace = PyModule::import(py, "dataclasses")?.getattr("replace")?;
            replace.call((outer,), Some(&changes)).map(Bound::unbind)
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

struct Variable {
    variable: Py<PyAny>,
    nowhere: Py<PyAny>,
}

fn variable(py: Python<'_>) -> PyResult<&Variable> {
    static VARIABLE: PyOnceLock<Variable> = PyOnceLock::new();
    VARIABLE.get_or_try_init(py, || {
        let module = PyModule::import(py, "holdfast._context")?;
        Ok(Variable {
            variable: module.getattr("variable")?.unbind(),
            nowhere: module.getattr("NOWHERE")?.unbind(),
        })
    })
}

fn current<'py>(py: Python<'py>, variable: &Variable) -> PyResult<Bound<'py, PyAny>> {
    let mut value = std::ptr::null_mut();
    // SAFETY: `variable` is a context variable with a default, so that `value` is set to
    // a new reference, or an error is set.
    unsafe {
        if ffi::PyContextVar_Get(variable.variable.as_ptr(), std::ptr::null_mut(), &raw mut value)
            < 0
        {
            return Err(PyErr::fetch(py));
        }
        Bound::from_owned_ptr_or_err(py, value)
    }
}

/// When the caller gives up.
pub(super) fn deadline(py: Python<'_>) -> PyResult<Option<Nanos>> {
    let variable = variable(py)?;
    deadline_of(variable, &current(py, variable)?)
}

fn deadline_of(variable: &Variable, mut context: &Bound<'_, PyAny>) -> PyResult<Option<Nanos>> {
    let py = context.py();
    while let Ok(call) = context.cast_exact::<CallContext>() {
        if let Some(deadline) = call.get().deadline {
            return Ok(Some(deadline));
        }
        context = call.get().outer.bind(py);
    }
    if context.is(&variable.nowhere) {
        return Ok(None);
    }
    Ok(context.getattr("deadline")?.extract::<Option<f64>>()?.map(nanos))
}

/// A deadline or an attempt in force until [`leave`] is called with this token.
pub(super) struct Token(Py<PyAny>);

/// Lays a deadline (the earlier one holds) over the current context. Returns the deadline
/// in force.
pub(super) fn enter_deadline(py: Python<'_>, deadline: Nanos) -> PyResult<(Nanos, Token)> {
    let variable = variable(py)?;
    let outer = current(py, variable)?;
    let deadline = deadline_of(variable, &outer)?.map_or(deadline, |first| first.min(deadline));
    let token = lay(py, variable, outer, Some(deadline), None)?;
    Ok((deadline, token))
}

/// Says which attempt this is.
pub(super) fn enter_attempt(py: Python<'_>, attempt: u32) -> PyResult<Token> {
    let variable = variable(py)?;
    let outer = current(py, variable)?;
    lay(py, variable, outer, None, Some(attempt))
}

fn lay(
    py: Python<'_>,
    variable: &Variable,
    outer: Bound<'_, PyAny>,
    deadline: Option<Nanos>,
    attempt: Option<u32>,
) -> PyResult<Token> {
    let outer = outer.unbind();
    let here = CallContext { outer, deadline, attempt, whole: PyOnceLock::new() };
    let here = Bound::new(py, here)?;
    // SAFETY: both are objects of the right kind; the result is a new reference or null
    // with an error set.
    unsafe {
        let token = ffi::PyContextVar_Set(variable.variable.as_ptr(), here.as_ptr());
        Ok(Token(Bound::from_owned_ptr_or_err(py, token)?.unbind()))
    }
}

/// Takes back what was laid over the context.
pub(super) fn leave(py: Python<'_>, token: &Token) {
    let Ok(variable) = variable(py) else { return };
    // SAFETY: both are objects of the right kind. It fails only for a coroutine that is
    // closed in another context than its own, where there is nothing to take back.
    unsafe {
        if ffi::PyContextVar_Reset(variable.variable.as_ptr(), token.0.as_ptr()) < 0 {
            ffi::PyErr_Clear();
        }
    }
}
