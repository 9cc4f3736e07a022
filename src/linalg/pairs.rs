//! One vector register of 16-bit numbers in pairs, per instruction set.
//!
//! Products of such numbers are summed exactly, twice as many at a time as in single
//! precision.

#![allow(unsafe_code)] // vector instructions and raw loads

use super::lanes::Plain;

/// A register of `N` pairs of 16-bit numbers, or of as many 32-bit sums of their products;
/// `F` is the register of as many `f32`.
///
/// # Safety of the whole trait
/// As of [`Lanes`](super::lanes::Lanes).
pub trait Pairs<F>: Copy {
    /// Pairs in the register.
    const N: usize;
    /// Every lane `pair`.
    fn splat(pair: [i16; 2]) -> Self;
    /// Lanes from memory.
    ///
    /// # Safety
    /// `from` points at `N` readable pairs; any alignment will do.
    unsafe fn load(from: *const [i16; 2]) -> Self;
    /// `self + a[0] * b[0] + a[1] * b[1]`, where `self` holds sums. Wraps around.
    #[must_use]
    fn add_products(self, a: Self, b: Self) -> Self;
    /// Sums, rounded.
    fn to_f32(self) -> F;
}

/// 128 bits without vector instructions of their own.
#[derive(Clone, Copy, Debug)]
pub struct PlainPairs([i32; 4]);

fn halves(pair: i32) -> [i32; 2] {
    [i32::from(pair as i16), pair >> 16]
}

impl Pairs<Plain<f32, 4>> for PlainPairs {
    const N: usize = 4;
    #[inline(always)]
    fn splat([low, high]: [i16; 2]) -> Self {
        Self([i32::from(high) << 16 | i32::from(low as u16); 4])
    }
    #[inline(always)]
    unsafe fn load(from: *const [i16; 2]) -> Self {
        // SAFETY: the caller's promise.
        let pairs = unsafe { from.cast::<[[i16; 2]; 4]>().read_unaligned() };
        Self(pairs.map(|[low, high]| i32::from(high) << 16 | i32::from(low as u16)))
    }
    #[inline(always)]
    fn add_products(mut self, a: Self, b: Self) -> Self {
        for l in 0..4 {
            let ([a, c], [b, d]) = (halves(a.0[l]), halves(b.0[l]));
            self.0[l] = self.0[l].wrapping_add(a * b).wrapping_add(c * d);
        }
        self
    }
    #[inline(always)]
    fn to_f32(self) -> Plain<f32, 4> {
        Plain::from(self.0.map(|sum| sum as f32))
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    #![allow(clippy::wildcard_imports)] // intrinsics, by the dozen
    use std::arch::x86_64::*;

    use super::super::lanes::x86::{F32x8, F32x16};
    use super::Pairs;

    macro_rules! pairs {
        ($name:ident, $f32:ty, $register:ty, $n:literal, $splat:ident, $load:ident,
         $convert:ident, |$sums:ident, $a:ident, $b:ident| $added:expr) => {
            #[derive(Clone, Copy, Debug)]
            #[repr(transparent)]
            pub(in crate::linalg) struct $name($register);

            impl Pairs<$f32> for $name {
                const N: usize = $n;
                #[inline(always)]
                fn splat([low, high]: [i16; 2]) -> Self {
                    let pair = i32::from(high) << 16 | i32::from(low as u16);
                    // SAFETY: the trait's.
                    Self(unsafe { $splat(pair) })
                }
                #[inline(always)]
                unsafe fn load(from: *const [i16; 2]) -> Self {
                    // SAFETY: the trait's, and the caller's promise.
                    Self(unsafe { $load(from.cast()) })
                }
                #[inline(always)]
                fn add_products(self, a: Self, b: Self) -> Self {
                    let ($sums, $a, $b) = (self.0, a.0, b.0);
                    // SAFETY: the trait's.
                    Self(unsafe { $added })
                }
                #[inline(always)]
                fn to_f32(self) -> $f32 {
                    // SAFETY: the trait's.
                    <$f32>::from(unsafe { $convert(self.0) })
                }
            }
        };
    }

    pairs!(
        I32x8,
        F32x8,
        __m256i,
        8,
        _mm256_set1_epi32,
        _mm256_loadu_si256,
        _mm256_cvtepi32_ps,
        |sums, a, b| _mm256_add_epi32(sums, _mm256_madd_epi16(a, b))
    );
    pairs!(
        I32x16,
        F32x16,
        __m512i,
        16,
        _mm512_set1_epi32,
        _mm512_loadu_si512,
        _mm512_cvtepi32_ps,
        |sums, a, b| _mm512_dpwssd_epi32(sums, a, b)
    );
}
