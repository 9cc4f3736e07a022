//! Sixteen rows in two vectors of 256 bits.

#![allow(unsafe_code)] // SIMD intrinsics; called only where their features are enabled
#![allow(clippy::wildcard_imports)] // their names say where they come from

use std::arch::x86_64::*;

use super::super::ROWS;
use super::{Kernels, fetch, pair};

#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2;

impl Avx2 {
    /// As with 512 bits; `sums` are of the rows 0 2 4 6, 1 3 5 7, 8 10 12 14, 9 11 13 15.
    #[inline(always)]
    unsafe fn add(sums: &mut [__m256i; 4], parts: [__m256i; 2], block: *const u8) {
        for (side, parts) in parts.into_iter().enumerate() {
            // SAFETY: called only below `avx2`; a block begins with 32 bytes of scales.
            unsafe {
                let halves = _mm256_cvtph_ps(_mm_loadu_si128(block.add(16 * side).cast()));
                let fixed = _mm256_mul_ps(halves, _mm256_set1_ps(16_777_216.0));
                let mut scales = _mm256_cvtps_epi32(fixed);
                let over = _mm256_cmpeq_epi32(scales, _mm256_set1_epi32(i32::MIN));
                if _mm256_movemask_epi8(over) != 0 {
                    let sign = _mm256_srai_epi32::<31>(_mm256_castps_si256(fixed));
                    let edge = _mm256_xor_si256(_mm256_set1_epi32(i32::MAX), sign);
                    let edge = _mm256_sub_epi32(edge, sign);
                    scales = _mm256_blendv_epi8(scales, edge, over);
                }
                let (even, odd) = (2 * side, 2 * side + 1);
                sums[even] = _mm256_add_epi64(sums[even], _mm256_mul_epi32(parts, scales));
                let parts = _mm256_srli_epi64::<32>(parts);
                let scales = _mm256_srli_epi64::<32>(scales);
                sums[odd] = _mm256_add_epi64(sums[odd], _mm256_mul_epi32(parts, scales));
            }
        }
    }

    #[inline(always)]
    unsafe fn write(sums: [__m256i; 4], scale: f32, out: &mut [f32]) {
        let mut lanes = [[0_i64; 4]; 4];
        for (lanes, sums) in lanes.iter_mut().zip(sums) {
            // SAFETY: called only below `avx2`; the array has the vector's size.
            unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), sums) };
        }
        for (row, out) in out.iter_mut().enumerate() {
            *out = lanes[row / 8 * 2 + row % 2][row % 8 / 2] as f32 * scale;
        }
    }

    /// Eight rows of a column of binary16 or binary32 times its input.
    #[inline(always)]
    unsafe fn product<const BYTES: usize>(
        rows: &[u8],
        input: &[f32],
        column: usize,
        side: usize,
    ) -> __m256 {
        // SAFETY: called only below `avx2`, with a column there is.
        unsafe {
            let at = rows.as_ptr().add(BYTES * (ROWS * column + 8 * side));
            let weights = if BYTES == 2 {
                _mm256_cvtph_ps(_mm_loadu_si128(at.cast()))
            } else {
                _mm256_loadu_ps(at.cast())
            };
            _mm256_mul_ps(weights, _mm256_set1_ps(*input.as_ptr().add(column)))
        }
    }
}

impl Kernels for Avx2 {
    #[inline(always)]
    unsafe fn q8_0(rows: &[u8], input: &[i16], scale: f32, out: &mut [f32]) {
        // SAFETY: by the trait's contract loads stay within a block's bytes and inputs.
        unsafe {
            let mut sums = [_mm256_setzero_si256(); 4];
            for block in 0..input.len() / 32 {
                let at = rows.as_ptr().add(34 * ROWS * block);
                fetch::<{ 34 * ROWS }>(at);
                let mut parts = [_mm256_setzero_si256(); 2];
                for column in 0..16 {
                    let input = _mm256_set1_epi32(pair(input, 32 * block + 2 * column));
                    for side in 0..2 {
                        let at = at.add(2 * ROWS * (1 + column) + 16 * side);
                        let weights = _mm256_cvtepi8_epi16(_mm_loadu_si128(at.cast()));
                        let products = _mm256_madd_epi16(weights, input);
                        parts[side] = _mm256_add_epi32(parts[side], products);
                    }
                }
                Self::add(&mut sums, parts, at);
            }
            Self::write(sums, scale, out);
        }
    }

    #[inline(always)]
    unsafe fn q4_0(rows: &[u8], input: &[i16], offsets: *const i32, scale: f32, out: &mut [f32]) {
        // SAFETY: as above.
        unsafe {
            let (mask, mut sums) = (_mm256_set1_epi16(15), [_mm256_setzero_si256(); 4]);
            for block in 0..input.len() / 32 {
                let at = rows.as_ptr().add(18 * ROWS * block);
                fetch::<{ 18 * ROWS }>(at);
                let mut parts = [_mm256_set1_epi32(*offsets.add(block)); 2];
                for column in 0..4 {
                    for side in 0..2 {
                        let at = at.add(ROWS * (2 + 4 * column) + 32 * side);
                        let words = _mm256_loadu_si256(at.cast());
                        let digits = [
                            _mm256_and_si256(words, mask),
                            _mm256_and_si256(_mm256_srli_epi16::<4>(words), mask),
                            _mm256_and_si256(_mm256_srli_epi16::<8>(words), mask),
                            _mm256_srli_epi16::<12>(words),
                        ];
                        for (digit, weights) in digits.into_iter().enumerate() {
                            let at = 32 * block + 8 * column + 2 * digit;
                            let input = _mm256_set1_epi32(pair(input, at));
                            let products = _mm256_madd_epi16(weights, input);
                            parts[side] = _mm256_add_epi32(parts[side], products);
                        }
                    }
                }
                Self::add(&mut sums, parts, at);
            }
            Self::write(sums, scale, out);
        }
    }

    #[inline(always)]
    unsafe fn floats<const BYTES: usize>(rows: &[u8], input: &[f32], out: &mut [f32]) {
        // Eight rows and then the others, of bytes that are near by then.
        for side in 0..2 {
            // SAFETY: as above.
            unsafe {
                // Apart, as with 512 bits.
                let (mut lanes, whole) = ([_mm256_setzero_ps(); 8], input.len() / 8 * 8);
                for first in (0..whole).step_by(8) {
                    for lane in 0..8 {
                        let product = Self::product::<BYTES>(rows, input, first + lane, side);
                        lanes[lane] = _mm256_add_ps(lanes[lane], product);
                    }
                }
                for last in whole..input.len() {
                    let product = Self::product::<BYTES>(rows, input, last, side);
                    lanes[last - whole] = _mm256_add_ps(lanes[last - whole], product);
                }
                let [a, b, c, d, e, f, g, h] = lanes;
                let front = _mm256_add_ps(_mm256_add_ps(a, e), _mm256_add_ps(c, g));
                let back = _mm256_add_ps(_mm256_add_ps(b, f), _mm256_add_ps(d, h));
                let out = &mut out[8 * side..][..8];
                _mm256_storeu_ps(out.as_mut_ptr(), _mm256_add_ps(front, back));
            }
        }
    }
}
