//! The core: fetch blocks, execute, count.

use super::bus::{Bus, FLASH};
use super::profile::Profile;
use super::program::Program;
use super::{Fault, SimulatorError, elf};

/// Baud rate after a start.
const BAUD: u32 = 921_600;
/// In front of the model in flash: a magic word and the length.
const MODEL_HEADER: usize = 16;
const MODEL_MAGIC: &[u8; 4] = b"HFM1";

/// Why [`Machine::run`] came back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pause {
    /// The program waits for input.
    Idle,
    /// The budget is used up.
    Running,
    /// The program cannot go on.
    Fault,
}

/// A board with its firmware.
pub struct Machine {
    pub(super) profile: Profile,
    pub(super) program: Program,
    pub(super) bus: Bus,
    pub(super) x: [u32; 64],
    pub(super) pc: u32,
    pub(super) entry: u32,
    pub(super) instructions: u64,
    pub(super) stack_top: u32,
    pub(super) stack_lowest: u32,
    pub(super) flash_used: usize,
    pub(super) boot_id: u32,
    pub(super) fault: Option<Fault>,
}

impl Machine {
    /// A board that has just been given power. `profile` may differ from the part's own
    /// in its sizes and clock.
    pub fn new(
        firmware: &[u8],
        model: Option<&[u8]>,
        profile: Profile,
        seed: u32,
    ) -> Result<Self, SimulatorError> {
        for (name, value) in
            [("ram_bytes", profile.ram_bytes), ("flash_bytes", profile.flash_bytes)]
        {
            if !(4096..=128 << 20).contains(&value) || !value.is_multiple_of(16) {
                return Err(SimulatorError::Size { name, value });
            }
        }
        if profile.clock_hz == 0 {
            return Err(SimulatorError::Clock);
        }
        let image = elf::read(firmware, FLASH, profile.flash_bytes, profile.name)?;
        let code = &image.flash[..((image.code_end - FLASH) as usize).min(image.flash.len())];
        let program = Program::new(code, profile.cycles);
        let model_at = image.flash.len().next_multiple_of(MODEL_HEADER);
        let mut flash = image.flash;
        let mut flash_used = flash.len();
        if let Some(model) = model {
            let needed = model_at + MODEL_HEADER + model.len();
            if needed > profile.flash_bytes {
                let (profile, flash) = (profile.name, profile.flash_bytes);
                return Err(SimulatorError::ModelTooLarge { needed, profile, flash });
            }
            flash.resize(model_at, 0);
            flash.extend_from_slice(MODEL_MAGIC);
            flash.extend_from_slice(&(model.len() as u32).to_le_bytes());
            flash.resize(model_at + MODEL_HEADER, 0);
            flash.extend_from_slice(model);
            flash_used = flash.len();
        }
        flash.resize(profile.flash_bytes, 0xff);
        let model_at = FLASH + model_at as u32;
        let bus = Bus::new(flash, profile.ram_bytes, profile.clock_hz, model_at, BAUD);
        let mut machine = Self {
            profile,
            program,
            bus,
            x: [0; 64],
            pc: image.entry,
            entry: image.entry,
            instructions: 0,
            stack_top: 0,
            stack_lowest: u32::MAX,
            flash_used,
            boot_id: seed,
            fault: None,
        };
        machine.reset();
        Ok(machine)
    }

    /// The reset button: memory is lost, flash is not, the counters start anew.
    pub fn reset(&mut self) {
        // Spread, so that ids of neighbouring seeds do not meet after a few resets.
        self.boot_id = self.boot_id.wrapping_mul(0x9e37_79b1).wrapping_add(1);
        self.bus.reset(BAUD, self.boot_id);
        self.x = [0; 64];
        self.pc = self.entry;
        self.instructions = 0;
        self.program.blocks.iter_mut().for_each(|block| block.entered = 0);
        (self.stack_top, self.stack_lowest) = (0, u32::MAX);
        self.fault = None;
    }

    /// The part.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Cycles since the start.
    pub fn ticks(&self) -> u64 {
        self.bus.cycles
    }

    /// What stopped the program, if anything did.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Bytes the host puts on the wire.
    pub fn write(&mut self, bytes: &[u8]) {
        self.bus.receive(bytes);
    }

    /// Bytes the device has put on the wire.
    pub fn read(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bus.sent)
    }

    /// The host's port changes its baud rate.
    pub fn set_host_baud(&mut self, rate: u32) {
        self.bus.host_baud = rate;
    }

    /// Time passes while the device waits.
    pub fn advance(&mut self, cycles: u64) {
        self.bus.cycles = self.bus.cycles.saturating_add(cycles);
    }

    /// Executes about `budget` instructions, to the end of a block.
    pub fn run(&mut self, budget: u64) -> Pause {
        let until = self.instructions.saturating_add(budget);
        loop {
            if self.fault.is_some() {
                return Pause::Fault;
            }
            if self.bus.reset_asked {
                let sent = self.read();
                self.reset();
                self.bus.sent = sent;
            }
            if self.instructions >= until {
                return Pause::Running;
            }
            match self.block() {
                Ok(true) => {}
                Ok(false) => return Pause::Idle,
                Err(fault) => self.fault = Some(fault),
            }
        }
    }
}
