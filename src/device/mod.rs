//! Devices that run small language models: the host's side of the wire protocol, the
//! engine on this machine, and a simulated microcontroller. Nothing here does I/O or
//! reads a clock; what runs on the device itself is the crate `holdfast-agent`.

pub mod client;
pub mod host;
pub mod local;
pub mod simulator;

mod error;
mod packed;

pub use error::DeviceError;
