use ndarray::{Array2, ArrayView2, Axis};

use super::error::KMeansError;
use super::init::seed;
use super::lloyd::lloyd;
use super::table::{Forms, Table};
use crate::linalg::packed::{Centres, nearest};
use crate::linalg::real::Real;
use crate::linalg::simd::Level;
use crate::random::Random;
use crate::task::{Stopped, Task};

/// Where the centres start.
#[derive(Clone, Debug, PartialEq)]
pub enum Init {
    /// k-means++ with one candidate per centre (Arthur and Vassilvitskii 2007).
    PlusPlus,
    /// k-means++ that takes the best of `2 + ln k` candidates, as scikit-learn does.
    GreedyPlusPlus,
    /// Rows drawn by weight, all different.
    Random,
    /// These.
    Given(Array2<f64>),
}

/// What to look for, and how hard.
#[derive(Clone, Debug, PartialEq)]
pub struct KMeans {
    /// Number of clusters, at least 1.
    pub n_clusters: usize,
    /// Where the centres start.
    pub init: Init,
    /// Starts, of which the one with the least inertia wins.
    pub n_init: usize,
    /// Iterations of one start.
    pub max_iter: usize,
    /// An iteration that moves the centres by less than this is the last: the sum of their
    /// squared moves, relative to the mean variance of the columns.
    pub tol: f64,
    /// Whether to leave out what provably changes nothing; the result is the same bits.
    pub bounds: bool,
    /// Seeds the choice of the starting centres.
    pub seed: u64,
}

impl Default for KMeans {
    fn default() -> Self {
        Self {
            n_clusters: 8,
            init: Init::GreedyPlusPlus,
            n_init: 1,
            max_iter: 300,
            tol: 1e-4,
            bounds: true,
            seed: 0,
        }
    }
}

/// Clusters found.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted<T> {
    /// Their means, `(k, dim)`.
    pub centres: Array2<T>,
    /// What [`predict`] subtracts from rows and centres before it compares them.
    pub shift: Vec<T>,
    /// The cluster of each row, equal to what [`predict`] says.
    pub labels: Vec<u32>,
    /// Weighted sum of squared distances of the rows to their centres.
    pub inertia: f64,
    /// Iterations run.
    pub n_iter: usize,
}

impl KMeans {
    /// Clusters the rows of `x`, which are finite; `weights` default to 1.
    ///
    /// The start is drawn from the rows ordered by a hash of their values, so rows in
    /// another order, or repeated instead of weighted, give the same clusters up to
    /// rounding. The bits do not depend on the number of threads.
    pub fn fit<T: Real>(
        &self,
        x: ArrayView2<'_, T>,
        weights: Option<&[f64]>,
        level: Level,
        task: &Task,
    ) -> Result<Fitted<T>, KMeansError> {
        self.check(x, weights)?;
        let x = x.as_standard_layout();
        let rows = x.as_slice().unwrap_or(&[]);
        let plus_plus = matches!(self.init, Init::PlusPlus | Init::GreedyPlusPlus);
        let forms = Forms { panels: plus_plus, quantised: self.bounds };
        let table = Table::new(rows, x.ncols(), weights, forms, level, task)?;
        let mut best: Option<Fitted<T>> = None;
        task.expect(self.n_init * self.max_iter);
        for start in 0..self.n_init {
            let mut random = Random::new(self.seed, start as u64);
            let centres = seed(&table, self.n_clusters, &self.init, &mut random, level, task)?;
            let fitted = lloyd(&table, centres, self, level, task)?;
            task.advance(self.max_iter - fitted.n_iter);
            if best.as_ref().is_none_or(|best| fitted.inertia < best.inertia) {
                best = Some(fitted);
            }
        }
        best.ok_or(KMeansError::BadParameter {
            name: "n_init",
            expected: "at least 1",
            value: self.n_init.to_string(),
        })
    }

    fn check<T>(&self, x: ArrayView2<'_, T>, weights: Option<&[f64]>) -> Result<(), KMeansError> {
        let (n_rows, dim) = x.dim();
        let bad = |name, expected, value| Err(KMeansError::BadParameter { name, expected, value });
        for (name, value) in [
            ("n_clusters", self.n_clusters),
            ("n_init", self.n_init),
            ("max_iter", self.max_iter),
            ("the number of columns", dim),
        ] {
            if value == 0 {
                return bad(name, "at least 1", value.to_string());
            }
        }
        if self.tol.is_nan() || self.tol < 0.0 {
            return bad("tol", "zero or more", self.tol.to_string());
        }
        if n_rows < self.n_clusters {
            return Err(KMeansError::TooFewRows { n_rows, n_clusters: self.n_clusters });
        }
        if let Init::Given(given) = &self.init {
            let (given, expected) = (given.dim(), (self.n_clusters, dim));
            if given != expected {
                return Err(KMeansError::BadShape { given, expected });
            }
        }
        match weights {
            Some(weights) if weights.len() != n_rows => {
                Err(KMeansError::BadWeights("must have one number per row"))
            }
            Some(weights) if !weights.iter().all(|w| *w >= 0.0 && w.is_finite()) => {
                Err(KMeansError::BadWeights("must be finite and not negative"))
            }
            Some(weights) if weights.iter().all(|w| *w == 0.0) => {
                Err(KMeansError::BadWeights("must contain at least one non-zero number"))
            }
            _ => Ok(()),
        }
    }
}

/// Centres less `shift`, ready for a search.
pub(super) fn shifted<T: Real>(centres: ArrayView2<'_, T>, shift: &[T]) -> Centres<T> {
    let mut centres = centres.to_owned();
    for mut centre in centres.axis_iter_mut(Axis(0)) {
        for (value, shift) in centre.iter_mut().zip(shift) {
            *value = *value - *shift;
        }
    }
    Centres::new(centres.view())
}

/// The nearest centre of each row (ties: the lowest index), whatever other rows there are.
pub fn predict<T: Real>(
    x: ArrayView2<'_, T>,
    centres: ArrayView2<'_, T>,
    shift: &[T],
    level: Level,
    task: &Task,
) -> Result<Vec<u32>, Stopped> {
    let x = x.as_standard_layout();
    nearest(x.as_slice().unwrap_or(&[]), shift, &shifted(centres, shift), level, task)
}
