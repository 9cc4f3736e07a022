use pyo3::prelude::*;

use super::boundary;
use super::errors::InvalidParameterError;
use crate::linalg::simd::Level;

fn name(level: Level) -> &'static str {
    match level {
        Level::Portable => "portable",
        Level::Avx2 => "avx2",
        Level::Avx512 => "avx512",
    }
}

/// The instruction set kernels run on.
#[pyfunction]
pub(crate) fn simd_level() -> &'static str {
    name(Level::current())
}

/// The instruction sets this machine has, slowest first.
#[pyfunction]
pub(crate) fn simd_levels() -> Vec<&'static str> {
    Level::ALL.into_iter().filter(|level| level.available()).map(name).collect()
}

/// Run every kernel on `level`; `None` returns to the best one.
#[pyfunction]
#[pyo3(signature = (level))]
pub(crate) fn force_simd_level(level: Option<&str>) -> PyResult<()> {
    let wanted = Level::ALL.into_iter().find(|l| Some(name(*l)) == level);
    if wanted.is_some() == level.is_some() && Level::force(wanted) {
        return Ok(());
    }
    Err(InvalidParameterError::new_err(format!(
        "level must be one of {:?} on this machine, got {level:?}",
        simd_levels()
    )))
}

/// Threads a kernel uses when it is not told.
#[pyfunction]
pub(crate) fn available_threads() -> usize {
    boundary::available_threads()
}
