//! The `holdfast._core` extension module.
//!
//! This layer converts arguments, releases the GIL and maps errors. A line that
//! computes anything belongs in the domain it was taken from.

mod arguments;
mod boundary;
mod errors;
mod kmeans;
mod machine;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use super::kmeans::{
        fit_kmeans_f32, fit_kmeans_f64, kmeans_distances_f32, kmeans_distances_f64,
        predict_kmeans_f32, predict_kmeans_f64,
    };
    #[pymodule_export]
    use super::machine::{available_threads, force_simd_level, simd_level, simd_levels};
}
