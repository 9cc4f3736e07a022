use thiserror::Error;

/// Why a series, an expression or a value was refused.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum TelemetryError {
    /// A parameter is outside its domain.
    #[error("{0}")]
    Parameter(String),
    /// A value cannot be counted or observed.
    #[error("{0}")]
    Value(String),
    /// The name is taken by a series that was declared differently.
    #[error("name={name:?} is already declared as {declared}")]
    Declared {
        /// The family's name.
        name: String,
        /// What it was declared as.
        declared: String,
    },
    /// The text of an expression is not in the subset of `PromQL` that is understood.
    #[error("expression, at character {at}: {message}; in {text:?}")]
    Syntax {
        /// Position in characters, from 0.
        at: usize,
        /// What was expected or found.
        message: String,
        /// The whole text.
        text: String,
    },
    /// An expression cannot be evaluated on the series it met.
    #[error("{0}")]
    Evaluation(String),
}
