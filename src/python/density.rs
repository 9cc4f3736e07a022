use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use super::boundary::{Limits, run};
use super::errors::InvalidDataError;
use crate::cluster::density::dbscan;
use crate::linalg::simd::Level;

type Found<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<bool>>);

/// Labels, -1 for noise, and whether each row is a core row.
#[pyfunction]
#[pyo3(signature = (x, sample_weight, *, eps, min_samples, limits))]
pub(crate) fn fit_dbscan<'py>(
    py: Python<'py>,
    x: PyReadonlyArray2<'py, f64>,
    sample_weight: Option<PyReadonlyArray1<'py, f64>>,
    eps: f64,
    min_samples: f64,
    limits: Limits,
) -> PyResult<Found<'py>> {
    let (x, weights) = (x.as_array(), sample_weight.map(|weights| weights.as_array().to_vec()));
    let n = x.nrows();
    if n == 0 || n >= u32::MAX as usize || weights.as_ref().is_some_and(|w| w.len() != n) {
        return Err(InvalidDataError::new_err(format!(
            "X must have from 1 to 2**32 - 2 rows and as many weights, got {n}"
        )));
    }
    let found = run(py, &limits, |task| {
        dbscan(x, weights.as_deref(), eps, min_samples, Level::current(), task)
    })?;
    Ok((found.labels.into_pyarray(py), found.core.into_pyarray(py)))
}
