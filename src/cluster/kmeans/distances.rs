//! Distances by differences: slower than by products, exact near zero.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::frame::{exponent, times_power};
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::task::{Stopped, Task};

/// `|row - shift - centre|^2`, summed in sixteen lanes.
#[inline(always)]
pub(super) fn squared_distance<T: Real>(row: &[T], shift: &[T], centre: &[T]) -> T {
    const LANES: usize = 16;
    let (rows, row) = row.as_chunks::<LANES>();
    let (shifts, shift) = shift.as_chunks::<LANES>();
    let (centres, centre) = centre.as_chunks::<LANES>();
    let mut sums = [T::default(); LANES];
    for ((row, shift), centre) in rows.iter().zip(shifts).zip(centres) {
        for l in 0..LANES {
            let difference = row[l] - shift[l] - centre[l];
            sums[l] += difference * difference;
        }
    }
    for (sum, ((row, shift), centre)) in sums.iter_mut().zip(row.iter().zip(shift).zip(centre)) {
        let difference = *row - *shift - *centre;
        *sum += difference * difference;
    }
    sums.into_iter().sum()
}

/// The squared distance of two points.
pub(super) struct Between<'a, T> {
    pub(super) a: &'a [T],
    pub(super) b: &'a [T],
    pub(super) zeros: &'a [T],
}

impl<T: Real> Kernel for Between<'_, T> {
    type Output = T;
    #[inline(always)]
    fn run<A: Arithmetic>(self) -> T {
        squared_distance(self.a, self.zeros, self.b)
    }
}

/// Whether a sum of squares neither overflowed nor lost digits below the least number.
#[inline(always)]
fn tells<T: Real>(square: T, dim: usize) -> bool {
    square.is_finite() && square.wide() > T::LEAST_NORMAL * dim as f64 / T::ROUNDOFF
}

/// `|row - centre|` in double precision, scaled so that no square leaves its range.
fn scaled_distance<T: Real>(row: &[T], centre: &[T]) -> T {
    // Halves: the difference of two numbers may be beyond the largest.
    let halves = || row.iter().zip(centre).map(|(x, c)| x.wide() / 2.0 - c.wide() / 2.0);
    let power = exponent(halves().map(f64::abs).fold(0.0, f64::max));
    let square: f64 = halves().map(|half| times_power(half, -power).powi(2)).sum();
    T::rounded(times_power(square.sqrt(), power + 1))
}

struct FromAll<'a, T> {
    rows: &'a [T],
    centres: &'a [T],
    dim: usize,
    out: &'a mut [T],
}

impl<T: Real> Kernel for FromAll<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let k = self.centres.len() / self.dim;
        let zeros = vec![T::default(); self.dim];
        let rows = self.rows.chunks_exact(self.dim);
        for (row, out) in rows.zip(self.out.chunks_exact_mut(k)) {
            for (out, centre) in out.iter_mut().zip(self.centres.chunks_exact(self.dim)) {
                let square = squared_distance(row, &zeros, centre);
                *out = if tells(square, self.dim) {
                    square.square_root()
                } else {
                    scaled_distance(row, centre)
                };
            }
        }
    }
}

/// Distance of each row of `x` from each of `centres`, `(n, k)`.
///
/// # Panics
/// If there are no columns, or not as many as the centres have.
pub fn distances<T: Real>(
    x: ArrayView2<'_, T>,
    centres: ArrayView2<'_, T>,
    level: Level,
    task: &Task,
) -> Result<Array2<T>, Stopped> {
    const CHUNK: usize = 256;
    let (k, dim) = centres.dim();
    assert!(dim > 0 && x.ncols() == dim, "rows and centres have the same columns");
    let rows: Vec<T> = x.iter().copied().collect();
    let centres: Vec<T> = centres.iter().copied().collect();
    let mut out = vec![T::default(); x.nrows() * k];
    let chunks = out.par_chunks_mut((CHUNK * k).max(1)).zip(rows.par_chunks(CHUNK * dim));
    chunks.try_for_each(|(out, rows)| {
        task.check()?;
        dispatch(level, FromAll { rows, centres: &centres, dim, out });
        Ok(())
    })?;
    Ok(Array2::from_shape_fn((x.nrows(), k), |(i, c)| out[i * k + c]))
}
