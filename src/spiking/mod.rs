//! Units that fire.

mod competition;
mod dictionary;

pub use competition::Competition;
pub use dictionary::{Dictionary, Layers, TAPS};
