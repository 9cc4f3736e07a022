use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyArray3, PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArray3,
};
use pyo3::prelude::*;

use super::arguments::count;
use super::boundary::{KernelError, Limits, run};
use super::errors::InvalidParameterError;
use crate::cluster::mixture::{Mixture, MixtureError, log_probabilities};
use crate::linalg::simd::Level;

impl KernelError for MixtureError {
    fn is_stopped(&self) -> bool {
        use crate::cluster::kmeans::KMeansError;
        matches!(self, Self::Stopped(_) | Self::Start(KMeansError::Stopped(_)))
    }
}

type Fit<'py> = (
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray2<f64>>,
    Bound<'py, PyArray3<f64>>,
    Bound<'py, PyArray3<f64>>,
    f64,
    usize,
    bool,
);

type Probabilities<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray2<f64>>);

/// Weights, means, covariances, factors of precisions, lower bound, iterations, converged.
#[pyfunction]
#[pyo3(signature = (x, *, n_components, tol, reg_covar, max_iter, n_init, seed, limits))]
pub(crate) fn fit_mixture<'py>(
    py: Python<'py>,
    x: PyReadonlyArray2<'py, f64>,
    n_components: i64,
    tol: f64,
    reg_covar: f64,
    max_iter: i64,
    n_init: i64,
    seed: u64,
    limits: Limits,
) -> PyResult<Fit<'py>> {
    let mixture = Mixture {
        n_components: count("n_components", n_components)?,
        tol,
        reg_covar,
        max_iter: count("max_iter", max_iter)?,
        n_init: count("n_init", n_init)?,
        seed,
    };
    let x = x.as_array();
    let fitted = run(py, &limits, |task| mixture.fit(x, Level::current(), task))?;
    let gaussians = fitted.gaussians;
    Ok((
        gaussians.weights.into_pyarray(py),
        gaussians.means.into_pyarray(py),
        gaussians.covariances.into_pyarray(py),
        fitted.factors.into_pyarray(py),
        fitted.lower_bound,
        fitted.n_iter,
        fitted.converged,
    ))
}

/// Log-densities `(n,)` and log-probabilities of the components `(n, components)`.
#[pyfunction]
#[pyo3(signature = (x, weights, means, factors, *, limits))]
pub(crate) fn mixture_log_probabilities<'py>(
    py: Python<'py>,
    x: PyReadonlyArray2<'py, f64>,
    weights: PyReadonlyArray1<'py, f64>,
    means: PyReadonlyArray2<'py, f64>,
    factors: PyReadonlyArray3<'py, f64>,
    limits: Limits,
) -> PyResult<Probabilities<'py>> {
    let (x, weights) = (x.as_array(), weights.as_array().to_vec());
    let (means, factors) = (means.as_array(), factors.as_array());
    let (k, dim) = (weights.len(), x.ncols());
    if k == 0 || dim == 0 || means.dim() != (k, dim) || factors.dim() != (k, dim, dim) {
        return Err(InvalidParameterError::new_err(
            "means must be (components, features), factors (components, features, features)",
        ));
    }
    let (density, shares) = run(py, &limits, |task| {
        log_probabilities(x, &weights, means, factors, Level::current(), task)
    })?;
    Ok((density.into_pyarray(py), shares.into_pyarray(py)))
}
