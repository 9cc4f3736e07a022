//! The wire protocol of `docs/protocol.md`: frames, messages, and the device's side.

mod agent;
mod board;
mod cobs;
mod crc;
mod frame;
mod generation;
mod message;
mod wire;

#[cfg(test)]
mod tests;

pub use agent::Agent;
pub use board::{Board, Identity, Memory, capability};
pub use frame::{Decoder, FrameError, Header, MAX_ENCODED, MAX_PAYLOAD, VERSION, encode};
pub use generation::RING;
pub use message::{Command, EndRecord, ErrorCode, MemoryRecord, ModelRecord, Reason, Reply};
pub use wire::Malformed;

/// How long a device waits for a word at a new baud rate, in milliseconds.
pub const BAUD_FALLBACK_MS: u64 = 500;
