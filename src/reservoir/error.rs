use thiserror::Error;

use crate::task::Stopped;

/// Why a reservoir has no result.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ReservoirError {
    /// A parameter is outside its domain.
    #[error("{name} must be {rule}, got {value}")]
    BadParameter {
        /// As the caller spells it.
        name: &'static str,
        /// What it must be.
        rule: &'static str,
        /// What it was.
        value: String,
    },
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
    /// Someone asked it to stop.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}
