//! The wire protocol of `docs/protocol.md`: frames, messages, and the device's side.

mod agent;
mod baud;
mod board;
mod cobs;
mod command;
mod crc;
mod error_code;
mod frame;
mod generation;
mod identity;
mod record;
mod reply;
mod upload;
mod wire;

#[cfg(test)]
mod tests;

pub use agent::Agent;
pub use board::{Board, Identity, Memory, capability};
pub use command::Command;
pub use error_code::ErrorCode;
pub use frame::{Decoder, FrameError, Header, MAX_ENCODED, MAX_PAYLOAD, VERSION, encode};
pub use generation::RING;
pub use record::{EndRecord, HelloRecord, MemoryRecord, ModelRecord, Reason};
pub use reply::Reply;
pub use wire::Malformed;

/// How long a device waits for a word at a new baud rate, in milliseconds.
pub const BAUD_FALLBACK_MS: u64 = 500;
