//! What several kernels share.

pub mod exp;
pub mod lanes;
pub mod packed;
pub mod pairs;
pub mod principal;
pub mod real;
pub mod simd;
pub mod spectral;
pub mod tanh;
