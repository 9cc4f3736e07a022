//! The rows as K-means works on them.

use std::ops::Range;

use rayon::prelude::*;

use crate::linalg::packed::{pack, zeros};
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::task::{Stopped, Task};

/// Most ranges the rows are split into. Sums are kept per range and added up in order, so
/// this number, unlike that of the threads, is part of the result.
const RANGES: usize = 32;
const ROWS_PER_RANGE: usize = 2048;

/// Rows, and the same less their mean in panels.
pub(super) struct Table<'a, T> {
    rows: &'a [T],
    pub(super) len: usize,
    pub(super) dim: usize,
    /// The weighted mean, rounded.
    pub(super) shift: Vec<T>,
    /// Weighted variance of a column, averaged over the columns.
    pub(super) variance: f64,
    pub(super) panels: Vec<T>,
    /// Squared length of each row less the mean, as of all lanes of the panels.
    pub(super) squares: Vec<T>,
    /// Zero in the lanes left over.
    pub(super) weights: Vec<f64>,
    pub(super) ranges: Vec<Range<usize>>,
}

impl<'a, T: Real> Table<'a, T> {
    pub(super) fn new(
        rows: &'a [T],
        dim: usize,
        weights: Option<&[f64]>,
        level: Level,
        task: &Task,
    ) -> Result<Self, Stopped> {
        let n = rows.len() / dim;
        let padded = n.next_multiple_of(T::PANEL);
        let mut weights = weights.map_or_else(|| vec![1.0; n], <[f64]>::to_vec);
        weights.resize(padded, 0.0);
        let mut table = Self {
            rows,
            len: n,
            dim,
            shift: vec![T::default(); dim],
            variance: 0.0,
            panels: zeros(padded * dim),
            squares: vec![T::default(); padded],
            weights,
            ranges: ranges(n, T::PANEL),
        };
        // About a row of the data nothing cancels that f64 would miss.
        let about: Vec<f64> = table.row(0).iter().map(|x| x.wide()).collect();
        let (means, squares) = table.moments(&about, level);
        let shift = means.iter().zip(&about).map(|(mean, about)| T::rounded(mean + about));
        table.shift = shift.collect();
        let variances = squares.iter().zip(&means).map(|(square, mean)| square - mean * mean);
        table.variance = variances.sum::<f64>().max(0.0) / dim as f64;
        task.check()?;
        table.pack_all(level, task)?;
        Ok(table)
    }

    /// Row `i` as it was given.
    #[inline(always)]
    pub(super) fn row(&self, i: usize) -> &'a [T] {
        &self.rows[i * self.dim..(i + 1) * self.dim]
    }

    pub(super) fn panel(&self, first_row: usize) -> &[T] {
        &self.panels[first_row * self.dim..(first_row + T::PANEL) * self.dim]
    }

    /// Weighted means of `x - about` and of its squares, by column.
    fn moments(&self, about: &[f64], level: Level) -> (Vec<f64>, Vec<f64>) {
        let parts: Vec<_> = self
            .ranges
            .par_iter()
            .map(|range| dispatch(level, Moments { table: self, about, range: range.clone() }))
            .collect();
        let total: f64 = self.weights.iter().sum();
        let mut sums = vec![0.0; 2 * self.dim];
        for part in parts {
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        for sum in &mut sums {
            *sum /= total;
        }
        let squares = sums.split_off(self.dim);
        (sums, squares)
    }

    fn pack_all(&mut self, level: Level, task: &Task) -> Result<(), Stopped> {
        let (rows, dim, shift) = (self.rows, self.dim, &self.shift);
        let panels = self.panels.par_chunks_exact_mut(dim * T::PANEL);
        let squares = self.squares.par_chunks_exact_mut(T::PANEL);
        panels.zip(squares).zip(rows.par_chunks(dim * T::PANEL)).try_for_each(
            |((panel, squares), rows)| {
                task.check()?;
                pack(rows.chunks_exact(dim), shift, panel);
                dispatch(level, Squares { panel, squares });
                Ok(())
            },
        )
    }
}

fn ranges(n: usize, panel: usize) -> Vec<Range<usize>> {
    let count = (n / ROWS_PER_RANGE).clamp(1, RANGES);
    let length = n.div_ceil(count).next_multiple_of(panel);
    (0..n).step_by(length).map(|first| first..(first + length).min(n)).collect()
}

struct Moments<'a, T> {
    table: &'a Table<'a, T>,
    about: &'a [f64],
    range: Range<usize>,
}

impl<T: Real> Kernel for Moments<'_, T> {
    type Output = Vec<f64>;
    #[inline(always)]
    fn run<A: Arithmetic>(self) -> Vec<f64> {
        let Self { table, about, range } = self;
        let mut sums = vec![0.0; 2 * table.dim];
        let (first, second) = sums.split_at_mut(table.dim);
        for i in range {
            let weight = table.weights[i];
            let columns = table.row(i).iter().zip(about).zip(first.iter_mut().zip(&mut *second));
            for ((x, about), (first, second)) in columns {
                let x = x.wide() - about;
                *first += weight * x;
                *second += weight * x * x;
            }
        }
        sums
    }
}

struct Squares<'a, T> {
    panel: &'a [T],
    squares: &'a mut [T],
}

impl<T: Real> Kernel for Squares<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        for values in self.panel.chunks_exact(T::PANEL) {
            for (square, x) in self.squares.iter_mut().zip(values) {
                *square += *x * *x;
            }
        }
    }
}
