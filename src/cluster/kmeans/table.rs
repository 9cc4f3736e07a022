//! The rows as K-means works on them.

use std::ops::Range;

use rayon::prelude::*;

use crate::linalg::packed::pack;
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::task::{Stopped, Task};

/// Most ranges the rows are split into. Sums are kept per range and added up in order, so
/// this number, unlike that of the threads, is part of the result.
const RANGES: usize = 32;
const ROWS_PER_RANGE: usize = 2048;

/// Rows in an order that depends on their values alone, less their mean, in panels.
///
/// Whoever draws a row by a position in this order draws the same row from a table whose
/// rows are shuffled, or repeated instead of weighted.
pub(super) struct Table<'a, T> {
    rows: &'a [T],
    /// `order[i]` is the caller's index of our row `i`.
    pub(super) order: Vec<usize>,
    /// Hash of our row `i`.
    pub(super) hashes: Vec<u64>,
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
        let mut keys: Vec<(u64, usize)> =
            rows.par_chunks_exact(dim).enumerate().map(|(i, row)| (hash(row), i)).collect();
        task.check()?;
        keys.par_sort_unstable();
        task.check()?;
        let order: Vec<usize> = keys.iter().map(|(_, i)| *i).collect();
        let hashes = keys.into_iter().map(|(hash, _)| hash).collect();
        let padded = n.next_multiple_of(T::PANEL);
        let mut table = Self {
            rows,
            dim,
            shift: vec![T::default(); dim],
            variance: 0.0,
            panels: vec![T::default(); padded * dim],
            squares: vec![T::default(); padded],
            weights: weights_in_order(&order, weights, padded),
            ranges: ranges(n, T::PANEL),
            order,
            hashes,
        };
        let (mean, _) = table.moments(&vec![0.0; dim], level);
        task.check()?;
        table.shift = mean.iter().map(|m| T::rounded(*m)).collect();
        let (_, variances) = table.moments(&mean, level);
        table.variance = variances.iter().sum::<f64>() / dim as f64;
        task.check()?;
        table.pack_all(level, task)?;
        Ok(table)
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Our row `i` as it was given.
    #[inline(always)]
    pub(super) fn row(&self, i: usize) -> &'a [T] {
        let first = self.order[i] * self.dim;
        &self.rows[first..first + self.dim]
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
        panels.zip(squares).zip(self.order.par_chunks(T::PANEL)).try_for_each(
            |((panel, squares), order)| {
                task.check()?;
                pack(order.iter().map(|i| &rows[i * dim..(i + 1) * dim]), shift, panel);
                dispatch(level, Squares { panel, squares });
                Ok(())
            },
        )
    }
}

/// Equal for equal values of either precision.
fn hash<T: Real>(row: &[T]) -> u64 {
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15; // 2^64 over the golden ratio
    // Four chains, or the multiplications would wait for each other.
    let mut chains = [1_u64, 2, 3, 4];
    for values in row.chunks(4) {
        for (chain, value) in chains.iter_mut().zip(values) {
            // Adding zero makes -0 the zero it equals.
            let bits = (value.wide() + 0.0).to_bits();
            *chain = (*chain ^ bits).wrapping_mul(MIX).rotate_left(29);
        }
    }
    chains.into_iter().fold(0, |hash: u64, chain| {
        let mixed = (hash ^ chain).wrapping_mul(MIX);
        mixed ^ (mixed >> 32)
    })
}

fn weights_in_order(order: &[usize], weights: Option<&[f64]>, padded: usize) -> Vec<f64> {
    let mut ours: Vec<f64> = match weights {
        Some(weights) => order.iter().map(|i| weights[*i]).collect(),
        None => vec![1.0; order.len()],
    };
    ours.resize(padded, 0.0);
    ours
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
