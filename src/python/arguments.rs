//! Python numbers to Rust ones, with the error a user can act on.

use pyo3::conversion::FromPyObjectOwned;
use pyo3::prelude::*;
use pyo3::types::PyBool;

use super::errors::InvalidParameterError;

/// A count: Python's integers may be negative, ours may not.
pub(super) fn count(name: &'static str, value: i64) -> PyResult<usize> {
    usize::try_from(value).map_err(|_| {
        InvalidParameterError::new_err(format!("{name} must be zero or more, got {value}"))
    })
}

/// What a parameter must be, where the type alone says it.
pub(super) fn given<'py, T: FromPyObjectOwned<'py>>(
    name: &str,
    rule: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<T> {
    value.extract::<T>().map_err(|_| refused(name, rule, value))
}

/// A number that is no bool.
pub(super) fn number<'py, T: FromPyObjectOwned<'py>>(
    name: &str,
    rule: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<T> {
    if value.is_instance_of::<PyBool>() {
        return Err(refused(name, rule, value));
    }
    given(name, rule, value)
}

pub(super) fn refused(name: &str, rule: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let shown = value.repr().map_or_else(|_| "<unprintable>".to_owned(), |text| text.to_string());
    InvalidParameterError::new_err(format!("{name} must be {rule}, got {shown}"))
}
