//! The matrix of a covariance.

#![allow(unsafe_code)] // stores of registers

use ndarray::{Array2, ArrayView2, ArrayViewMut1, Axis};
use rayon::prelude::*;

use super::tile::{Factors, ROWS, tile, with_rows};
use crate::linalg::lanes::Lanes;
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::task::{Stopped, Task};

/// Rows whose products are summed in `T` before they are added up in `f64`.
const CHUNK: usize = 256;

struct Strip<'a, T> {
    /// A chunk of rows, each padded with zeros to `width`.
    rows: &'a [T],
    width: usize,
    dim: usize,
    first: usize,
    /// Rows `first..` of the result, `dim` numbers each.
    out: &'a mut [f64],
}

impl<T: Real> Kernel for Strip<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let step = A::TILE_VECTORS * T::Vector::<A>::N;
        let count = self.out.len() / self.dim;
        let from = self.first / step * step;
        for lane in (from..self.dim).step_by(step) {
            with_rows!(count, C => if A::TILE_VECTORS == 4 {
                add::<T, A, C, 4>(self.rows, self.width, self.first, lane, self.out, self.dim);
            } else {
                add::<T, A, C, 2>(self.rows, self.width, self.first, lane, self.out, self.dim);
            });
        }
    }
}

#[inline(always)]
fn add<T: Real, A: Arithmetic, const C: usize, const V: usize>(
    rows: &[T],
    width: usize,
    first: usize,
    lane: usize,
    out: &mut [f64],
    dim: usize,
) {
    let n = T::Vector::<A>::N;
    let factors = Factors { values: &rows[first..], row: 1, step: width };
    let depth = rows.len() / width;
    let sums = tile::<T, A, C, V>(factors, &rows[lane..], width, depth, [T::default(); C]);
    let mut numbers = [T::default(); 64];
    let columns = (dim - lane).min(V * n);
    for c in 0..C {
        for v in 0..V {
            // SAFETY: four registers hold at most 64 numbers.
            unsafe { sums[c][v].store(numbers[v * n..].as_mut_ptr()) };
        }
        for (out, number) in out[c * dim + lane..][..columns].iter_mut().zip(&numbers) {
            *out += number.wide();
        }
    }
}

/// `xᵀ x` for `(n, dim)`. Products of 256 rows at a time are summed in `T`, these sums in
/// `f64`; both triangles hold the same bits.
pub fn gram<T: Real>(
    x: ArrayView2<'_, T>,
    level: Level,
    task: &Task,
) -> Result<Array2<f64>, Stopped> {
    let dim = x.ncols();
    if dim == 0 {
        return Ok(Array2::zeros((0, 0)));
    }
    let width = dim.next_multiple_of(T::PANEL);
    let mut padded = vec![T::default(); CHUNK * width];
    let mut sums = vec![0.0; dim * dim];
    for rows in x.axis_chunks_iter(Axis(0), CHUNK) {
        task.check()?;
        for (padded, row) in padded.chunks_exact_mut(width).zip(rows.axis_iter(Axis(0))) {
            row.assign_to(ArrayViewMut1::from(&mut padded[..dim]));
        }
        let values = &padded[..rows.nrows() * width];
        sums.par_chunks_mut(ROWS * dim).enumerate().for_each(|(i, out)| {
            let strip = Strip { rows: values, width, dim, first: i * ROWS, out };
            dispatch(level, strip);
        });
    }
    Ok(Array2::from_shape_fn((dim, dim), |(i, j)| sums[i.min(j) * dim + i.max(j)]))
}
