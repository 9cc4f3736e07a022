//! Products of packed rows on vectors of 256 and 512 bits. Quantised sums are exact and
//! floating-point ones in the order of [`Products`]: the same bits on both, and as elsewhere.

#![allow(unsafe_code)] // SIMD intrinsics; made only after their features were found

mod avx2;
mod avx512;

use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
use std::iter::Zip;
use std::mem::MaybeUninit;
use std::slice::{ChunksExact, ChunksExactMut};

use holdfast_agent::engine::{Plain, Products};
use holdfast_agent::gguf::ElementType;

use avx2::Avx2;
use avx512::Avx512;

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

pub(super) fn avx512_available() -> bool {
    Level::Avx512.available() && avx2_available()
}

/// Does `work` with vectors of 512 bits.
pub(super) fn avx512(work: impl Work) {
    #[target_feature(enable = "avx2,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn run(work: impl Work) {
        work.run(Vectors::<Avx512>(Avx512));
    }
    assert!(avx512_available(), "this machine has no AVX-512, VNNI or F16C");
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
