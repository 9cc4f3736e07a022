//! Series, their history, the rules over them and the text they are read in.

mod error;
mod names;

pub use error::TelemetryError;
