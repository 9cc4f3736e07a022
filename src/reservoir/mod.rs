//! Recurrent networks with fixed random weights, many series at a time.
//!
//! A [`Block`] takes some series, side by side, through time: a [`Drive`] gives each unit
//! its input current, [`Leaky`] units update their states, a [`Pool`] takes in what is
//! wanted of them and the states are dropped. [`Network`] splits a set of series into
//! blocks and runs them on all threads.

mod block;
mod delay_line;
mod driven;
mod error;
mod input;
mod lanes;
mod leaky;
mod liquid;
mod network;
mod record;
mod recurrent;
mod sampled;
mod statistics;
mod weights;

pub use block::{Block, Drive, Pool};
pub use delay_line::{DelayLine, Delayed, dilations};
pub use driven::{Driven, EchoState, Liquid, Parts};
pub use error::ReservoirError;
pub use input::Input;
pub use lanes::Lanes;
pub use leaky::Leaky;
pub use liquid::LiquidUnits;
pub use network::Network;
pub use record::Record;
pub use recurrent::{DENSE_FROM, Recurrent, Tile};
pub use statistics::{Statistic, Statistics};
pub use weights::{echo_state_weights, input_weights, liquid_weights};
