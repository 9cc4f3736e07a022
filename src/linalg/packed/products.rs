//! All dot products of the rows of two matrices.

#![allow(unsafe_code)] // stores of registers

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::panel::pack_rows;
use super::tile::{Factors, ROWS, tile, with_rows};
use crate::linalg::lanes::Lanes;
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::task::{Stopped, Task};

/// Rows per piece of work, a multiple of the tile's.
const CHUNK: usize = 16 * ROWS;

/// Dot products of each of `rows` (row-major, `dim` each) with the `PANEL` rows of a panel:
/// `out[i * stride + lane]`. To be called inside a dispatched kernel.
///
/// # Panics
/// If `panel` is not `dim x PANEL`, or `out` is too short.
#[inline(always)]
pub fn dots_in_panel<T: Real, A: Arithmetic>(
    rows: &[T],
    dim: usize,
    panel: &[T],
    out: &mut [T],
    stride: usize,
) {
    let n = rows.len().checked_div(dim).unwrap_or(0);
    assert!(panel.len() == dim * T::PANEL && stride >= T::PANEL);
    let width = A::TILE_VECTORS * T::Vector::<A>::N;
    for lane in (0..T::PANEL).step_by(width) {
        let mut first = 0;
        while first < n {
            let count = (n - first).min(ROWS);
            let factors = Factors { values: &rows[first * dim..], row: dim, step: 1 };
            let out = &mut out[first * stride + lane..];
            with_rows!(count, C => if A::TILE_VECTORS == 4 {
                block::<T, A, C, 4>(factors, dim, &panel[lane..], out, stride);
            } else {
                block::<T, A, C, 2>(factors, dim, &panel[lane..], out, stride);
            });
            first += count;
        }
    }
}

#[inline(always)]
fn block<T: Real, A: Arithmetic, const C: usize, const V: usize>(
    factors: Factors<'_, T>,
    dim: usize,
    panel: &[T],
    out: &mut [T],
    stride: usize,
) {
    let n = T::Vector::<A>::N;
    let sums = tile::<T, A, C, V>(factors, panel, T::PANEL, dim, [T::default(); C]);
    for c in 0..C {
        let out = &mut out[c * stride..c * stride + V * n];
        for v in 0..V {
            // SAFETY: the slice is `V * n` long.
            unsafe { sums[c][v].store(out[v * n..].as_mut_ptr()) };
        }
    }
}

struct Strip<'a, T> {
    rows: &'a [T],
    dim: usize,
    panels: &'a [T],
    out: &'a mut [T],
    columns: usize,
}

impl<T: Real> Kernel for Strip<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let mut square = vec![T::default(); CHUNK * T::PANEL];
        for (i, panel) in self.panels.chunks_exact(self.dim * T::PANEL).enumerate() {
            let first = i * T::PANEL;
            if first + T::PANEL <= self.columns {
                let out = &mut self.out[first..];
                dots_in_panel::<T, A>(self.rows, self.dim, panel, out, self.columns);
            } else {
                dots_in_panel::<T, A>(self.rows, self.dim, panel, &mut square, T::PANEL);
                let out = self.out.chunks_exact_mut(self.columns);
                for (out, square) in out.zip(square.chunks_exact(T::PANEL)) {
                    out[first..].copy_from_slice(&square[..self.columns - first]);
                }
            }
        }
    }
}

/// `x yᵀ` for `(n, dim)` and `(m, dim)`, each entry one chain of sums over the dimensions.
///
/// # Panics
/// If the numbers of columns differ.
pub fn products<T: Real>(
    x: ArrayView2<'_, T>,
    y: ArrayView2<'_, T>,
    level: Level,
    task: &Task,
) -> Result<Array2<T>, Stopped> {
    let dim = x.ncols();
    assert_eq!(dim, y.ncols(), "rows of both matrices have the same dimension");
    let (n, m) = (x.nrows(), y.nrows());
    let mut out = Array2::from_elem((n, m), T::default());
    if n == 0 || m == 0 || dim == 0 {
        return Ok(out);
    }
    let (x, y) = (x.as_standard_layout(), y.as_standard_layout());
    let (Some(x), Some(y)) = (x.as_slice(), y.as_slice()) else {
        unreachable!("both are in standard layout");
    };
    let panels = pack_rows(y, &vec![T::default(); dim]);
    let values = out.as_slice_mut().expect("a new array is in standard layout");
    values.par_chunks_mut(CHUNK * m).zip(x.par_chunks(CHUNK * dim)).try_for_each(
        |(out, rows)| {
            task.check()?;
            dispatch(level, Strip { rows, dim, panels: &panels, out, columns: m });
            Ok(())
        },
    )?;
    Ok(out)
}
