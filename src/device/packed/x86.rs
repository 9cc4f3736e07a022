//! Products of packed rows on vectors of 256 and 512 bits. Quantised sums are exact and
//! floating-point ones in the order of [`Products`]: the same bits on both, and as elsewhere.

#![allow(unsafe_code)] // SIMD intrinsics; made only after their features were found
#![allow(clippy::wildcard_imports)] // their names say where they come from

use std::arch::x86_64::*;
use std::iter::Zip;
use std::mem::MaybeUninit;
use std::slice::{ChunksExact, ChunksExactMut};

use holdfast_agent::engine::{Plain, Products};
use holdfast_agent::gguf::ElementType;

use super::{ROWS, Work, unpack_row};
use crate::linalg::simd::Level;

/// Whether this machine has what [`avx2`] takes.
pub(super) fn avx2_available() -> bool {
    Level::Avx2.available() && is_x86_feature_detected!("f16c")
}

/// Does `work` with vectors of 256 bits.
pub(super) fn avx2(work: impl Work) {
    #[target_feature(enable = "avx2,f16c")]
    fn run(work: impl Work) {
        work.run(Vectors::<Avx2>(Avx2));
    }
    assert!(avx2_available(), "this machine has no AVX2 or F16C");
    // SAFETY: the features were found in the line above.
    unsafe { run(work) }
}

/// Does `work` with vectors of 512 bits.
pub(super) fn avx512(work: impl Work) {
    #[target_feature(enable = "avx2,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn run(work: impl Work) {
        work.run(Vectors::<Avx512>(Avx512));
    }
    assert!(Level::Avx512.available(), "this machine has no AVX-512 or VNNI");
    // SAFETY: the features were found in the line above.
    unsafe { run(work) }
}

/// Products of sixteen packed rows.
///
/// Its methods may be called only where the instruction set's features are enabled; `rows`
/// are sixteen rows of as many columns as `input` has values, `out` takes sixteen.
trait Kernels: Copy {
    /// Blocks of `Q8_0`.
    unsafe fn q8_0(rows: &[u8], input: &[i16], scale: f32, out: &mut [f32]);
    /// Blocks of `Q4_0`; `offsets[b]` is what storing weights with eight added adds to a sum
    /// over block `b`, negated.
    unsafe fn q4_0(rows: &[u8], input: &[i16], offsets: *const i32, scale: f32, out: &mut [f32]);
    /// Numbers of `BYTES` bytes: binary16 or binary32.
    unsafe fn floats<const BYTES: usize>(rows: &[u8], input: &[f32], out: &mut [f32]);
}

/// Rows of blocks have at most as many as the widest layer an engine takes.
const MOST_BLOCKS: usize = 65_536 / 32;

/// How far ahead of its use memory is asked for: rows come at its speed, and the processor
/// foresees no further than the page.
const AHEAD: usize = 4096;

#[inline(always)]
unsafe fn fetch<const BYTES: usize>(at: *const u8) {
    let mut line = 0;
    while line < BYTES {
        // SAFETY: a prefetch may name any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.wrapping_add(AHEAD + line).cast()) };
        line += 64;
    }
}

/// Two neighbouring inputs.
#[inline(always)]
unsafe fn pair(input: &[i16], at: usize) -> i32 {
    debug_assert!(at + 2 <= input.len());
    // SAFETY: the caller's `at` lies within the columns.
    unsafe { input.as_ptr().add(at).cast::<i32>().read_unaligned() }
}

#[derive(Clone, Copy, Debug)]
struct Avx512;

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

#[derive(Clone, Copy, Debug)]
struct Avx2;

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

/// Products by the kernels of an instruction set; [`avx2`] and [`avx512`] alone make one.
#[derive(Clone, Copy, Debug)]
struct Vectors<K>(K);

/// The sixteens of rows and of what they give, and the rest of both.
type Groups<'a, 'b> = (Zip<ChunksExact<'a, u8>, ChunksExactMut<'b, f32>>, &'a [u8], &'b mut [f32]);

#[inline(always)]
fn groups<'a, 'b>(rows: &'a [u8], row_bytes: usize, out: &'b mut [f32]) -> Groups<'a, 'b> {
    let whole = out.len() / ROWS * ROWS;
    let (rows, last_rows) = rows.split_at(whole * row_bytes);
    let (out, last_out) = out.split_at_mut(whole);
    let groups = rows.chunks_exact(ROWS * row_bytes).zip(out.chunks_exact_mut(ROWS));
    (groups, last_rows, last_out)
}

impl<K: Kernels> Products for Vectors<K> {
    #[inline(always)]
    fn row(self, element: ElementType, rows: &[u8], row: usize, out: &mut [f32]) {
        unpack_row(element, rows, row, out);
    }

    #[inline(always)]
    fn q8_0(self, rows: &[u8], input: &[i16], scale: f32, out: &mut [f32]) {
        let (groups, last_rows, last_out) = groups(rows, input.len() / 32 * 34, out);
        for (rows, out) in groups {
            // SAFETY: a `Vectors` exists only where its features are enabled.
            unsafe { K::q8_0(rows, input, scale, out) }
        }
        Plain.q8_0(last_rows, input, scale, last_out);
    }

    #[inline(always)]
    fn q4_0(self, rows: &[u8], input: &[i16], scale: f32, out: &mut [f32]) {
        let mut offsets = [const { MaybeUninit::<i32>::uninit() }; MOST_BLOCKS];
        let (blocks, _) = input.as_chunks::<32>();
        for (offset, block) in offsets[..blocks.len()].iter_mut().zip(blocks) {
            offset.write(-8 * block.iter().map(|value| i32::from(*value)).sum::<i32>());
        }
        let (groups, last_rows, last_out) = groups(rows, input.len() / 32 * 18, out);
        for (rows, out) in groups {
            // SAFETY: as above; there is an offset for each block.
            unsafe { K::q4_0(rows, input, offsets.as_ptr().cast(), scale, out) }
        }
        Plain.q4_0(last_rows, input, scale, last_out);
    }

    #[inline(always)]
    fn f32(self, rows: &[u8], input: &[f32], out: &mut [f32]) {
        let (groups, last_rows, last_out) = groups(rows, 4 * input.len(), out);
        for (rows, out) in groups {
            // SAFETY: as above.
            unsafe { K::floats::<4>(rows, input, out) }
        }
        Plain.f32(last_rows, input, last_out);
    }

    #[inline(always)]
    fn f16(self, rows: &[u8], input: &[f32], out: &mut [f32]) {
        let (groups, last_rows, last_out) = groups(rows, 2 * input.len(), out);
        for (rows, out) in groups {
            // SAFETY: as above.
            unsafe { K::floats::<2>(rows, input, out) }
        }
        Plain.f16(last_rows, input, last_out);
    }
}
