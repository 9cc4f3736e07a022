use thiserror::Error;

use crate::task::Stopped;

/// Why there is no clustering.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ClusterError {
    /// Not enough rows to seed every cluster.
    #[error("n_clusters={n_clusters} exceeds the number of samples ({n_rows})")]
    TooFewRows {
        /// Clusters asked for.
        n_clusters: usize,
        /// Rows given.
        n_rows: usize,
    },
    /// A parameter outside its domain.
    #[error("{name} must be {expected}, got {value}")]
    BadParameter {
        /// As the caller spells it.
        name: &'static str,
        /// The domain, in words.
        expected: &'static str,
        /// What was given.
        value: String,
    },
    /// Someone asked it to stop.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}
