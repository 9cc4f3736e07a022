//! Units that fire.

mod competition;
mod dictionary;
mod encoding;
mod lif;
mod stdp;

pub use competition::Competition;
pub use dictionary::{Dictionary, Layers, TAPS};
pub use encoding::encode;
pub use lif::{Membrane, Neurons, Presentation, Response, spiking_weights};
pub use stdp::Plasticity;
