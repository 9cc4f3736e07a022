//! What devices say. The numbers are the protocol's: change one and the version changes.

use super::error_code::ErrorCode;
use super::record::{EndRecord, HelloRecord, MemoryRecord, ModelRecord};
use super::wire::{Malformed, Reader, Writer};

/// What a device says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // fields as in docs/protocol.md
pub enum Reply<'a> {
    Hello(HelloRecord<'a>),
    Pong { nonce: u64, received: u64, sent: u64, boot_id: u32 },
    Started { request: u32, ticks: u64, prompt_tokens: u16 },
    Token { request: u32, index: u16, id: u32, ticks: u64, piece: &'a [u8] },
    End(EndRecord),
    Memory(MemoryRecord),
    Power { sequence: u32, ticks: u64, microwatts: u32 },
    BaudOffer { rate: u32, token: u32 },
    BaudKept { rate: u32, token: u32 },
    Acknowledge { value: u32 },
    Model(ModelRecord<'a>),
    Log { level: u8, text: &'a [u8] },
    Error { code: ErrorCode, value: u32, text: &'a [u8] },
}

impl<'a> Reply<'a> {
    /// Its code in the header.
    pub fn kind(&self) -> u8 {
        match self {
            Self::Hello(_) => 0x81,
            Self::Pong { .. } => 0x82,
            Self::Started { .. } => 0x83,
            Self::Token { .. } => 0x84,
            Self::End(_) => 0x85,
            Self::Memory(_) => 0x86,
            Self::Power { .. } => 0x87,
            Self::BaudOffer { .. } => 0x88,
            Self::BaudKept { .. } => 0x89,
            Self::Acknowledge { .. } => 0x8a,
            Self::Model(_) => 0x8d,
            Self::Log { .. } => 0x8e,
            Self::Error { .. } => 0x8f,
        }
    }

    /// Writes the payload; returns its length.
    pub fn encode(&self, out: &mut [u8]) -> usize {
        let mut w = Writer::new(out);
        match *self {
            Self::Hello(ref hello) => hello.write(&mut w),
            Self::Pong { nonce, received, sent, boot_id } => {
                w.u64(nonce).u64(received).u64(sent).u32(boot_id);
            }
            Self::Started { request, ticks, prompt_tokens } => {
                w.u32(request).u64(ticks).u16(prompt_tokens);
            }
            Self::Token { request, index, id, ticks, piece } => {
                w.u32(request).u16(index).u32(id).u64(ticks).bytes(piece);
            }
            Self::End(ref end) => end.write(&mut w),
            Self::Memory(ref memory) => memory.write(&mut w),
            Self::Power { sequence, ticks, microwatts } => {
                w.u32(sequence).u64(ticks).u32(microwatts);
            }
            Self::BaudOffer { rate, token } | Self::BaudKept { rate, token } => {
                w.u32(rate).u32(token);
            }
            Self::Acknowledge { value } => {
                w.u32(value);
            }
            Self::Model(ref model) => model.write(&mut w),
            Self::Log { level, text } => {
                w.u8(level).bytes(text);
            }
            Self::Error { code, value, text } => {
                w.u8(code.0).u32(value).bytes(text);
            }
        }
        w.used()
    }

    /// Reads a payload; `None` if no reply has this code.
    pub fn decode(kind: u8, payload: &'a [u8]) -> Option<Result<Self, Malformed>> {
        matches!(kind, 0x81..=0x8a | 0x8d..=0x8f).then(|| Self::fields(kind, payload))
    }

    fn fields(kind: u8, payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut r = Reader(payload);
        Ok(match kind {
            0x81 => Self::Hello(HelloRecord::read(&mut r)?),
            0x82 => Self::Pong {
                nonce: r.u64()?,
                received: r.u64()?,
                sent: r.u64()?,
                boot_id: r.u32()?,
            },
            0x83 => Self::Started { request: r.u32()?, ticks: r.u64()?, prompt_tokens: r.u16()? },
            0x84 => Self::Token {
                request: r.u32()?,
                index: r.u16()?,
                id: r.u32()?,
                ticks: r.u64()?,
                piece: r.rest(),
            },
            0x85 => Self::End(EndRecord::read(&mut r)?),
            0x86 => Self::Memory(MemoryRecord::read(&mut r)?),
            0x87 => Self::Power { sequence: r.u32()?, ticks: r.u64()?, microwatts: r.u32()? },
            0x88 => Self::BaudOffer { rate: r.u32()?, token: r.u32()? },
            0x89 => Self::BaudKept { rate: r.u32()?, token: r.u32()? },
            0x8a => Self::Acknowledge { value: r.u32()? },
            0x8d => Self::Model(ModelRecord::read(&mut r)?),
            0x8e => Self::Log { level: r.u8()?, text: r.rest() },
            _ => Self::Error { code: ErrorCode(r.u8()?), value: r.u32()?, text: r.rest() },
        })
    }
}
