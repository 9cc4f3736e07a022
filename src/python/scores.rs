use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use super::boundary::{Limits, run};
use super::errors::InvalidDataError;
use crate::cluster::silhouettes;
use crate::linalg::simd::Level;

/// Silhouette of every row, `(n,)`; labels are `0..clusters`, each in use.
#[pyfunction]
pub(crate) fn silhouette_widths<'py>(
    py: Python<'py>,
    rows: PyReadonlyArray2<'py, f64>,
    labels: PyReadonlyArray1<'py, u32>,
    clusters: usize,
    limits: Limits,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let (rows, labels) = (rows.as_array(), labels.as_slice()?);
    if rows.nrows() != labels.len()
        || rows.ncols() == 0
        || labels.iter().any(|label| *label as usize >= clusters)
    {
        return Err(InvalidDataError::new_err("every row needs a column and a label in range"));
    }
    let widths =
        run(py, &limits, |task| silhouettes(rows, labels, clusters, Level::current(), task))?;
    Ok(widths.into_pyarray(py))
}
