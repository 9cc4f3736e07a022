//! What several kernels share.

pub mod nearest;
pub mod principal;
pub mod real;
pub mod simd;
pub mod spectral;
pub mod tanh;
