use std::ops::Range;

use rayon::prelude::*;

use super::ranges::ranges;
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};

/// What one pass over the rows tells.
pub(super) struct Moments {
    /// Weighted mean of each column.
    pub(super) means: Vec<f64>,
    /// Weighted variance of a column, averaged over the columns.
    pub(super) variance: f64,
    /// Largest of all numbers, without its sign; of rows without a weight too.
    pub(super) largest: f64,
}

impl Moments {
    pub(super) fn of<T: Real>(
        rows: &[T],
        dim: usize,
        weights: Option<&[f64]>,
        level: Level,
    ) -> Self {
        // About a row of the data nothing cancels that f64 would miss.
        let about: Vec<f64> = rows[..dim].iter().map(|x| x.wide()).collect();
        let ranges = ranges(rows.len() / dim);
        let parts: Vec<_> = ranges
            .par_iter()
            .map(|range| dispatch(level, Part { rows, weights, about: &about, range }))
            .collect();
        let total: f64 = weights.map_or((rows.len() / dim) as f64, |w| w.iter().sum());
        let mut sums = vec![0.0; 2 * dim];
        let mut largest = 0.0_f64;
        for (part, most) in parts {
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            largest = largest.max(most);
        }
        for sum in &mut sums {
            *sum /= total;
        }
        let (means, squares) = sums.split_at(dim);
        let variances = squares.iter().zip(means).map(|(square, mean)| square - mean * mean);
        Self {
            variance: variances.sum::<f64>().max(0.0) / dim as f64,
            means: means.iter().zip(&about).map(|(mean, about)| mean + about).collect(),
            largest,
        }
    }
}

/// Sums of `x - about` and of its squares over a range of rows, by column, and the largest
/// number.
struct Part<'a, T> {
    rows: &'a [T],
    weights: Option<&'a [f64]>,
    about: &'a [f64],
    range: &'a Range<usize>,
}

impl<T: Real> Kernel for Part<'_, T> {
    type Output = (Vec<f64>, f64);
    #[inline(always)]
    fn run<A: Arithmetic>(self) -> (Vec<f64>, f64) {
        let Self { rows, weights, about, range } = self;
        let dim = about.len();
        let mut sums = vec![0.0; 2 * dim];
        let mut most = vec![T::default(); dim];
        let (first, second) = sums.split_at_mut(dim);
        for i in range.clone() {
            let weight = weights.map_or(1.0, |weights| weights[i]);
            let row = &rows[i * dim..(i + 1) * dim];
            let (first, second, most) = (&mut first[..dim], &mut second[..dim], &mut most[..dim]);
            for j in 0..dim {
                most[j] = most[j].larger(row[j].abs());
                let x = row[j].wide() - about[j];
                first[j] += weight * x;
                second[j] += weight * x * x;
            }
        }
        let largest = most.into_iter().fold(T::default(), T::larger).wide();
        (sums, largest)
    }
}
