//! What the agent needs from the machine it runs on.

use crate::engine::{Engine, Plain};

/// Bits of [`Identity::capabilities`].
pub mod capability {
    /// Models can be uploaded.
    pub const UPLOAD: u32 = 1;
    /// There is a power meter.
    pub const POWER: u32 = 2;
    /// The baud rate can change.
    pub const BAUD: u32 = 4;
    /// The same input always takes the same time.
    pub const DETERMINISTIC: u32 = 8;
}

/// Who a device says it is.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// Different after every start.
    pub boot_id: u32,
    /// Ticks per second of [`Board::ticks`].
    pub clock_hz: u32,
    /// Bits after which ticks wrap.
    pub clock_bits: u8,
    /// Bytes of memory.
    pub ram_bytes: u32,
    /// Bytes of flash.
    pub flash_bytes: u32,
    /// See [`capability`].
    pub capabilities: u32,
    /// Rates [`Board::set_baud`] takes.
    pub baud_rates: &'a [u32],
    /// Name of the board.
    pub board: &'a str,
    /// Name and version of the firmware.
    pub firmware: &'a str,
}

/// Memory only the board knows about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// Static variables without the arena.
    pub static_bytes: Option<u32>,
    /// Deepest stack so far.
    pub stack_high_water_bytes: Option<u32>,
    /// Code, constants and the stored model.
    pub flash_used_bytes: Option<u32>,
}

/// Clock, wire and memory of a device.
pub trait Board {
    /// Who it is.
    fn identity(&self) -> Identity<'_>;
    /// The device's clock.
    fn ticks(&mut self) -> u64;
    /// Puts bytes on the wire, all of them.
    fn send(&mut self, bytes: &[u8]);
    /// The stored model (empty if none) and the memory the engine may use.
    fn workspace(&mut self) -> (&[u8], &mut [u32]);

    /// Memory only the board knows about.
    fn memory(&mut self) -> Memory {
        Memory::default()
    }
    /// Processor cycles and instructions since the start.
    fn counters(&mut self) -> (Option<u64>, Option<u64>) {
        (None, None)
    }
    /// The power drawn now.
    fn microwatts(&mut self) -> Option<u32> {
        None
    }
    /// Changes the baud rate once everything sent has left; `false` if it cannot.
    fn set_baud(&mut self, _rate: u32) -> bool {
        false
    }
    /// Makes room for a model; `false` if there is none.
    fn begin_model(&mut self, _length: usize) -> bool {
        false
    }
    /// Stores a part of the model; `false` if that failed.
    fn write_model(&mut self, _offset: usize, _bytes: &[u8]) -> bool {
        false
    }
    /// Starts anew, if it can.
    fn reboot(&mut self) {}
    /// One token through the network. Boards with vector units put them to use here.
    fn evaluate(&mut self, engine: &Engine, token: u32, position: usize, logits: bool) {
        let (model, arena) = self.workspace();
        engine.forward(Plain, model, arena, token, position, logits);
    }
}
