//! Loggers, and lines for the records of the standard library.

mod channel;
mod contextual;
mod fast_call;
mod output;
mod record;
mod setup;
mod sink;
mod value;

pub(crate) use channel::LogChannel;
pub(crate) use output::LogOutput;
pub(crate) use setup::{configure_logs, log_counts, use_log_fields};

use pyo3::prelude::*;

use crate::telemetry::log::Redactor;

/// Whether a value of this name must not be shown.
#[pyfunction]
pub(crate) fn hides_secret(name: &str) -> bool {
    Redactor::default().hides(name)
}

/// `text` without the credentials in it.
#[pyfunction]
pub(crate) fn scrub_secrets(text: String) -> String {
    Redactor::default().scrub(&text).unwrap_or(text)
}
