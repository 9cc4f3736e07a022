use thiserror::Error;

use crate::linalg::spectral::SpectralError;
use crate::series::LengthMismatch;
use crate::task::Stopped;

/// Why a reservoir has no result.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ReservoirError {
    /// A sequence holds NaN or infinity.
    #[error("{name} must be finite, got {value} in sequence {sequence} at step {step}")]
    NotFinite {
        /// As the caller spells it.
        name: &'static str,
        /// The offending value.
        value: f64,
        /// Which sequence.
        sequence: usize,
        /// Which time step of it.
        step: usize,
    },
    /// Arrays that belong together do not fit.
    #[error("{name} must have {expected} {unit}, got {got}")]
    WrongSize {
        /// As the caller spells it.
        name: &'static str,
        /// Of what.
        unit: &'static str,
        /// How many are needed.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// Lengths and values of the sequences do not fit.
    #[error(transparent)]
    Lengths(#[from] LengthMismatch),
    /// The recurrent weights could not be scaled.
    #[error(transparent)]
    Spectral(SpectralError),
    /// Someone asked it to stop.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl From<SpectralError> for ReservoirError {
    fn from(error: SpectralError) -> Self {
        match error {
            SpectralError::Stopped(stopped) => Self::Stopped(stopped),
            other @ SpectralError::NotConverged { .. } => Self::Spectral(other),
        }
    }
}
