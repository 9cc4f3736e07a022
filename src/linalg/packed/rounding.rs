//! Rows of numbers as whole numbers, with what rounding took from each.

use super::quantised::LANES;
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel};

/// Length rows and the longest centre are scaled to before they are rounded, unless a number
/// would leave 16 bits: by Cauchy and Schwarz no product leaves 32.
pub(super) const LENGTH: f64 = 45_000.0;
/// Largest number after rounding.
const LARGEST: f64 = 32_766.0;

/// What a vector is multiplied with, given its length and its largest number. A vector
/// without a length gets zero; its slack is NaN then, and nothing decides it.
#[inline(always)]
pub(super) fn scale(length: f64, largest: f64) -> f64 {
    if length > 0.0 { (LENGTH / length).min(LARGEST / largest) } else { 0.0 }
}

/// Rows and pairs transposed at a time.
const BLOCK: usize = 16;

/// One panel.
pub(super) struct Quantise<'a, T> {
    pub rows: &'a [T],
    pub shift: &'a [T],
    pub squares: &'a mut [T],
    pub pairs: &'a mut [[i16; 2]],
    pub scales: &'a mut [f32],
    pub residuals: &'a mut [f32],
}

impl<T: Real> Kernel for Quantise<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let Self { rows, shift, squares, pairs, scales, residuals } = self;
        let dim = shift.len();
        let half = dim.div_ceil(2);
        let mut block = vec![[0; 2]; BLOCK * half];
        for (group, rows) in rows.chunks(BLOCK * dim).enumerate() {
            let lane = group * BLOCK;
            let count = rows.len() / dim;
            for (l, row) in rows.chunks_exact(dim).enumerate() {
                let (square, largest) = extent(row, shift);
                squares[lane + l] = square;
                // A sum of squares too small for its type says nothing about the length.
                let told = square.wide() > T::LEAST_NORMAL * dim as f64 / T::ROUNDOFF;
                let length = if told { square.wide().sqrt() } else { 0.0 };
                let scale = T::rounded(scale(length, largest.wide()));
                let out = block[l * half..(l + 1) * half].as_flattened_mut();
                let lost = quantise(row, shift, scale, &mut out[..dim]);
                scales[lane + l] = scale.wide() as f32;
                // Scaling rounds too, by less than 0.006 per number.
                let residual = 1.01 * lost.wide().sqrt() + 0.006 * (dim as f64).sqrt();
                residuals[lane + l] = residual as f32;
            }
            for first in (0..half).step_by(BLOCK) {
                let last = (first + BLOCK).min(half);
                for p in first..last {
                    let out = &mut pairs[p * LANES + lane..][..BLOCK];
                    for l in 0..count {
                        out[l] = block[l * half + p];
                    }
                }
            }
        }
    }
}

/// Squared length of `row - shift`, and its largest number.
#[inline(always)]
fn extent<T: Real>(row: &[T], shift: &[T]) -> (T, T) {
    const WIDTH: usize = 16;
    let (rows, row) = row.as_chunks::<WIDTH>();
    let (shifts, shift) = shift.as_chunks::<WIDTH>();
    let (mut sums, mut most) = ([T::default(); WIDTH], [T::default(); WIDTH]);
    for (row, shift) in rows.iter().zip(shifts) {
        for l in 0..WIDTH {
            let difference = row[l] - shift[l];
            sums[l] += difference * difference;
            most[l] = most[l].larger(difference.abs());
        }
    }
    for ((x, shift), (sum, most)) in row.iter().zip(shift).zip(sums.iter_mut().zip(&mut most)) {
        let difference = *x - *shift;
        *sum += difference * difference;
        *most = most.larger(difference.abs());
    }
    (sums.into_iter().sum(), most.into_iter().fold(T::default(), T::larger))
}

/// Writes `(row - shift) * scale` rounded; the sum of the squares of what rounding took.
#[inline(always)]
fn quantise<T: Real>(row: &[T], shift: &[T], scale: T, out: &mut [i16]) -> T {
    const WIDTH: usize = 16;
    let (rows, row) = row.as_chunks::<WIDTH>();
    let (shifts, shift) = shift.as_chunks::<WIDTH>();
    let (outs, out) = out.as_chunks_mut::<WIDTH>();
    let mut sums = [T::default(); WIDTH];
    // Arrays of a known size, one operation a loop: or the compiler works number by number.
    for ((row, shift), out) in rows.iter().zip(shifts).zip(outs) {
        let mut scaled = [T::default(); WIDTH];
        let mut whole = [T::default(); WIDTH];
        for l in 0..WIDTH {
            scaled[l] = (row[l] - shift[l]) * scale;
        }
        for l in 0..WIDTH {
            whole[l] = scaled[l].whole().0;
        }
        for l in 0..WIDTH {
            out[l] = scaled[l].whole().1;
        }
        for l in 0..WIDTH {
            let rest = scaled[l] - whole[l];
            sums[l] += rest * rest;
        }
    }
    for (((x, shift), out), sum) in row.iter().zip(shift).zip(out).zip(&mut sums) {
        let scaled = (*x - *shift) * scale;
        let (whole, number) = scaled.whole();
        *out = number;
        *sum += (scaled - whole) * (scaled - whole);
    }
    sums.into_iter().sum()
}
