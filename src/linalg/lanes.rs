//! One vector register of numbers, per instruction set.
//!
//! Whether a tile of sums stays in registers decides the speed of a matrix product, and
//! LLVM does not promise it for plain arrays: the innermost loops name their vectors.

#![allow(unsafe_code)] // vector instructions and raw loads

/// A register of `N` numbers `T`.
///
/// # Safety of the whole trait
/// A type other than [`Plain`] is reachable only as an associated type of the
/// [`Arithmetic`](super::simd::Arithmetic) that [`dispatch`](super::simd::dispatch) hands
/// to a kernel after it found the instructions it needs.
pub trait Lanes<T>: Copy {
    /// Numbers in the register.
    const N: usize;
    /// All lanes `value`.
    fn splat(value: T) -> Self;
    /// Lanes from memory.
    ///
    /// # Safety
    /// `from` points at `N` readable numbers; any alignment will do.
    unsafe fn load(from: *const T) -> Self;
    /// Lanes to memory.
    ///
    /// # Safety
    /// `to` points at `N` writable numbers; any alignment will do.
    unsafe fn store(self, to: *mut T);
    /// `self * b + c`, rounded as the level does it.
    #[must_use]
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// `self + other`.
    #[must_use]
    fn add(self, other: Self) -> Self;
    /// The square root.
    #[must_use]
    fn square_root(self) -> Self;
    /// `then` where `self > other`, else `otherwise`.
    #[must_use]
    fn where_above(self, other: Self, then: Self, otherwise: Self) -> Self;
}

/// Asks for the line at `address` to be in the cache soon; an address nobody may read does
/// no harm.
#[inline(always)]
pub fn prefetch<T>(address: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which never faults; every x86-64 has it.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// 128 bits that LLVM finds by itself, multiplication and addition rounded apart.
#[derive(Clone, Copy, Debug)]
pub struct Plain<T, const N: usize>([T; N]);

macro_rules! plain {
    ($t:ty, $n:literal) => {
        impl From<[$t; $n]> for Plain<$t, $n> {
            #[inline(always)]
            fn from(numbers: [$t; $n]) -> Self {
                Self(numbers)
            }
        }

        impl Lanes<$t> for Plain<$t, $n> {
            const N: usize = $n;
            #[inline(always)]
            fn splat(value: $t) -> Self {
                Self([value; $n])
            }
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                // SAFETY: the caller's promise.
                Self(unsafe { from.cast::<[$t; $n]>().read_unaligned() })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                // SAFETY: the caller's promise.
                unsafe { to.cast::<[$t; $n]>().write_unaligned(self.0) }
            }
            #[inline(always)]
            fn mul_add(self, b: Self, mut c: Self) -> Self {
                for i in 0..$n {
                    c.0[i] += self.0[i] * b.0[i];
                }
                c
            }
            #[inline(always)]
            fn add(self, mut other: Self) -> Self {
                for i in 0..$n {
                    other.0[i] += self.0[i];
                }
                other
            }
            #[inline(always)]
            fn square_root(mut self) -> Self {
                for i in 0..$n {
                    self.0[i] = self.0[i].sqrt();
                }
                self
            }
            #[inline(always)]
            fn where_above(self, other: Self, then: Self, mut otherwise: Self) -> Self {
                for i in 0..$n {
                    otherwise.0[i] =
                        if self.0[i] > other.0[i] { then.0[i] } else { otherwise.0[i] };
                }
                otherwise
            }
        }
    };
}

plain!(f32, 4);
plain!(f64, 2);

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    #![allow(clippy::wildcard_imports)] // intrinsics: their names say where they come from
    use std::arch::x86_64::*;

    use super::Lanes;

    /// Has `$register` hold `$n` lanes; `$above(a, b, then, otherwise)` selects.
    macro_rules! lanes {
        ($name:ident, $t:ty, $register:ty, $n:literal, $splat:ident, $load:ident, $store:ident,
         $fma:ident, $add:ident, $sqrt:ident, |$a:ident, $b:ident, $then:ident, $else:ident| $above:expr) => {
            #[derive(Clone, Copy, Debug)]
            #[repr(transparent)]
            pub(in crate::linalg) struct $name($register);

            impl From<$register> for $name {
                #[inline(always)]
                fn from(register: $register) -> Self {
                    Self(register)
                }
            }

            impl Lanes<$t> for $name {
                const N: usize = $n;
                #[inline(always)]
                fn splat(value: $t) -> Self {
                    // SAFETY: the trait's.
                    Self(unsafe { $splat(value) })
                }
                #[inline(always)]
                unsafe fn load(from: *const $t) -> Self {
                    // SAFETY: the trait's, and the caller's promise.
                    Self(unsafe { $load(from) })
                }
                #[inline(always)]
                unsafe fn store(self, to: *mut $t) {
                    // SAFETY: the trait's, and the caller's promise.
                    unsafe { $store(to, self.0) }
                }
                #[inline(always)]
                fn mul_add(self, b: Self, c: Self) -> Self {
                    // SAFETY: the trait's.
                    Self(unsafe { $fma(self.0, b.0, c.0) })
                }
                #[inline(always)]
                fn add(self, other: Self) -> Self {
                    // SAFETY: the trait's.
                    Self(unsafe { $add(self.0, other.0) })
                }
                #[inline(always)]
                fn square_root(self) -> Self {
                    // SAFETY: the trait's.
                    Self(unsafe { $sqrt(self.0) })
                }
                #[inline(always)]
                fn where_above(self, other: Self, then: Self, otherwise: Self) -> Self {
                    let ($a, $b, $then, $else) = (self.0, other.0, then.0, otherwise.0);
                    // SAFETY: the trait's.
                    Self(unsafe { $above })
                }
            }
        };
    }

    lanes!(
        F32x8,
        f32,
        __m256,
        8,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_fmadd_ps,
        _mm256_add_ps,
        _mm256_sqrt_ps,
        |a, b, then, otherwise| _mm256_blendv_ps(
            otherwise,
            then,
            _mm256_cmp_ps::<_CMP_GT_OQ>(a, b)
        )
    );
    lanes!(
        F64x4,
        f64,
        __m256d,
        4,
        _mm256_set1_pd,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_fmadd_pd,
        _mm256_add_pd,
        _mm256_sqrt_pd,
        |a, b, then, otherwise| _mm256_blendv_pd(
            otherwise,
            then,
            _mm256_cmp_pd::<_CMP_GT_OQ>(a, b)
        )
    );
    lanes!(
        F32x16,
        f32,
        __m512,
        16,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_fmadd_ps,
        _mm512_add_ps,
        _mm512_sqrt_ps,
        |a, b, then, otherwise| {
            _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b), otherwise, then)
        }
    );
    lanes!(
        F64x8,
        f64,
        __m512d,
        8,
        _mm512_set1_pd,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_fmadd_pd,
        _mm512_add_pd,
        _mm512_sqrt_pd,
        |a, b, then, otherwise| {
            _mm512_mask_blend_pd(_mm512_cmp_pd_mask::<_CMP_GT_OQ>(a, b), otherwise, then)
        }
    );
}
