//! Between Python's seconds since 1970 and the core's microseconds.

use std::time::{SystemTime, UNIX_EPOCH};

use pyo3::PyResult;

use crate::python::errors::InvalidParameterError;
use crate::telemetry::{Micros, SECOND};

pub(super) fn now() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_micros() as Micros
}

pub(super) fn micros(name: &str, seconds: f64) -> PyResult<Micros> {
    // Some 30,000 years either way.
    if seconds.abs() < 1e12 {
        return Ok((seconds * SECOND as f64).round() as Micros);
    }
    let message = format!("{name} must be a number of seconds, got {seconds}");
    Err(InvalidParameterError::new_err(message))
}

pub(super) fn seconds(micros: Micros) -> f64 {
    micros as f64 / SECOND as f64
}
