use thiserror::Error;

use crate::cluster::kmeans::KMeansError;
use crate::task::Stopped;

/// Why there is no mixture.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum MixtureError {
    /// A component has no extent in some direction.
    #[error(
        "the covariance of component {component} is not positive definite: reg_covar must be \
         larger, or n_components smaller"
    )]
    NotPositive {
        /// Which one.
        component: usize,
    },
    /// The components could not be placed.
    #[error(transparent)]
    Start(#[from] KMeansError),
    /// Someone asked it to stop.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}
