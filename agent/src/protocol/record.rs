//! The longer things a device says.

use super::wire::{Malformed, Reader, Writer};

/// Who a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // fields as in docs/protocol.md
pub struct HelloRecord<'a> {
    pub protocol: u8,
    pub clock_bits: u8,
    pub boot_id: u32,
    pub clock_hz: u32,
    pub ram_bytes: u32,
    pub flash_bytes: u32,
    pub capabilities: u32,
    pub ring_records: u16,
    /// Little-endian `u32`s.
    pub baud_rates: &'a [u8],
    pub board: &'a [u8],
    pub firmware: &'a [u8],
}

impl<'a> HelloRecord<'a> {
    pub(super) fn write(&self, w: &mut Writer<'_>) {
        w.u8(self.protocol).u8(self.clock_bits).u32(self.boot_id).u32(self.clock_hz);
        w.u32(self.ram_bytes).u32(self.flash_bytes).u32(self.capabilities);
        w.u16(self.ring_records).short(self.baud_rates).short(self.board).short(self.firmware);
    }

    pub(super) fn read(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        Ok(Self {
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

impl EndRecord {
    pub(super) fn write(&self, w: &mut Writer<'_>) {
        w.u32(self.request).u8(self.reason as u8).u16(self.prompt_tokens).u16(self.tokens);
        w.u64(self.start_ticks).u64(self.prefill_ticks).u64(self.end_ticks).u64(self.digest);
        w.u64(self.cycles.unwrap_or(u64::MAX)).u64(self.instructions.unwrap_or(u64::MAX));
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let known = |value: u64| (value != u64::MAX).then_some(value);
        Ok(Self {
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
            cycles: known(r.u64()?),
            instructions: known(r.u64()?),
        })
    }
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

impl MemoryRecord {
    pub(super) fn write(&self, w: &mut Writer<'_>) {
        for value in [
            self.static_bytes,
            self.stack_high_water_bytes,
            self.arena_used_bytes,
            self.arena_bytes,
            self.kv_bytes,
            self.model_bytes,
            self.flash_used_bytes,
            self.ram_bytes,
            self.flash_bytes,
        ] {
            w.u32(value.unwrap_or(u32::MAX));
        }
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut next = || r.u32().map(|value| (value != u32::MAX).then_some(value));
        Ok(Self {
            static_bytes: next()?,
            stack_high_water_bytes: next()?,
            arena_used_bytes: next()?,
            arena_bytes: next()?,
            kv_bytes: next()?,
            model_bytes: next()?,
            flash_used_bytes: next()?,
            ram_bytes: next()?,
            flash_bytes: next()?,
        })
    }
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

impl<'a> ModelRecord<'a> {
    pub(super) fn write(&self, w: &mut Writer<'_>) {
        w.u64(self.parameters).u32(self.vocabulary).u32(self.context).u32(self.layers);
        w.u32(self.dimension).u32(self.quantisation).u32(self.model_bytes);
        w.u32(self.arena_bytes).bytes(self.name);
    }

    pub(super) fn read(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        Ok(Self {
            parameters: r.u64()?,
            vocabulary: r.u32()?,
            context: r.u32()?,
            layers: r.u32()?,
            dimension: r.u32()?,
            quantisation: r.u32()?,
            model_bytes: r.u32()?,
            arena_bytes: r.u32()?,
            name: r.rest(),
        })
    }
}
