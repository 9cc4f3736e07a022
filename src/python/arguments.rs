//! Python numbers to Rust ones, with the error a user can act on.

use pyo3::PyResult;

use super::errors::InvalidParameterError;

/// A count: Python's integers may be negative, ours may not.
pub(super) fn count(name: &'static str, value: i64) -> PyResult<usize> {
    usize::try_from(value).map_err(|_| {
        InvalidParameterError::new_err(format!("{name} must be zero or more, got {value}"))
    })
}
