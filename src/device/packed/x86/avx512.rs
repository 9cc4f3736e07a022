//! Sixteen rows in a vector of 512 bits.

#![allow(unsafe_code)] // SIMD intrinsics; called only where their features are enabled
#![allow(clippy::wildcard_imports)] // their names say where they come from

use std::arch::x86_64::*;

use super::super::ROWS;
use super::{Kernels, fetch, pair};

#[derive(Clone, Copy, Debug)]
pub(super) struct Avx512;

impl Avx512 {
    /// Adds `parts` times the scales of a block, in units of `2^-24`, to the sums of the rows
    /// with even and with odd numbers.
    #[inline(always)]
    unsafe fn add(sums: &mut [__m512i; 2], parts: __m512i, block: *const u8) {
        // SAFETY: called only below `avx512`; a block begins with 32 bytes of scales.
        unsafe {
            let halves = _mm512_cvtph_ps(_mm256_loadu_si256(block.cast()));
            let fixed = _mm512_mul_ps(halves, _mm512_set1_ps(16_777_216.0));
            let mut scales = _mm512_cvtps_epi32(fixed);
            // From 128 on the conversion gives the most negative number.
            let over = _mm512_cmpeq_epi32_mask(scales, _mm512_set1_epi32(i32::MIN));
            if over != 0 {
                let sign = _mm512_srai_epi32::<31>(_mm512_castps_si512(fixed));
                let edge = _mm512_xor_si512(_mm512_set1_epi32(i32::MAX), sign);
                scales = _mm512_mask_sub_epi32(scales, over, edge, sign);
            }
            sums[0] = _mm512_add_epi64(sums[0], _mm512_mul_epi32(parts, scales));
            let (parts, scales) = (_mm512_srli_epi64::<32>(parts), _mm512_srli_epi64::<32>(scales));
            sums[1] = _mm512_add_epi64(sums[1], _mm512_mul_epi32(parts, scales));
        }
    }

    #[inline(always)]
    unsafe fn write(sums: [__m512i; 2], scale: f32, out: &mut [f32]) {
        // SAFETY: called only below `avx512`; `out` takes sixteen.
        unsafe {
            let even = _mm512_castps256_ps512(_mm512_cvtepi64_ps(sums[0]));
            let odd = _mm512_castps256_ps512(_mm512_cvtepi64_ps(sums[1]));
            let order = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let sums = _mm512_permutex2var_ps(even, order, odd);
            let sums = _mm512_mul_ps(sums, _mm512_set1_ps(scale));
            _mm512_storeu_ps(out[..ROWS].as_mut_ptr(), sums);
        }
    }

    /// A column of binary16 or binary32 times its input.
    #[inline(always)]
    unsafe fn product<const BYTES: usize>(rows: &[u8], input: &[f32], column: usize) -> __m512 {
        // SAFETY: called only below `avx512`, with a column there is.
        unsafe {
            let at = rows.as_ptr().add(BYTES * ROWS * column);
            let weights = if BYTES == 2 {
                _mm512_cvtph_ps(_mm256_loadu_si256(at.cast()))
            } else {
                _mm512_loadu_ps(at.cast())
            };
            _mm512_mul_ps(weights, _mm512_set1_ps(*input.as_ptr().add(column)))
        }
    }
}

impl Kernels for Avx512 {
    #[inline(always)]
    unsafe fn q8_0(rows: &[u8], input: &[i16], scale: f32, out: &mut [f32]) {
        // SAFETY: by the trait's contract loads stay within a block's bytes and inputs.
        unsafe {
            let mut sums = [_mm512_setzero_si512(); 2];
            for block in 0..input.len() / 32 {
                let at = rows.as_ptr().add(34 * ROWS * block);
                fetch::<{ 34 * ROWS }>(at);
                let mut parts = [_mm512_setzero_si512(); 4];
                for column in 0..16 {
                    let weights = _mm256_loadu_si256(at.add(2 * ROWS * (1 + column)).cast());
                    let input = _mm512_set1_epi32(pair(input, 32 * block + 2 * column));
                    let weights = _mm512_cvtepi8_epi16(weights);
                    parts[column % 4] = _mm512_dpwssd_epi32(parts[column % 4], weights, input);
                }
                let [a, b, c, d] = parts;
                let parts = _mm512_add_epi32(_mm512_add_epi32(a, b), _mm512_add_epi32(c, d));
                Self::add(&mut sums, parts, at);
            }
            Self::write(sums, scale, out);
        }
    }

    #[inline(always)]
    unsafe fn q4_0(rows: &[u8], input: &[i16], offsets: *const i32, scale: f32, out: &mut [f32]) {
        // SAFETY: as above.
        unsafe {
            let (mask, mut sums) = (_mm512_set1_epi16(15), [_mm512_setzero_si512(); 2]);
            for block in 0..input.len() / 32 {
                let at = rows.as_ptr().add(18 * ROWS * block);
                fetch::<{ 18 * ROWS }>(at);
                let mut parts = [_mm512_setzero_si512(); 4];
                parts[0] = _mm512_set1_epi32(*offsets.add(block));
                for column in 0..4 {
                    let words = _mm512_loadu_si512(at.add(ROWS * (2 + 4 * column)).cast());
                    let digits = [
                        _mm512_and_si512(words, mask),
                        _mm512_and_si512(_mm512_srli_epi16::<4>(words), mask),
                        _mm512_and_si512(_mm512_srli_epi16::<8>(words), mask),
                        _mm512_srli_epi16::<12>(words),
                    ];
                    for (digit, weights) in digits.into_iter().enumerate() {
                        let at = 32 * block + 8 * column + 2 * digit;
                        let input = _mm512_set1_epi32(pair(input, at));
                        parts[digit] = _mm512_dpwssd_epi32(parts[digit], weights, input);
                    }
                }
                let [a, b, c, d] = parts;
                let parts = _mm512_add_epi32(_mm512_add_epi32(a, b), _mm512_add_epi32(c, d));
                Self::add(&mut sums, parts, at);
            }
            Self::write(sums, scale, out);
        }
    }

    #[inline(always)]
    unsafe fn floats<const BYTES: usize>(rows: &[u8], input: &[f32], out: &mut [f32]) {
        // SAFETY: as above.
        unsafe {
            // Multiplied and added apart, because no other target fuses them.
            let (mut lanes, whole) = ([_mm512_setzero_ps(); 8], input.len() / 8 * 8);
            for first in (0..whole).step_by(8) {
                fetch::<512>(rows.as_ptr().add(BYTES * ROWS * first));
                for lane in 0..8 {
                    let product = Self::product::<BYTES>(rows, input, first + lane);
                    lanes[lane] = _mm512_add_ps(lanes[lane], product);
                }
            }
            for last in whole..input.len() {
                let product = Self::product::<BYTES>(rows, input, last);
                lanes[last - whole] = _mm512_add_ps(lanes[last - whole], product);
            }
            let [a, b, c, d, e, f, g, h] = lanes;
            let front = _mm512_add_ps(_mm512_add_ps(a, e), _mm512_add_ps(c, g));
            let back = _mm512_add_ps(_mm512_add_ps(b, f), _mm512_add_ps(d, h));
            _mm512_storeu_ps(out[..ROWS].as_mut_ptr(), _mm512_add_ps(front, back));
        }
    }
}
