//! Sums of a few rows of a matrix, or of all, with the same bits either way.

#![allow(unsafe_code)] // loads and stores of registers

use ndarray::ArrayView2;

use super::tile::{Factors, ROWS, tile, with_rows};
use crate::linalg::lanes::Lanes;
use crate::linalg::real::Real;
use crate::linalg::simd::Arithmetic;

/// Registers of sums: as many as additions are under way at once.
const SUMS: usize = 8;

/// A `(targets, sources)` matrix cut into strips of [`WIDTH`](Self::WIDTH) targets; within a
/// strip the weights of one source lie side by side, so that a strip of a thousand sources
/// stays in the second-level cache while many vectors are multiplied with it.
///
/// Both products sum over the sources in ascending order from zero, then add to what is
/// there: whether a source of value zero takes part does not change a bit.
#[derive(Clone, Debug)]
pub struct Strips<T> {
    values: Vec<T>,
    sources: usize,
    targets: usize,
}

impl<T: Real> Strips<T> {
    /// Targets of a strip; the last one is filled up with zeros.
    pub const WIDTH: usize = 2 * T::PANEL;

    /// Copies finite `(targets, sources)` weights, rounded to `T`.
    pub fn new(weights: ArrayView2<'_, f64>) -> Self {
        let (targets, sources) = weights.dim();
        let mut values = vec![T::default(); targets.next_multiple_of(Self::WIDTH) * sources];
        for (target, row) in weights.rows().into_iter().enumerate() {
            let strip = target / Self::WIDTH * Self::WIDTH * sources + target % Self::WIDTH;
            for (source, weight) in row.iter().enumerate() {
                values[strip + source * Self::WIDTH] = T::rounded(*weight);
            }
        }
        Self { values, sources, targets }
    }

    /// Columns of the matrix.
    pub fn sources(&self) -> usize {
        self.sources
    }

    /// Rows of the matrix.
    pub fn targets(&self) -> usize {
        self.targets
    }

    fn strip(&self, index: usize) -> &[T] {
        let size = Self::WIDTH * self.sources;
        &self.values[index * size..(index + 1) * size]
    }

    /// Adds `value * row` of strip `index` to `sums`, for every source of `sources`, which
    /// ascend. To be called inside a dispatched kernel.
    ///
    /// # Panics
    /// If `sums` is not as wide as a strip, or a source is not one of the matrix.
    #[inline(always)]
    pub fn add_some<A: Arithmetic>(
        &self,
        index: usize,
        sources: &[u32],
        values: &[T],
        sums: &mut [T],
    ) {
        let n = T::Vector::<A>::N;
        let strip = self.strip(index);
        assert!(sums.len() == Self::WIDTH && Self::WIDTH.is_multiple_of(SUMS * n));
        for lane in (0..Self::WIDTH).step_by(SUMS * n) {
            let mut added = [T::Vector::<A>::splat(T::default()); SUMS];
            for (source, value) in sources.iter().zip(values) {
                let row = &strip[*source as usize * Self::WIDTH + lane..][..SUMS * n];
                let value = T::Vector::<A>::splat(*value);
                for v in 0..SUMS {
                    // SAFETY: the row is `SUMS * n` long.
                    let weights = unsafe { T::Vector::<A>::load(row.as_ptr().add(v * n)) };
                    added[v] = weights.mul_add(value, added[v]);
                }
            }
            add::<T, A, SUMS>(added, &mut sums[lane..lane + SUMS * n]);
        }
    }

    /// Adds the product of strip `index` with each row of `factors`, one number per source,
    /// to a row of `sums`. To be called inside a dispatched kernel.
    ///
    /// # Panics
    /// If `factors` and `sums` do not have as many rows.
    #[inline(always)]
    pub fn add_all<A: Arithmetic>(&self, index: usize, factors: &[T], sums: &mut [T]) {
        let sources = self.sources;
        assert!(factors.len() * Self::WIDTH == sums.len() * sources);
        if sources == 0 {
            return;
        }
        let strip = self.strip(index);
        let groups = factors.chunks(ROWS * sources).zip(sums.chunks_mut(ROWS * Self::WIDTH));
        for (factors, sums) in groups {
            let factors = Factors { values: factors, row: sources, step: 1 };
            let rows = sums.len() / Self::WIDTH;
            with_rows!(rows, C => if A::TILE_VECTORS == 4 {
                block::<T, A, C, 4>(factors, strip, Self::WIDTH, sources, sums);
            } else {
                block::<T, A, C, 2>(factors, strip, Self::WIDTH, sources, sums);
            });
        }
    }
}

#[inline(always)]
fn block<T: Real, A: Arithmetic, const C: usize, const V: usize>(
    factors: Factors<'_, T>,
    strip: &[T],
    width: usize,
    sources: usize,
    sums: &mut [T],
) {
    let step = V * T::Vector::<A>::N;
    for lane in (0..width).step_by(step) {
        let start = [T::default(); C];
        let added = tile::<T, A, C, V>(factors, &strip[lane..], width, sources, start);
        for c in 0..C {
            let first = c * width + lane;
            add::<T, A, V>(added[c], &mut sums[first..first + step]);
        }
    }
}

#[inline(always)]
fn add<T: Real, A: Arithmetic, const V: usize>(added: [T::Vector<A>; V], sums: &mut [T]) {
    let (n, one) = (T::Vector::<A>::N, T::Vector::<A>::splat(T::ONE));
    assert!(sums.len() == V * n);
    for v in 0..V {
        let at = sums[v * n..].as_mut_ptr();
        // SAFETY: `sums` is `V * n` long.
        unsafe { added[v].mul_add(one, T::Vector::<A>::load(at)).store(at) };
    }
}
