//! The deadline in force, in the variable of `holdfast._context`.
#![allow(unsafe_code)] // PyContextVar_*

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyModule;

use super::context;
use super::overlay::{self, Laid, Site};
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

/// What [`leave`] takes back. Plain, because runs are made for every call.
#[derive(Clone, Copy)]
pub(super) enum Token {
    /// An earlier deadline was in force.
    Nothing,
    Laid(Laid),
    /// That of the variable, an owned reference.
    Set(*mut ffi::PyObject),
}

impl Token {
    /// Everything held, for the garbage collector.
    pub(super) fn objects(self) -> [*mut ffi::PyObject; 3] {
        match self {
            Self::Nothing => [ptr::null_mut(); 3],
            Self::Laid(laid) => laid.objects(),
            Self::Set(token) => [token, ptr::null_mut(), ptr::null_mut()],
        }
    }
}

/// Lays a deadline over the current one; the earlier holds. Returns the one in force.
#[inline]
pub(super) fn enter(py: Python<'_>, own: Nanos, now: Nanos) -> PyResult<(Nanos, Token)> {
    let variable = variable(py)?;
    let site = Site::here(py);
    if let Some(site) = site
        && let Some(laid) = overlay::lay_again(site, variable, own)
    {
        return Ok((own, Token::Laid(laid)));
    }
    enter_anew(py, variable, site, own, now)
}

#[cold]
fn enter_anew(
    py: Python<'_>,
    variable: &Py<PyAny>,
    site: Option<Site>,
    own: Nanos,
    now: Nanos,
) -> PyResult<(Nanos, Token)> {
    if let Some(earlier) = deadline(py)?.filter(|earlier| *earlier <= own) {
        return Ok((earlier, Token::Nothing));
    }
    let value = seconds(own).into_pyobject(py)?;
    let token = match site {
        Some(site) => Token::Laid(overlay::lay(py, site, variable, own, value.as_any(), now)?),
        None => Token::Set(context::set(py, variable, value.as_any())?),
    };
    Ok((own, token))
}

/// Takes back a deadline.
#[inline]
pub(super) fn leave(py: Python<'_>, token: Token) {
    let Ok(variable) = variable(py) else { return };
    match token {
        Token::Nothing => {}
        Token::Laid(laid) => {
            if let Err(error) = laid.take_back(py, variable) {
                error.write_unraisable(py, None);
            }
        }
        Token::Set(token) => context::leave(variable, token),
    }
}
