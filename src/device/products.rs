//! Products with quantised weights on 256-bit vectors.

#![allow(unsafe_code)] // SIMD intrinsics; made only after their features were found
#![allow(clippy::wildcard_imports)] // their names say where they come from

use std::arch::x86_64::*;

use holdfast_agent::engine::{Engine, Products};

use crate::linalg::simd::Level;

/// Sixteen products an instruction. Exact sums, so the same bits as one after the other.
#[derive(Clone, Copy, Debug)]
struct Avx2;

/// Whether this machine may use [`forward`] now.
pub(super) fn available() -> bool {
    Level::current() >= Level::Avx2 && is_x86_feature_detected!("f16c")
}

/// [`Engine::forward`] with 256-bit vectors.
///
/// # Panics
/// If the machine lacks them.
pub(super) fn forward(
    engine: &Engine,
    model: &[u8],
    arena: &mut [u32],
    token: u32,
    position: usize,
    logits: bool,
) {
    assert!(available(), "this machine has no AVX2 or F16C");
    // SAFETY: the features were found in the line above.
    unsafe { vectorised(engine, model, arena, token, position, logits) }
}

#[target_feature(enable = "avx2,f16c")]
fn vectorised(
    engine: &Engine,
    model: &[u8],
    arena: &mut [u32],
    token: u32,
    position: usize,
    logits: bool,
) {
    engine.forward(Avx2, model, arena, token, position, logits);
}

/// A scale in units of `2^-24`, saturating as the plain one does.
#[inline(always)]
unsafe fn scale(bytes: [u8; 2]) -> __m256i {
    // SAFETY: called only below `vectorised`.
    unsafe {
        let half = _mm_cvtsi32_si128(i32::from(u16::from_le_bytes(bytes)));
        let fixed = _mm_mul_ss(_mm_cvtph_ps(half), _mm_set_ss(16_777_216.0));
        // Beyond 128 the conversion gives the most negative number.
        let edge = _mm_set_ss(2_147_483_647.0);
        let size = _mm_andnot_ps(_mm_set_ss(-0.0), fixed);
        let integer = if _mm_comilt_ss(size, edge) == 0 {
            if _mm_comilt_ss(fixed, _mm_setzero_ps()) == 0 { i32::MAX } else { -i32::MAX }
        } else {
            _mm_cvtss_si32(fixed)
        };
        _mm256_set1_epi32(integer)
    }
}

/// Adds `part * scale` to the sums of four lanes.
#[inline(always)]
unsafe fn accumulate(sum: __m256i, part: __m256i, scale: __m256i) -> __m256i {
    // SAFETY: called only below `vectorised`.
    unsafe {
        let even = _mm256_mul_epi32(part, scale);
        let odd = _mm256_mul_epi32(_mm256_srli_epi64::<32>(part), scale);
        _mm256_add_epi64(sum, _mm256_add_epi64(even, odd))
    }
}

#[inline(always)]
unsafe fn total(sum: __m256i) -> i64 {
    // SAFETY: called only below `vectorised`; the array has the vector's size.
    unsafe {
        let mut lanes = [0_i64; 4];
        _mm256_storeu_si256(lanes.as_mut_ptr().cast(), sum);
        lanes.iter().sum()
    }
}

/// The first sixteen and the last sixteen weights of a block times their inputs.
#[inline(always)]
unsafe fn part(low: __m256i, high: __m256i, input: &[i16; 32]) -> __m256i {
    // SAFETY: called only below `vectorised`; the loads stay within 32 values.
    unsafe {
        let first = _mm256_loadu_si256(input.as_ptr().cast());
        let last = _mm256_loadu_si256(input.as_ptr().add(16).cast());
        _mm256_add_epi32(_mm256_madd_epi16(low, first), _mm256_madd_epi16(high, last))
    }
}

impl Products for Avx2 {
    #[inline(always)]
    fn q8_0(self, row: &[u8], input: &[i16]) -> i64 {
        let blocks = row.as_chunks::<34>().0.iter().zip(input.as_chunks::<32>().0);
        // SAFETY: only `vectorised` makes an `Avx2`; loads stay within a block's bytes.
        unsafe {
            let mut sum = _mm256_setzero_si256();
            for (block, input) in blocks {
                let bytes = block.as_ptr().add(2);
                let low = _mm256_cvtepi8_epi16(_mm_loadu_si128(bytes.cast()));
                let high = _mm256_cvtepi8_epi16(_mm_loadu_si128(bytes.add(16).cast()));
                sum = accumulate(sum, part(low, high, input), scale([block[0], block[1]]));
            }
            total(sum)
        }
    }

    #[inline(always)]
    fn q4_0(self, row: &[u8], input: &[i16]) -> i64 {
        let blocks = row.as_chunks::<18>().0.iter().zip(input.as_chunks::<32>().0);
        // SAFETY: as above.
        unsafe {
            let (mask, eight) = (_mm_set1_epi8(15), _mm_set1_epi8(8));
            let mut sum = _mm256_setzero_si256();
            for (block, input) in blocks {
                let pairs = _mm_loadu_si128(block.as_ptr().add(2).cast());
                let low = _mm_sub_epi8(_mm_and_si128(pairs, mask), eight);
                let high = _mm_and_si128(_mm_srli_epi16::<4>(pairs), mask);
                let high = _mm256_cvtepi8_epi16(_mm_sub_epi8(high, eight));
                let part = part(_mm256_cvtepi8_epi16(low), high, input);
                sum = accumulate(sum, part, scale([block[0], block[1]]));
            }
            total(sum)
        }
    }
}
