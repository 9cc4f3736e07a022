use ndarray::{Array2, ArrayView2};

use super::error::KMeansError;

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

impl KMeans {
    pub(super) fn check<T>(
        &self,
        x: ArrayView2<'_, T>,
        weights: Option<&[f64]>,
    ) -> Result<(), KMeansError> {
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
