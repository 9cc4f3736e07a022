//! Units that fire.

mod competition;
mod dictionary;
mod encoding;
mod leaky;
mod lif;
mod network;
mod record;
mod sources;
mod stdp;

pub use competition::Competition;
pub use dictionary::{Dictionary, Layers, TAPS};
pub use encoding::encode;
pub use leaky::{Leaky, Reset};
pub use lif::{Membrane, Neurons, Presentation, Response, spiking_weights};
pub use network::{LIFNetwork, lif_weights};
pub use record::{Recording, Statistic};
pub use stdp::Plasticity;
