//! Products of eight rows at once on 256-bit vectors.

#![allow(unsafe_code)] // SIMD intrinsics; made only after their features were found
#![allow(clippy::wildcard_imports)] // their names say where they come from

use std::arch::x86_64::*;

use holdfast_agent::engine::{Engine, Plain, Products, add_lanes};

use crate::linalg::simd::Level;

/// Eight rows at once, of which a vector holds the sums. Quantised sums are exact and
/// floating-point ones in the order of [`Products`]: the same bits as one after the other.
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

const ROWS: usize = 8;

/// Scales of one block of each row, in units of `2^-24`, saturating as the plain ones do.
#[inline(always)]
unsafe fn scales(halves: [i16; ROWS]) -> __m256i {
    // SAFETY: called only below `vectorised`; the array has the vector's size.
    unsafe {
        let halves = _mm_loadu_si128(halves.as_ptr().cast());
        let fixed = _mm256_mul_ps(_mm256_cvtph_ps(halves), _mm256_set1_ps(16_777_216.0));
        // From 128 on the conversion gives the most negative number.
        let size = _mm256_andnot_ps(_mm256_set1_ps(-0.0), fixed);
        let over = _mm256_cmp_ps::<_CMP_NLT_UQ>(size, _mm256_set1_ps(2_147_483_648.0));
        let sign = _mm256_srai_epi32::<31>(_mm256_castps_si256(fixed));
        let edge = _mm256_sub_epi32(_mm256_xor_si256(_mm256_set1_epi32(i32::MAX), sign), sign);
        _mm256_blendv_epi8(_mm256_cvtps_epi32(fixed), edge, _mm256_castps_si256(over))
    }
}

/// The sum of each vector's eight lanes, one to a lane.
#[inline(always)]
unsafe fn lane_sums(parts: [__m256i; ROWS]) -> __m256i {
    // SAFETY: called only below `vectorised`.
    unsafe {
        let [a, b, c, d, e, f, g, h] = parts;
        let front = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
        let back = _mm256_hadd_epi32(_mm256_hadd_epi32(e, f), _mm256_hadd_epi32(g, h));
        _mm256_add_epi32(
            _mm256_permute2x128_si256::<0x20>(front, back),
            _mm256_permute2x128_si256::<0x31>(front, back),
        )
    }
}

/// Sums of eight rows in 64 bits: those with even and those with odd numbers.
struct Sums {
    even: __m256i,
    odd: __m256i,
}

impl Sums {
    #[inline(always)]
    unsafe fn new() -> Self {
        // SAFETY: called only below `vectorised`.
        unsafe { Self { even: _mm256_setzero_si256(), odd: _mm256_setzero_si256() } }
    }

    /// Adds `parts * scales`.
    #[inline(always)]
    unsafe fn add(&mut self, parts: __m256i, scales: __m256i) {
        // SAFETY: called only below `vectorised`.
        unsafe {
            self.even = _mm256_add_epi64(self.even, _mm256_mul_epi32(parts, scales));
            let (parts, scales) = (_mm256_srli_epi64::<32>(parts), _mm256_srli_epi64::<32>(scales));
            self.odd = _mm256_add_epi64(self.odd, _mm256_mul_epi32(parts, scales));
        }
    }

    #[inline(always)]
    unsafe fn write(self, scale: f32, out: &mut [f32]) {
        let (mut even, mut odd) = ([0_i64; 4], [0_i64; 4]);
        // SAFETY: called only below `vectorised`; the arrays have the vectors' size.
        unsafe {
            _mm256_storeu_si256(even.as_mut_ptr().cast(), self.even);
            _mm256_storeu_si256(odd.as_mut_ptr().cast(), self.odd);
        }
        for (row, out) in out.iter_mut().enumerate() {
            *out = if row % 2 == 0 { even[row / 2] } else { odd[row / 2] } as f32 * scale;
        }
    }
}

/// Asks for the `count` bytes from `offset` on of the rows that follow `rows`: read side by
/// side, rows are too short for the processor to see where it goes.
#[inline(always)]
unsafe fn fetch(rows: &[u8], offset: usize, count: usize) {
    let mut line = 0;
    while line < count {
        let at = rows.as_ptr().wrapping_add(rows.len() + offset + line);
        // SAFETY: a prefetch may name any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
        line += 64;
    }
}

/// Both halves of 32 inputs.
#[inline(always)]
unsafe fn inputs(input: &[i16; 32]) -> (__m256i, __m256i) {
    // SAFETY: called only below `vectorised`; the loads stay within 32 values.
    unsafe {
        let first = _mm256_loadu_si256(input.as_ptr().cast());
        (first, _mm256_loadu_si256(input.as_ptr().add(16).cast()))
    }
}

/// Rows of floats, eight at once, of two bytes or of four.
#[inline(always)]
unsafe fn floats<const BYTES: usize>(rows: &[u8], input: &[f32], out: &mut [f32]) {
    let row_bytes = BYTES * input.len();
    for (rows, out) in rows.chunks_exact(ROWS * row_bytes).zip(out.chunks_exact_mut(ROWS)) {
        // SAFETY: called only below `vectorised`; every load is of eight values of a row.
        unsafe {
            let mut sums = [_mm256_setzero_ps(); ROWS];
            for (group, input) in input.as_chunks::<8>().0.iter().enumerate() {
                fetch(rows, ROWS * 8 * BYTES * group, ROWS * 8 * BYTES);
                let input = _mm256_loadu_ps(input.as_ptr());
                for row in 0..ROWS {
                    let at = rows.as_ptr().add(row * row_bytes + 8 * BYTES * group);
                    let weights = if BYTES == 2 {
                        _mm256_cvtph_ps(_mm_loadu_si128(at.cast()))
                    } else {
                        _mm256_loadu_ps(at.cast())
                    };
                    // Apart, because no other target fuses them.
                    sums[row] = _mm256_add_ps(sums[row], _mm256_mul_ps(weights, input));
                }
            }
            for (out, sum) in out.iter_mut().zip(sums) {
                let mut lanes = [0.0; 8];
                _mm256_storeu_ps(lanes.as_mut_ptr(), sum);
                *out = add_lanes(lanes);
            }
        }
    }
}

impl Products for Avx2 {
    #[inline(always)]
    fn q8_0(self, rows: &[u8], input: &[i16], scale: f32, out: &mut [f32]) {
        let row_bytes = input.len() / 32 * 34;
        let (mut groups, whole) = (out.chunks_exact_mut(ROWS), rows.chunks_exact(ROWS * row_bytes));
        let done = groups.len() * ROWS * row_bytes;
        for (out, rows) in groups.by_ref().zip(whole) {
            // SAFETY: only `vectorised` makes an `Avx2`; loads stay within a block's bytes.
            unsafe {
                let mut sums = Sums::new();
                for (at, input) in input.as_chunks::<32>().0.iter().enumerate() {
                    fetch(rows, ROWS * 34 * at, ROWS * 34);
                    let (first, last) = inputs(input);
                    let (mut parts, mut halves) = ([_mm256_setzero_si256(); ROWS], [0; ROWS]);
                    for row in 0..ROWS {
                        let block = &rows[row * row_bytes + 34 * at..][..34];
                        halves[row] = i16::from_le_bytes([block[0], block[1]]);
                        let bytes = block.as_ptr().add(2);
                        let low = _mm256_cvtepi8_epi16(_mm_loadu_si128(bytes.cast()));
                        let high = _mm256_cvtepi8_epi16(_mm_loadu_si128(bytes.add(16).cast()));
                        let low = _mm256_madd_epi16(low, first);
                        parts[row] = _mm256_add_epi32(low, _mm256_madd_epi16(high, last));
                    }
                    sums.add(lane_sums(parts), scales(halves));
                }
                sums.write(scale, out);
            }
        }
        Plain.q8_0(&rows[done..], input, scale, groups.into_remainder());
    }

    #[inline(always)]
    fn q4_0(self, rows: &[u8], input: &[i16], scale: f32, out: &mut [f32]) {
        let row_bytes = input.len() / 32 * 18;
        let (mut groups, whole) = (out.chunks_exact_mut(ROWS), rows.chunks_exact(ROWS * row_bytes));
        let done = groups.len() * ROWS * row_bytes;
        for (out, rows) in groups.by_ref().zip(whole) {
            // SAFETY: as above.
            unsafe {
                let (mask, mut sums) = (_mm256_set1_epi16(15), Sums::new());
                for (at, input) in input.as_chunks::<32>().0.iter().enumerate() {
                    fetch(rows, ROWS * 18 * at, ROWS * 18);
                    let (first, last) = inputs(input);
                    let (mut parts, mut halves) = ([_mm256_setzero_si256(); ROWS], [0; ROWS]);
                    for row in 0..ROWS {
                        let block = &rows[row * row_bytes + 18 * at..][..18];
                        halves[row] = i16::from_le_bytes([block[0], block[1]]);
                        let pairs = _mm_loadu_si128(block.as_ptr().add(2).cast());
                        let pairs = _mm256_cvtepu8_epi16(pairs);
                        let low = _mm256_madd_epi16(_mm256_and_si256(pairs, mask), first);
                        let high = _mm256_madd_epi16(_mm256_srli_epi16::<4>(pairs), last);
                        parts[row] = _mm256_add_epi32(low, high);
                    }
                    // Weights are stored with eight added.
                    let mut eight = 0;
                    for value in input {
                        eight += 8 * i32::from(*value);
                    }
                    let parts = _mm256_sub_epi32(lane_sums(parts), _mm256_set1_epi32(eight));
                    sums.add(parts, scales(halves));
                }
                sums.write(scale, out);
            }
        }
        Plain.q4_0(&rows[done..], input, scale, groups.into_remainder());
    }

    #[inline(always)]
    fn f32(self, rows: &[u8], input: &[f32], out: &mut [f32]) {
        if !input.len().is_multiple_of(8) || !out.len().is_multiple_of(ROWS) {
            return Plain.f32(rows, input, out);
        }
        // SAFETY: as above.
        unsafe { floats::<4>(rows, input, out) }
    }

    #[inline(always)]
    fn f16(self, rows: &[u8], input: &[f32], out: &mut [f32]) {
        if !input.len().is_multiple_of(8) || !out.len().is_multiple_of(ROWS) {
            return Plain.f16(rows, input, out);
        }
        // SAFETY: as above.
        unsafe { floats::<2>(rows, input, out) }
    }
}
