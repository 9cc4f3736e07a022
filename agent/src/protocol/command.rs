//! What hosts say. The numbers are the protocol's: change one and the version changes.

use super::wire::{Malformed, Reader, Writer};

/// What a host asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // fields as in docs/protocol.md
pub enum Command<'a> {
    Hello,
    Ping {
        nonce: u64,
    },
    Generate {
        request: u32,
        max_tokens: u16,
        ignore_eos: bool,
        token_ids: bool,
        add_bos: bool,
        temperature_milli: u16,
        seed: u32,
        prompt: &'a [u8],
    },
    Cancel {
        request: u32,
    },
    Resume {
        request: u32,
        from: u16,
    },
    Memory,
    Power,
    SetBaud {
        rate: u32,
        token: u32,
    },
    ConfirmBaud {
        token: u32,
    },
    ModelBegin {
        length: u32,
        sha256: [u8; 32],
    },
    ModelChunk {
        offset: u32,
        data: &'a [u8],
    },
    ModelEnd,
    ModelInfo,
    Reboot,
}

impl<'a> Command<'a> {
    /// Its code in the header.
    pub fn kind(&self) -> u8 {
        match self {
            Self::Hello => 0x01,
            Self::Ping { .. } => 0x02,
            Self::Generate { .. } => 0x03,
            Self::Cancel { .. } => 0x04,
            Self::Resume { .. } => 0x05,
            Self::Memory => 0x06,
            Self::Power => 0x07,
            Self::SetBaud { .. } => 0x08,
            Self::ConfirmBaud { .. } => 0x09,
            Self::ModelBegin { .. } => 0x0a,
            Self::ModelChunk { .. } => 0x0b,
            Self::ModelEnd => 0x0c,
            Self::ModelInfo => 0x0d,
            Self::Reboot => 0x0e,
        }
    }

    /// Writes the payload; returns its length.
    pub fn encode(&self, out: &mut [u8]) -> usize {
        let mut w = Writer::new(out);
        match *self {
            Self::Hello
            | Self::Memory
            | Self::Power
            | Self::ModelEnd
            | Self::ModelInfo
            | Self::Reboot => {}
            Self::Ping { nonce } => {
                w.u64(nonce);
            }
            Self::Generate {
                request,
                max_tokens,
                ignore_eos,
                token_ids,
                add_bos,
                temperature_milli,
                seed,
                prompt,
            } => {
                let flags =
                    u8::from(ignore_eos) | u8::from(token_ids) << 1 | u8::from(add_bos) << 2;
                w.u32(request).u16(max_tokens).u8(flags).u16(temperature_milli).u32(seed);
                w.bytes(prompt);
            }
            Self::Cancel { request: word } | Self::ConfirmBaud { token: word } => {
                w.u32(word);
            }
            Self::Resume { request, from } => {
                w.u32(request).u16(from);
            }
            Self::SetBaud { rate, token } => {
                w.u32(rate).u32(token);
            }
            Self::ModelBegin { length, sha256 } => {
                w.u32(length).bytes(&sha256);
            }
            Self::ModelChunk { offset, data } => {
                w.u32(offset).bytes(data);
            }
        }
        w.used()
    }

    /// Reads a payload; `None` if no command has this code.
    pub fn decode(kind: u8, payload: &'a [u8]) -> Option<Result<Self, Malformed>> {
        (1..=0x0e).contains(&kind).then(|| Self::fields(kind, payload))
    }

    fn fields(kind: u8, payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut r = Reader(payload);
        Ok(match kind {
            0x01 => Self::Hello,
            0x02 => Self::Ping { nonce: r.u64()? },
            0x03 => {
                let (request, max_tokens, flags) = (r.u32()?, r.u16()?, r.u8()?);
                Self::Generate {
                    request,
                    max_tokens,
                    ignore_eos: flags & 1 != 0,
                    token_ids: flags & 2 != 0,
                    add_bos: flags & 4 != 0,
                    temperature_milli: r.u16()?,
                    seed: r.u32()?,
                    prompt: r.rest(),
                }
            }
            0x04 => Self::Cancel { request: r.u32()? },
            0x05 => Self::Resume { request: r.u32()?, from: r.u16()? },
            0x06 => Self::Memory,
            0x07 => Self::Power,
            0x08 => Self::SetBaud { rate: r.u32()?, token: r.u32()? },
            0x09 => Self::ConfirmBaud { token: r.u32()? },
            0x0a => Self::ModelBegin { length: r.u32()?, sha256: r.array()? },
            0x0b => Self::ModelChunk { offset: r.u32()?, data: r.rest() },
            0x0c => Self::ModelEnd,
            0x0d => Self::ModelInfo,
            _ => Self::Reboot,
        })
    }
}
