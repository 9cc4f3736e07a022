//! The rows as K-means works on them.

use std::ops::Range;

use rayon::prelude::*;

use super::distances::squared_distance;
use crate::linalg::lanes::prefetch;
use crate::linalg::packed::{LANES, Quantised, pack_rows};
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::task::{Stopped, Task};

/// Most ranges the rows are split into. Sums are kept per range and added up in order, so
/// this number, unlike that of the threads, is part of the result.
const RANGES: usize = 32;
const ROWS_PER_RANGE: usize = 2048;

/// Bytes the cache fetches at a time.
const LINE: usize = 64;

/// Forms of the rows less their mean that searches read.
#[derive(Clone, Copy)]
pub(super) struct Forms {
    /// Panels of the numbers themselves.
    pub(super) panels: bool,
    /// Whole numbers, where the level is quicker with them.
    pub(super) quantised: bool,
}

/// Rows, and forms of the same less their mean.
pub(super) struct Table<'a, T> {
    rows: &'a [T],
    pub(super) len: usize,
    pub(super) dim: usize,
    /// The weighted mean, rounded.
    pub(super) shift: Vec<T>,
    /// Weighted variance of a column, averaged over the columns.
    pub(super) variance: f64,
    /// Empty if nobody asked for them.
    panels: Vec<T>,
    pub(super) quantised: Option<Quantised>,
    /// Squared length of each row less the mean; zero in the lanes left over.
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
        forms: Forms,
        level: Level,
        task: &Task,
    ) -> Result<Self, Stopped> {
        let n = rows.len() / dim;
        let padded = n.next_multiple_of(LANES);
        let mut weights = weights.map_or_else(|| vec![1.0; n], <[f64]>::to_vec);
        weights.resize(padded, 0.0);
        let mut table = Self {
            rows,
            len: n,
            dim,
            shift: vec![T::default(); dim],
            variance: 0.0,
            panels: Vec::new(),
            quantised: None,
            squares: vec![T::default(); padded],
            weights,
            ranges: ranges(n),
        };
        // About a row of the data nothing cancels that f64 would miss.
        let about: Vec<f64> = table.row(0).iter().map(|x| x.wide()).collect();
        let (means, squares) = table.moments(&about, level);
        let shift = means.iter().zip(&about).map(|(mean, about)| T::rounded(mean + about));
        table.shift = shift.collect();
        let variances = squares.iter().zip(&means).map(|(square, mean)| square - mean * mean);
        table.variance = variances.sum::<f64>().max(0.0) / dim as f64;
        task.check()?;
        if forms.quantised && level > Level::Portable && dim <= Quantised::MOST_DIMENSIONS {
            let (shift, squares) = (&table.shift, &mut table.squares);
            table.quantised = Some(Quantised::new(rows, shift, squares, level, task)?);
        } else {
            table.measure(level, task)?;
        }
        if forms.panels || table.quantised.is_none() {
            table.panels = pack_rows(rows, &table.shift);
        }
        task.check()?;
        Ok(table)
    }

    /// Row `i` as it was given.
    #[inline(always)]
    pub(super) fn row(&self, i: usize) -> &'a [T] {
        &self.rows[i * self.dim..(i + 1) * self.dim]
    }

    /// Asks for row `i` to be in the cache soon.
    #[inline(always)]
    pub(super) fn prefetch(&self, i: usize) {
        for value in self.row(i).iter().step_by(LINE / size_of::<T>()) {
            prefetch(value);
        }
    }

    /// Whether there are panels.
    pub(super) fn has_panels(&self) -> bool {
        !self.panels.is_empty()
    }

    /// The panel that begins with row `first`, unless nobody asked for panels.
    #[inline(always)]
    pub(super) fn panel(&self, first: usize) -> Option<&[T]> {
        self.panels.get(first * self.dim..(first + T::PANEL) * self.dim)
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

    fn measure(&mut self, level: Level, task: &Task) -> Result<(), Stopped> {
        let (rows, dim, shift) = (self.rows, self.dim, &self.shift);
        let squares = self.squares.par_chunks_mut(LANES);
        squares.zip(rows.par_chunks(dim * LANES)).try_for_each(|(squares, rows)| {
            task.check()?;
            dispatch(level, Squares { rows, shift, squares });
            Ok(())
        })
    }
}

fn ranges(n: usize) -> Vec<Range<usize>> {
    let count = (n / ROWS_PER_RANGE).clamp(1, RANGES);
    let length = n.div_ceil(count).next_multiple_of(LANES);
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
    rows: &'a [T],
    shift: &'a [T],
    squares: &'a mut [T],
}

impl<T: Real> Kernel for Squares<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let zeros = vec![T::default(); self.shift.len()];
        for (square, row) in self.squares.iter_mut().zip(self.rows.chunks_exact(zeros.len())) {
            *square = squared_distance(row, self.shift, &zeros);
        }
    }
}
