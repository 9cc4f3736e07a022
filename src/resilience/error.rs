use std::fmt::Display;

use thiserror::Error;

/// A parameter is outside its domain.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{parameter} must be {rule}, got {value}")]
pub struct Invalid {
    /// As the user spells it.
    pub parameter: &'static str,
    /// What it must be.
    pub rule: &'static str,
    /// What it is.
    pub value: String,
}

/// `Ok` if `holds`, else the error that names parameter, rule and value.
pub(crate) fn check(
    holds: bool,
    parameter: &'static str,
    rule: &'static str,
    value: impl Display,
) -> Result<(), Invalid> {
    if holds { Ok(()) } else { Err(Invalid { parameter, rule, value: value.to_string() }) }
}
