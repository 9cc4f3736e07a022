//! Sums of the rows of each cluster, kept up to date row by row.

use crate::linalg::real::Real;

/// Weighted sums in `f64`. Only rows that change cluster touch them.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    dim: usize,
    pub(super) values: Vec<f64>,
    pub(super) weights: Vec<f64>,
    /// Rows with a weight: it, not a sum of weights, says when a cluster is empty.
    pub(super) counts: Vec<i64>,
    touched: Vec<bool>,
}

impl Sums {
    pub(super) fn new(k: usize, dim: usize) -> Self {
        Self {
            dim,
            values: vec![0.0; k * dim],
            weights: vec![0.0; k],
            counts: vec![0; k],
            touched: vec![false; k],
        }
    }

    /// Adds `weight * (row - shift)` to cluster `c`; `sign` is 1 or -1.
    #[inline(always)]
    pub(super) fn add<T: Real>(&mut self, c: usize, row: &[T], shift: &[T], weight: f64, sign: i8) {
        if weight == 0.0 {
            return;
        }
        let factor = weight * f64::from(sign);
        let values = &mut self.values[c * self.dim..(c + 1) * self.dim];
        for ((sum, x), shift) in values.iter_mut().zip(row).zip(shift) {
            *sum += factor * (*x - *shift).wide();
        }
        self.weights[c] += factor;
        self.counts[c] += i64::from(sign);
        self.touched[c] = true;
    }

    /// Moves `weight * (row - shift)` from one cluster to another.
    #[inline(always)]
    pub(super) fn transfer<T: Real>(
        &mut self,
        [from, to]: [usize; 2],
        row: &[T],
        shift: &[T],
        weight: f64,
    ) {
        self.add(from, row, shift, weight, -1);
        self.add(to, row, shift, weight, 1);
    }

    /// Moves all that `other` holds here; `other` is zero afterwards.
    pub(super) fn absorb(&mut self, other: &mut Self) {
        for c in 0..self.touched.len() {
            if std::mem::take(&mut other.touched[c]) {
                let range = c * self.dim..(c + 1) * self.dim;
                for (sum, part) in
                    self.values[range.clone()].iter_mut().zip(&mut other.values[range])
                {
                    *sum += std::mem::take(part);
                }
                self.weights[c] += std::mem::take(&mut other.weights[c]);
                self.counts[c] += std::mem::take(&mut other.counts[c]);
            }
        }
    }

    /// The mean of cluster `c`, if it has rows.
    pub(super) fn mean<T: Real>(&self, c: usize) -> Option<impl Iterator<Item = T>> {
        let weight = self.weights[c];
        let values = &self.values[c * self.dim..(c + 1) * self.dim];
        (self.counts[c] > 0).then(|| values.iter().map(move |sum| T::rounded(sum / weight)))
    }
}
