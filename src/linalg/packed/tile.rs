//! The innermost loop of all packed kernels.

#![allow(unsafe_code)] // raw loads in the one loop where bounds checks cost

use crate::linalg::lanes::Lanes;
use crate::linalg::real::Real;
use crate::linalg::simd::Arithmetic;

/// Rows of a tile: 6 x 4 accumulators, 4 operands and a factor fit into 32 registers.
pub(super) const ROWS: usize = 6;

/// Where the factors of a tile lie: factor `p` of row `c` is `values[c * row + p * step]`.
#[derive(Clone, Copy)]
pub(super) struct Factors<'a, T> {
    pub(super) values: &'a [T],
    pub(super) row: usize,
    pub(super) step: usize,
}

/// `start[c] + sum over p of factor(c, p) * lanes(p)`, for `C` rows by `V` registers, where
/// `lanes(p)` begins at `panel[p * width]`.
#[inline(always)]
pub(super) fn tile<T: Real, A: Arithmetic, const C: usize, const V: usize>(
    factors: Factors<'_, T>,
    panel: &[T],
    width: usize,
    depth: usize,
    start: [T; C],
) -> [[T::Vector<A>; V]; C] {
    let n = <T::Vector<A> as Lanes<T>>::N;
    let mut sums = [[T::Vector::<A>::splat(T::default()); V]; C];
    for c in 0..C {
        sums[c] = [T::Vector::<A>::splat(start[c]); V];
    }
    if depth == 0 {
        return sums;
    }
    let Factors { values, row, step } = factors;
    assert!((C - 1) * row + (depth - 1) * step < values.len());
    assert!((depth - 1) * width + V * n <= panel.len());
    let (values, panel) = (values.as_ptr(), panel.as_ptr());
    for p in 0..depth {
        let mut lanes = [T::Vector::<A>::splat(T::default()); V];
        for v in 0..V {
            // SAFETY: asserted above.
            lanes[v] = unsafe { T::Vector::<A>::load(panel.add(p * width + v * n)) };
        }
        for c in 0..C {
            // SAFETY: asserted above.
            let factor = T::Vector::<A>::splat(unsafe { *values.add(c * row + p * step) });
            for v in 0..V {
                sums[c][v] = lanes[v].mul_add(factor, sums[c][v]);
            }
        }
    }
    sums
}

/// Calls `$run::<C>` for the runtime number of rows `$c`, 1 to [`ROWS`].
macro_rules! with_rows {
    ($c:expr, $rows:ident => $run:expr) => {
        match $c {
            1 => {
                const $rows: usize = 1;
                $run
            }
            2 => {
                const $rows: usize = 2;
                $run
            }
            3 => {
                const $rows: usize = 3;
                $run
            }
            4 => {
                const $rows: usize = 4;
                $run
            }
            5 => {
                const $rows: usize = 5;
                $run
            }
            _ => {
                const $rows: usize = 6;
                $run
            }
        }
    };
}
pub(super) use with_rows;
