//! One kernel source, compiled per instruction set, chosen when it runs.
//!
//! A wheel is built for the plain baseline of its platform; the speed comes from here.
//! A kernel is a plain loop over fixed-size arrays, written once, generic over
//! [`Arithmetic`] and marked `#[inline(always)]`, so that it is compiled again inside a
//! function that may use the wider registers.

#![allow(unsafe_code)] // calls of `target_feature` functions, after detection

use std::sync::atomic::{AtomicU8, Ordering};

use super::lanes::{Lanes, Plain};
use super::pairs::{Pairs, PlainPairs};

/// An instruction set a kernel can run on.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Level {
    /// The platform's baseline, multiplication and addition rounded apart.
    Portable = 1,
    /// 256-bit vectors with fused multiply-add (x86-64-v3).
    Avx2 = 2,
    /// 512-bit vectors with fused multiply-add (x86-64-v4).
    Avx512 = 3,
}

static FORCED: AtomicU8 = AtomicU8::new(0);

impl Level {
    /// All levels, slowest first.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// Whether this machine can run it.
    pub fn available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                Self::Avx2.available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512vnni")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// The level kernels run on: the forced one, else the best available.
    pub fn current() -> Self {
        match FORCED.load(Ordering::Relaxed) {
            1 => Self::Portable,
            2 => Self::Avx2,
            3 => Self::Avx512,
            _ => Self::best(),
        }
    }

    /// Make every kernel of this process run on `level` (`None`: the best again).
    /// A level this machine lacks is refused with `false`.
    pub fn force(level: Option<Self>) -> bool {
        if level.is_some_and(|level| !level.available()) {
            return false;
        }
        FORCED.store(level.map_or(0, |level| level as u8), Ordering::Relaxed);
        true
    }

    fn best() -> Self {
        Self::ALL.into_iter().rev().find(|level| level.available()).unwrap_or(Self::Portable)
    }
}

/// How a level multiplies and adds. Without hardware support a fused multiply-add is a
/// library call, forty times slower than the two instructions, hence the choice.
pub trait Arithmetic: Copy {
    /// A register of `f32`.
    type F32: Lanes<f32>;
    /// A register of `f64`.
    type F64: Lanes<f64>;
    /// A register of pairs of 16-bit numbers.
    type I32: Pairs<Self::F32>;
    /// Registers a tile may be wide, beside six high: 32 registers hold four, 16 hold two.
    const TILE_VECTORS: usize;

    /// `a * b + c`.
    fn mul_add32(a: f32, b: f32, c: f32) -> f32;
    /// `a * b + c`.
    fn mul_add64(a: f64, b: f64, c: f64) -> f64;
}

/// Multiplication and addition rounded apart.
#[derive(Clone, Copy, Debug)]
pub struct Separate;

impl Arithmetic for Separate {
    type F32 = Plain<f32, 4>;
    type F64 = Plain<f64, 2>;
    type I32 = PlainPairs;
    const TILE_VECTORS: usize = 2;

    #[inline(always)]
    fn mul_add32(a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }
    #[inline(always)]
    fn mul_add64(a: f64, b: f64, c: f64) -> f64 {
        a * b + c
    }
}

/// A kernel with its arguments, ready to run.
pub trait Kernel {
    /// What it returns.
    type Output;
    /// The work. Implementations are `#[inline(always)]`, all the way down.
    fn run<A: Arithmetic>(self) -> Self::Output;
}

/// Runs `kernel` compiled for `level`.
///
/// # Panics
/// If this machine lacks `level`.
pub fn dispatch<K: Kernel>(level: Level, kernel: K) -> K::Output {
    assert!(level.available(), "this machine has no {level:?}");
    match level {
        Level::Portable => kernel.run::<Separate>(),
        // SAFETY: `available` has just found every feature the function enables.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { x86::avx2(kernel) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { x86::avx512(kernel) },
        #[cfg(not(target_arch = "x86_64"))]
        Level::Avx2 | Level::Avx512 => kernel.run::<Separate>(),
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::lanes::x86::{F32x8, F32x16, F64x4, F64x8};
    use super::super::pairs::x86::{I32x8, I32x16};
    use super::{Arithmetic, Kernel};

    // Private: only the two functions below, called after detection, hand these out.
    macro_rules! fused {
        ($name:ident, $f32:ty, $f64:ty, $i32:ty, $vectors:literal) => {
            #[derive(Clone, Copy)]
            struct $name;

            impl Arithmetic for $name {
                type F32 = $f32;
                type F64 = $f64;
                type I32 = $i32;
                const TILE_VECTORS: usize = $vectors;

                #[inline(always)]
                fn mul_add32(a: f32, b: f32, c: f32) -> f32 {
                    a.mul_add(b, c)
                }
                #[inline(always)]
                fn mul_add64(a: f64, b: f64, c: f64) -> f64 {
                    a.mul_add(b, c)
                }
            }
        };
    }

    fused!(Fused256, F32x8, F64x4, I32x8, 2);
    fused!(Fused512, F32x16, F64x8, I32x16, 4);

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn avx2<K: Kernel>(kernel: K) -> K::Output {
        kernel.run::<Fused256>()
    }

    #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub(super) fn avx512<K: Kernel>(kernel: K) -> K::Output {
        kernel.run::<Fused512>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Dot<'a>(&'a [f32], &'a [f32]);

    impl Kernel for Dot<'_> {
        type Output = f32;
        #[inline(always)]
        fn run<A: Arithmetic>(self) -> f32 {
            self.0.iter().zip(self.1).fold(0.0, |sum, (a, b)| A::mul_add32(*a, *b, sum))
        }
    }

    #[test]
    fn every_available_level_computes_the_same_up_to_rounding() {
        let a: Vec<f32> = (0..100_u8).map(f32::from).collect();
        for level in Level::ALL.into_iter().filter(|level| level.available()) {
            let dot = dispatch(level, Dot(&a, &a));
            assert!((dot - 328_350.0).abs() < 1.0, "{level:?}: {dot}");
        }
    }
}
