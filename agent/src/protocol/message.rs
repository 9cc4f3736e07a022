//! Payloads. The numbers are the protocol's: change one and the version changes.

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

/// Why a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// `max_tokens` were generated.
    Length = 0,
    /// The model ended the text.
    EndOfText = 1,
    /// The context is full.
    Context = 2,
    /// The host cancelled.
    Cancelled = 3,
}

impl Reason {
    /// A short word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::EndOfText => "eos",
            Self::Context => "context",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What went wrong with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode(pub u8);

macro_rules! error_codes {
    ($($name:ident = $code:literal, $word:literal;)*) => {
        #[allow(missing_docs)] // the words are in docs/protocol.md
        impl ErrorCode {
            $(pub const $name: Self = Self($code);)*

            /// A short word for it.
            pub fn word(self) -> &'static str {
                match self.0 {
                    $($code => $word,)*
                    _ => "unknown",
                }
            }
        }
    };
}

error_codes! {
    MALFORMED = 1, "malformed";
    VERSION = 2, "version";
    UNKNOWN_COMMAND = 3, "unknown_command";
    BUSY = 4, "busy";
    NO_MODEL = 5, "no_model";
    BAD_MODEL = 6, "bad_model";
    OUT_OF_MEMORY = 7, "out_of_memory";
    BAD_PROMPT = 8, "bad_prompt";
    RING_LOST = 9, "ring_lost";
    UNKNOWN_REQUEST = 10, "unknown_request";
    UNSUPPORTED = 11, "unsupported";
    TOO_LARGE = 12, "too_large";
    HASH_MISMATCH = 13, "hash_mismatch";
    WRITE_FAILED = 14, "write_failed";
}

/// The account of a finished generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // fields as in docs/protocol.md
pub struct EndRecord {
    pub request: u32,
    pub reason: Reason,
    pub prompt_tokens: u16,
    pub tokens: u16,
    pub start_ticks: u64,
    pub prefill_ticks: u64,
    pub end_ticks: u64,
    pub digest: u64,
    pub cycles: Option<u64>,
    pub instructions: Option<u64>,
}

/// Where memory goes; `None` is what the device cannot tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // fields as in docs/protocol.md
pub struct MemoryRecord {
    pub static_bytes: Option<u32>,
    pub stack_high_water_bytes: Option<u32>,
    pub arena_used_bytes: Option<u32>,
    pub arena_bytes: Option<u32>,
    pub kv_bytes: Option<u32>,
    pub model_bytes: Option<u32>,
    pub flash_used_bytes: Option<u32>,
    pub ram_bytes: Option<u32>,
    pub flash_bytes: Option<u32>,
}

/// The model a device runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // fields as in docs/protocol.md
pub struct ModelRecord<'a> {
    pub parameters: u64,
    pub vocabulary: u32,
    pub context: u32,
    pub layers: u32,
    pub dimension: u32,
    pub quantisation: u32,
    pub model_bytes: u32,
    pub arena_bytes: u32,
    pub name: &'a [u8],
}

/// What a device says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // fields as in docs/protocol.md
pub enum Reply<'a> {
    Hello {
        protocol: u8,
        clock_bits: u8,
        boot_id: u32,
        clock_hz: u32,
        ram_bytes: u32,
        flash_bytes: u32,
        capabilities: u32,
        ring_records: u16,
        /// Little-endian `u32`s.
        baud_rates: &'a [u8],
        board: &'a [u8],
        firmware: &'a [u8],
    },
    Pong {
        nonce: u64,
        received: u64,
        sent: u64,
        boot_id: u32,
    },
    Started {
        request: u32,
        ticks: u64,
        prompt_tokens: u16,
    },
    Token {
        request: u32,
        index: u16,
        id: u32,
        ticks: u64,
        piece: &'a [u8],
    },
    End(EndRecord),
    Memory(MemoryRecord),
    Power {
        sequence: u32,
        ticks: u64,
        microwatts: u32,
    },
    BaudOffer {
        rate: u32,
        token: u32,
    },
    BaudKept {
        rate: u32,
        token: u32,
    },
    Acknowledge {
        value: u32,
    },
    Model(ModelRecord<'a>),
    Log {
        level: u8,
        text: &'a [u8],
    },
    Error {
        code: ErrorCode,
        value: u32,
        text: &'a [u8],
    },
}

impl<'a> Reply<'a> {
    /// Its code in the header.
    pub fn kind(&self) -> u8 {
        match self {
            Self::Hello { .. } => 0x81,
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
            Self::Hello {
                protocol,
                clock_bits,
                boot_id,
                clock_hz,
                ram_bytes,
                flash_bytes,
                capabilities,
                ring_records,
                baud_rates,
                board,
                firmware,
            } => {
                w.u8(protocol).u8(clock_bits).u32(boot_id).u32(clock_hz).u32(ram_bytes);
                w.u32(flash_bytes).u32(capabilities).u16(ring_records);
                w.short(baud_rates).short(board).short(firmware);
            }
            Self::Pong { nonce, received, sent, boot_id } => {
                w.u64(nonce).u64(received).u64(sent).u32(boot_id);
            }
            Self::Started { request, ticks, prompt_tokens } => {
                w.u32(request).u64(ticks).u16(prompt_tokens);
            }
            Self::Token { request, index, id, ticks, piece } => {
                w.u32(request).u16(index).u32(id).u64(ticks).bytes(piece);
            }
            Self::End(ref end) => {
                w.u32(end.request).u8(end.reason as u8).u16(end.prompt_tokens).u16(end.tokens);
                w.u64(end.start_ticks).u64(end.prefill_ticks).u64(end.end_ticks).u64(end.digest);
                w.u64(end.cycles.unwrap_or(u64::MAX)).u64(end.instructions.unwrap_or(u64::MAX));
            }
            Self::Memory(ref memory) => {
                for value in memory.fields() {
                    w.u32(value.unwrap_or(u32::MAX));
                }
            }
            Self::Power { sequence, ticks, microwatts } => {
                w.u32(sequence).u64(ticks).u32(microwatts);
            }
            Self::BaudOffer { rate, token } | Self::BaudKept { rate, token } => {
                w.u32(rate).u32(token);
            }
            Self::Acknowledge { value } => {
                w.u32(value);
            }
            Self::Model(ref m) => {
                w.u64(m.parameters).u32(m.vocabulary).u32(m.context).u32(m.layers);
                w.u32(m.dimension).u32(m.quantisation).u32(m.model_bytes).u32(m.arena_bytes);
                w.bytes(m.name);
            }
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
            0x81 => Self::Hello {
                protocol: r.u8()?,
                clock_bits: r.u8()?,
                boot_id: r.u32()?,
                clock_hz: r.u32()?,
                ram_bytes: r.u32()?,
                flash_bytes: r.u32()?,
                capabilities: r.u32()?,
                ring_records: r.u16()?,
                baud_rates: r.short()?,
                board: r.short()?,
                firmware: r.short()?,
            },
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
            0x85 => Self::End(EndRecord {
                request: r.u32()?,
                reason: match r.u8()? {
                    0 => Reason::Length,
                    1 => Reason::EndOfText,
                    2 => Reason::Context,
                    3 => Reason::Cancelled,
                    _ => return Err(Malformed),
                },
                prompt_tokens: r.u16()?,
                tokens: r.u16()?,
                start_ticks: r.u64()?,
                prefill_ticks: r.u64()?,
                end_ticks: r.u64()?,
                digest: r.u64()?,
                cycles: known64(r.u64()?),
                instructions: known64(r.u64()?),
            }),
            0x86 => Self::Memory(MemoryRecord {
                static_bytes: known32(r.u32()?),
                stack_high_water_bytes: known32(r.u32()?),
                arena_used_bytes: known32(r.u32()?),
                arena_bytes: known32(r.u32()?),
                kv_bytes: known32(r.u32()?),
                model_bytes: known32(r.u32()?),
                flash_used_bytes: known32(r.u32()?),
                ram_bytes: known32(r.u32()?),
                flash_bytes: known32(r.u32()?),
            }),
            0x87 => Self::Power { sequence: r.u32()?, ticks: r.u64()?, microwatts: r.u32()? },
            0x88 => Self::BaudOffer { rate: r.u32()?, token: r.u32()? },
            0x89 => Self::BaudKept { rate: r.u32()?, token: r.u32()? },
            0x8a => Self::Acknowledge { value: r.u32()? },
            0x8d => Self::Model(ModelRecord {
                parameters: r.u64()?,
                vocabulary: r.u32()?,
                context: r.u32()?,
                layers: r.u32()?,
                dimension: r.u32()?,
                quantisation: r.u32()?,
                model_bytes: r.u32()?,
                arena_bytes: r.u32()?,
                name: r.rest(),
            }),
            0x8e => Self::Log { level: r.u8()?, text: r.rest() },
            _ => Self::Error { code: ErrorCode(r.u8()?), value: r.u32()?, text: r.rest() },
        })
    }
}

impl MemoryRecord {
    fn fields(&self) -> [Option<u32>; 9] {
        [
            self.static_bytes,
            self.stack_high_water_bytes,
            self.arena_used_bytes,
            self.arena_bytes,
            self.kv_bytes,
            self.model_bytes,
            self.flash_used_bytes,
            self.ram_bytes,
            self.flash_bytes,
        ]
    }
}

fn known32(value: u32) -> Option<u32> {
    (value != u32::MAX).then_some(value)
}

fn known64(value: u64) -> Option<u64> {
    (value != u64::MAX).then_some(value)
}
