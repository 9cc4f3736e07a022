use numpy::{Element, IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use super::arguments::count;
use super::boundary::{KernelError, Limits, run};
use super::errors::InvalidParameterError;
use crate::cluster::kmeans::{Frame, Init, KMeans, KMeansError, distances, predict};
use crate::linalg::real::Real;
use crate::linalg::simd::Level;

impl KernelError for KMeansError {
    fn is_stopped(&self) -> bool {
        matches!(self, Self::Stopped(_))
    }
}

/// Shift and exponent of a frame.
type Shown<'py, T> = (Bound<'py, PyArray1<T>>, i32);
type Fit<'py, T> = (Bound<'py, PyArray2<T>>, Shown<'py, T>, Bound<'py, PyArray1<i32>>, f64, usize);

/// The name of a method, or starting centres.
#[derive(FromPyObject)]
pub(crate) enum Start<'py> {
    Named(String),
    Given(PyReadonlyArray2<'py, f64>),
}

fn init(start: Start<'_>) -> PyResult<Init> {
    match start {
        Start::Given(centres) => Ok(Init::Given(centres.as_array().to_owned())),
        Start::Named(name) => match name.as_str() {
            "k-means++" => Ok(Init::GreedyPlusPlus),
            "plain-k-means++" => Ok(Init::PlusPlus),
            "random" => Ok(Init::Random),
            _ => Err(InvalidParameterError::new_err(format!(
                "init must be 'k-means++', 'plain-k-means++', 'random' or an array of \
                 shape (n_clusters, n_features), got '{name}'"
            ))),
        },
    }
}

fn labels(py: Python<'_>, labels: Vec<u32>) -> Bound<'_, PyArray1<i32>> {
    labels.into_iter().map(|label| label as i32).collect::<Vec<_>>().into_pyarray(py)
}

fn fit<'py, T: Real + Element>(
    py: Python<'py>,
    x: PyReadonlyArray2<'py, T>,
    weights: Option<PyReadonlyArray1<'py, f64>>,
    kmeans: &KMeans,
    limits: &Limits,
) -> PyResult<Fit<'py, T>> {
    let x = x.as_array();
    let weights = weights.map(|weights| weights.as_array().to_vec());
    let fitted = run(py, limits, |task| kmeans.fit(x, weights.as_deref(), Level::current(), task))?;
    Ok((
        fitted.centres.into_pyarray(py),
        (fitted.frame.shift.into_pyarray(py), fitted.frame.exponent),
        labels(py, fitted.labels),
        fitted.inertia,
        fitted.n_iter,
    ))
}

fn assign<'py, T: Real + Element>(
    py: Python<'py>,
    x: PyReadonlyArray2<'py, T>,
    centres: PyReadonlyArray2<'py, T>,
    (shift, exponent): (PyReadonlyArray1<'py, T>, i32),
    limits: &Limits,
) -> PyResult<Bound<'py, PyArray1<i32>>> {
    let (x, centres) = (x.as_array(), centres.as_array());
    let frame = Frame { shift: shift.as_array().to_vec(), exponent };
    let found = run(py, limits, |task| {
        predict(x, centres, &frame, Level::current(), task).map_err(KMeansError::from)
    })?;
    Ok(labels(py, found))
}

fn measure<'py, T: Real + Element>(
    py: Python<'py>,
    x: PyReadonlyArray2<'py, T>,
    centres: PyReadonlyArray2<'py, T>,
    limits: &Limits,
) -> PyResult<Bound<'py, PyArray2<T>>> {
    let (x, centres) = (x.as_array(), centres.as_array());
    let measured = run(py, limits, |task| {
        distances(x, centres, Level::current(), task).map_err(KMeansError::from)
    })?;
    Ok(measured.into_pyarray(py))
}

macro_rules! precision {
    ($t:ty, $fit:ident, $predict:ident, $distances:ident) => {
        /// Centres, frame (shift and exponent), labels, inertia and iterations for the rows of `x`.
        #[pyfunction]
        #[pyo3(signature = (
                    x, sample_weight, *, n_clusters, init, n_init, max_iter, tol, seed, limits
                ))]
        pub(crate) fn $fit<'py>(
            py: Python<'py>,
            x: PyReadonlyArray2<'py, $t>,
            sample_weight: Option<PyReadonlyArray1<'py, f64>>,
            n_clusters: i64,
            init: Start<'py>,
            n_init: i64,
            max_iter: i64,
            tol: f64,
            seed: u64,
            limits: Limits,
        ) -> PyResult<Fit<'py, $t>> {
            let kmeans = KMeans {
                n_clusters: count("n_clusters", n_clusters)?,
                init: self::init(init)?,
                n_init: count("n_init", n_init)?,
                max_iter: count("max_iter", max_iter)?,
                tol,
                bounds: true,
                seed,
            };
            fit(py, x, sample_weight, &kmeans, &limits)
        }

        /// Index of the nearest centre of each row of `x`.
        #[pyfunction]
        #[pyo3(signature = (x, centres, frame, *, limits))]
        pub(crate) fn $predict<'py>(
            py: Python<'py>,
            x: PyReadonlyArray2<'py, $t>,
            centres: PyReadonlyArray2<'py, $t>,
            frame: (PyReadonlyArray1<'py, $t>, i32),
            limits: Limits,
        ) -> PyResult<Bound<'py, PyArray1<i32>>> {
            assign(py, x, centres, frame, &limits)
        }

        /// Distance of each row of `x` from each centre.
        #[pyfunction]
        #[pyo3(signature = (x, centres, *, limits))]
        pub(crate) fn $distances<'py>(
            py: Python<'py>,
            x: PyReadonlyArray2<'py, $t>,
            centres: PyReadonlyArray2<'py, $t>,
            limits: Limits,
        ) -> PyResult<Bound<'py, PyArray2<$t>>> {
            measure(py, x, centres, &limits)
        }
    };
}

precision!(f32, fit_kmeans_f32, predict_kmeans_f32, kmeans_distances_f32);
precision!(f64, fit_kmeans_f64, predict_kmeans_f64, kmeans_distances_f64);
