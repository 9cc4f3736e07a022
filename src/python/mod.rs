//! The `holdfast._core` extension module.
//!
//! This layer converts arguments, releases the GIL and maps errors. A line that
//! computes anything belongs in the domain it was taken from.

mod arguments;
mod boundary;
mod errors;
mod machine;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use super::machine::{available_threads, force_simd_level, simd_level, simd_levels};
}
