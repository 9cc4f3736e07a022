//! The two kinds of numbers kernels compute with.

use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Neg, Sub};

use super::lanes::Lanes;
use super::simd::Arithmetic;

/// `f32` or `f64`.
pub trait Real:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + Sum
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + 'static
{
    /// Rows of a packed panel: four of the widest registers.
    const PANEL: usize;
    /// Largest relative error of one rounding.
    const ROUNDOFF: f64;
    /// Above all numbers.
    const INFINITY: Self;
    /// The register of an instruction set.
    type Vector<A: Arithmetic>: Lanes<Self>;

    /// The nearest number.
    fn from_f64(value: f64) -> Self;
    /// The same number.
    fn to_f64(self) -> f64;
    /// The square root.
    #[must_use]
    fn square_root(self) -> Self;
}

impl Real for f32 {
    const PANEL: usize = 64;
    const ROUNDOFF: f64 = f32::EPSILON as f64 / 2.0;
    const INFINITY: Self = f32::INFINITY;
    type Vector<A: Arithmetic> = A::F32;

    fn from_f64(value: f64) -> Self {
        value as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn square_root(self) -> Self {
        self.sqrt()
    }
}

impl Real for f64 {
    const PANEL: usize = 32;
    const ROUNDOFF: f64 = f64::EPSILON / 2.0;
    const INFINITY: Self = f64::INFINITY;
    type Vector<A: Arithmetic> = A::F64;

    fn from_f64(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn square_root(self) -> Self {
        self.sqrt()
    }
}
