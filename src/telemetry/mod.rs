//! Series, their history, the rules over them and the text they are read in; lines of logs.

mod error;
pub mod log;
mod names;

pub use error::TelemetryError;
