//! What several kernels share.

pub mod lanes;
pub mod packed;
pub mod real;
pub mod simd;
