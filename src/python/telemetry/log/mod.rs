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
pub(crate) use setup::{configure_logs, log_counts};
