use thiserror::Error;

use crate::task::Stopped;

/// Why K-means has no result.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum KMeansError {
    /// Not enough rows to seed every cluster.
    #[error("n_samples={n_rows} should be >= n_clusters={n_clusters}.")]
    TooFewRows {
        /// Rows given.
        n_rows: usize,
        /// Clusters asked for.
        n_clusters: usize,
    },
    /// A parameter outside its domain.
    #[error("{name} must be {expected}, got {value}")]
    BadParameter {
        /// Parameter name, as the caller spells it.
        name: &'static str,
        /// The domain, in words.
        expected: &'static str,
        /// What was given.
        value: String,
    },
    /// Given centres of another shape.
    #[error("init has shape {given:?}, expected (n_clusters, n_features) = {expected:?}")]
    BadShape {
        /// The shape of the given centres.
        given: (usize, usize),
        /// The shape they should have.
        expected: (usize, usize),
    },
    /// Weights that do not fit the rows.
    #[error("sample_weight {0}")]
    BadWeights(&'static str),
    /// Numbers whose squared distances no double can hold.
    #[error(
        "X must be small enough for its sum of squared distances to stay below 1.8e308, got \
         numbers up to {largest:e}: scale X first"
    )]
    TooLarge {
        /// The largest number, without its sign.
        largest: f64,
    },
    /// The caller stopped the task.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}
