//! The deadline in force, in the variable of `holdfast._context`.
#![allow(unsafe_code)] // PyContextVar_*

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyModule;

use super::context::{self, Token};
use crate::clock::{Nanos, nanos, seconds};

fn variable(py: Python<'_>) -> PyResult<&Py<PyAny>> {
    static VARIABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    VARIABLE.get_or_try_init(py, || {
        let module = PyModule::import(py, "holdfast._context")?;
        Ok(module.getattr("deadline")?.unbind())
    })
}

/// When the caller gives up.
pub(super) fn deadline(py: Python<'_>) -> PyResult<Option<Nanos>> {
    let deadline = context::get(py, variable(py)?)?;
    if deadline.is_none() { Ok(None) } else { Ok(Some(nanos(deadline.extract()?))) }
}

/// Lays a deadline over the current one; the earlier holds. Returns the one in force, and
/// what [`leave`] takes back: null where an earlier one was in force.
#[inline]
pub(super) fn enter(py: Python<'_>, own: Nanos) -> PyResult<(Nanos, Token)> {
    if let Some(earlier) = deadline(py)?.filter(|earlier| *earlier <= own) {
        return Ok((earlier, ptr::null_mut::<ffi::PyObject>()));
    }
    let value = seconds(own).into_pyobject(py)?;
    Ok((own, context::set(py, variable(py)?, value.as_any())?))
}

/// Takes back a deadline.
#[inline]
pub(super) fn leave(py: Python<'_>, token: Token) {
    if let Ok(variable) = variable(py)
        && !token.is_null()
    {
        context::leave(variable, token);
    }
}
