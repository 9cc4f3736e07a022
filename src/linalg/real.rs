//! Kernels written once for single and double precision.

use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Neg, Sub};

use super::lanes::Lanes;
use super::simd::Arithmetic;

/// `f32` or `f64`, with what kernels need of it.
pub trait Real:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + Sum
    + Add<Output = Self>
    + Mul<Output = Self>
    + Sub<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + 'static
{
    /// Rows of a packed panel: four of the widest registers.
    const PANEL: usize;
    /// Largest relative error of one rounding.
    const ROUNDOFF: f64;
    /// Below it, numbers lose digits.
    const LEAST_NORMAL: f64;
    /// The register of an instruction set.
    type Vector<A: Arithmetic>: Lanes<Self>;
    /// One.
    const ONE: Self;
    /// Below every finite number.
    const LOWEST: Self;
    /// Above every finite number.
    const HIGHEST: Self;

    /// Rounded from double precision.
    fn rounded(value: f64) -> Self;
    /// In double precision.
    fn wide(self) -> f64;
    /// From single precision.
    fn single(value: f32) -> Self;
    /// Neither NaN nor infinite.
    fn is_finite(self) -> bool;
    /// The square root.
    #[must_use]
    fn square_root(self) -> Self;
    /// Without its sign.
    #[must_use]
    fn abs(self) -> Self;
    /// The larger of two; without a branch, which a comparison may become.
    #[must_use]
    fn larger(self, other: Self) -> Self;
    /// The nearest whole number, and the same as an integer; of numbers within its range.
    fn whole(self) -> (Self, i16);
    /// `self * b + c`.
    #[must_use]
    fn mul_add<A: Arithmetic>(self, b: Self, c: Self) -> Self;
    /// Hyperbolic tangent, without branches; see [`tanh`](super::tanh).
    #[must_use]
    fn tanh<A: Arithmetic>(self) -> Self;
}

impl Real for f32 {
    const PANEL: usize = 64;
    const ROUNDOFF: f64 = f32::EPSILON as f64 / 2.0;
    const LEAST_NORMAL: f64 = f32::MIN_POSITIVE as f64;
    type Vector<A: Arithmetic> = A::F32;
    const ONE: Self = 1.0;
    const LOWEST: Self = Self::NEG_INFINITY;
    const HIGHEST: Self = Self::INFINITY;

    #[inline(always)]
    fn rounded(value: f64) -> Self {
        value as Self
    }
    #[inline(always)]
    fn wide(self) -> f64 {
        self.into()
    }
    #[inline(always)]
    fn single(value: f32) -> Self {
        value
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        self.is_finite()
    }
    #[inline(always)]
    fn square_root(self) -> Self {
        self.sqrt()
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.abs()
    }
    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        self.max(other)
    }
    #[inline(always)]
    fn whole(self) -> (Self, i16) {
        // Adding it rounds to a whole number, which is left in the low bits.
        const ROUND: f32 = 12_582_912.0;
        let shifted = self + ROUND;
        (shifted - ROUND, shifted.to_bits() as i16)
    }
    #[inline(always)]
    fn mul_add<A: Arithmetic>(self, b: Self, c: Self) -> Self {
        A::mul_add32(self, b, c)
    }
    #[inline(always)]
    fn tanh<A: Arithmetic>(self) -> Self {
        super::tanh::single::<A>(self)
    }
}

impl Real for f64 {
    const PANEL: usize = 32;
    const ROUNDOFF: f64 = f64::EPSILON / 2.0;
    const LEAST_NORMAL: f64 = f64::MIN_POSITIVE;
    type Vector<A: Arithmetic> = A::F64;
    const ONE: Self = 1.0;
    const LOWEST: Self = Self::NEG_INFINITY;
    const HIGHEST: Self = Self::INFINITY;

    #[inline(always)]
    fn rounded(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }
    #[inline(always)]
    fn single(value: f32) -> Self {
        value.into()
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        self.is_finite()
    }
    #[inline(always)]
    fn square_root(self) -> Self {
        self.sqrt()
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.abs()
    }
    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        self.max(other)
    }
    #[inline(always)]
    fn whole(self) -> (Self, i16) {
        // Adding it rounds to a whole number, which is left in the low bits.
        const ROUND: f64 = 6_755_399_441_055_744.0;
        let shifted = self + ROUND;
        (shifted - ROUND, shifted.to_bits() as i16)
    }
    #[inline(always)]
    fn mul_add<A: Arithmetic>(self, b: Self, c: Self) -> Self {
        A::mul_add64(self, b, c)
    }
    #[inline(always)]
    fn tanh<A: Arithmetic>(self) -> Self {
        super::tanh::double::<A>(self)
    }
}
