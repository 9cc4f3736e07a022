//! What several kernels share.

pub mod simd;
