//! What several kernels share.

pub mod real;
pub mod simd;
pub mod spectral;
pub mod tanh;
