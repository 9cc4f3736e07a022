//! The core: fetch blocks, execute, count.

use super::bus::{Bus, FLASH, RAM};
use super::decode::{Code, Op, Program};
use super::profile::{CLASSES, Profile};
use super::{Fault, FaultKind, SimulatorError, elf};

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

/// What was executed, exactly.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Report {
    /// Instructions.
    pub instructions: u64,
    /// Cycles by the part's table.
    pub cycles: u64,
    /// Instructions by class.
    pub classes: [u64; CLASSES.len()],
    /// Bytes of memory ever written, in words.
    pub ram_touched_bytes: usize,
    /// Deepest stack.
    pub stack_high_water_bytes: usize,
    /// Bytes of memory.
    pub ram_bytes: usize,
    /// Bytes of flash.
    pub flash_bytes: usize,
    /// Firmware, and the model at the start.
    pub flash_used_bytes: usize,
}

/// A board with its firmware.
pub struct Machine {
    profile: Profile,
    program: Program,
    bus: Bus,
    x: [u32; 64],
    pc: u32,
    entry: u32,
    instructions: u64,
    /// How often the block at each instruction ran.
    entered: Vec<u64>,
    stack_top: u32,
    stack_lowest: u32,
    flash_used: usize,
    boot_id: u32,
    fault: Option<Fault>,
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
        let program = Program::new(code, &profile.cycles);
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
        let entered = vec![0; program.ops.len()];
        let mut machine = Self {
            profile,
            program,
            bus,
            x: [0; 64],
            pc: image.entry,
            entry: image.entry,
            instructions: 0,
            entered,
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
        self.entered.fill(0);
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

    /// What was executed since the start.
    pub fn report(&self) -> Report {
        let mut classes = [0; CLASSES.len()];
        for (start, count) in self.entered.iter().enumerate().filter(|(_, count)| **count > 0) {
            let length = self.program.blocks[start].length as usize;
            for op in &self.program.ops[start..start + length] {
                classes[op.class() as usize] += count;
            }
        }
        Report {
            instructions: self.instructions,
            cycles: self.bus.cycles,
            classes,
            ram_touched_bytes: 4 * self.bus.touched.iter().filter(|word| **word != 0).count(),
            stack_high_water_bytes: self.stack_top.saturating_sub(self.stack_lowest) as usize,
            ram_bytes: self.profile.ram_bytes,
            flash_bytes: self.profile.flash_bytes,
            flash_used_bytes: self.flash_used,
        }
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

    /// Runs one block; `false` if the program waits and nothing will come by itself.
    #[inline(always)]
    fn block(&mut self) -> Result<bool, Fault> {
        let first = (self.pc.wrapping_sub(FLASH) >> 2) as usize;
        let Some(block) = self.program.blocks.get(first).filter(|_| self.pc.is_multiple_of(4))
        else {
            return Err(Fault { kind: FaultKind::Fetch, pc: self.pc, address: self.pc });
        };
        self.entered[first] += 1;
        self.instructions += u64::from(block.length);
        self.bus.cycles += u64::from(block.cycles);
        let last = first + block.length as usize - 1;
        let (ops, end) = (&self.program.ops[first..last], self.program.ops[last]);
        for (offset, op) in ops.iter().enumerate() {
            let pc = self.pc.wrapping_add(4 * offset as u32);
            if let Err((kind, address)) = straight(&mut self.x, &mut self.bus, *op, pc) {
                return Err(Fault { kind, pc, address });
            }
        }
        self.pc = self.pc.wrapping_add(4 * (last - first) as u32);
        self.flow(end)
    }

    /// The instruction that ends a block.
    #[inline(always)]
    fn flow(&mut self, op: Op) -> Result<bool, Fault> {
        let (a, b) = (self.x[usize::from(op.rs1 & 63)], self.x[usize::from(op.rs2 & 63)]);
        let next = self.pc.wrapping_add(4);
        let target = self.pc.wrapping_add(op.imm as u32);
        let taken = match op.code {
            Code::Beq => a == b,
            Code::Bne => a != b,
            Code::Blt => (a as i32) < b as i32,
            Code::Bge => a as i32 >= b as i32,
            Code::Bltu => a < b,
            Code::Bgeu => a >= b,
            _ => return self.rare(op, a, next, target),
        };
        self.pc = if taken {
            self.bus.cycles += u64::from(self.profile.cycles.taken);
            target
        } else {
            next
        };
        Ok(true)
    }

    #[inline(always)]
    fn rare(&mut self, op: Op, a: u32, next: u32, target: u32) -> Result<bool, Fault> {
        let fault = |kind| Err(Fault { kind, pc: next.wrapping_sub(4), address: 0 });
        match op.code {
            Code::Jal | Code::Jalr => {
                self.x[usize::from(op.rd & 63)] = next;
                self.pc =
                    if op.code == Code::Jal { target } else { a.wrapping_add(op.imm as u32) & !1 };
                return Ok(true);
            }
            Code::Csr => {
                let (cycles, instructions) = (self.bus.cycles, self.instructions);
                self.x[usize::from(op.rd & 63)] = match op.imm {
                    0xb00 | 0xc00 => cycles as u32,
                    0xb80 | 0xc80 => (cycles >> 32) as u32,
                    0xb02 | 0xc02 => instructions as u32,
                    0xb82 | 0xc82 => (instructions >> 32) as u32,
                    _ => return fault(FaultKind::Illegal),
                };
            }
            Code::Wfi => {
                self.pc = next;
                return Ok(match self.bus.received.front() {
                    // Bytes on their way are the next thing to happen.
                    Some((at, _)) => {
                        self.bus.cycles = self.bus.cycles.max(*at);
                        true
                    }
                    None => false,
                });
            }
            Code::Ebreak => return fault(FaultKind::Panic),
            Code::Illegal => return fault(FaultKind::Illegal),
            _ => {
                // Anything else that ends a block writes the stack pointer.
                if let Err((kind, address)) = straight(&mut self.x, &mut self.bus, op, self.pc) {
                    return Err(Fault { kind, pc: self.pc, address });
                }
                self.stack_moved();
            }
        }
        if op.rd == 2 {
            self.stack_moved();
        }
        self.pc = next;
        Ok(true)
    }

    fn stack_moved(&mut self) {
        let sp = self.x[2];
        // The first value within memory is where the stack begins; values on the way
        // there (half an address) lie outside of it.
        if sp.wrapping_sub(RAM) <= self.profile.ram_bytes as u32 {
            self.stack_top = self.stack_top.max(sp);
            self.stack_lowest = self.stack_lowest.min(sp);
        }
    }
}

type Trouble = (FaultKind, u32);

#[cold]
fn trouble(kind: FaultKind, address: u32, size: u32) -> Trouble {
    if !address.is_multiple_of(size) {
        (FaultKind::Misaligned, address)
    } else if (RAM - 65_536..RAM).contains(&address) {
        (FaultKind::StackOverflow, address)
    } else {
        (kind, address)
    }
}

/// An instruction after which the next one follows.
#[inline(always)]
fn straight(x: &mut [u32; 64], bus: &mut Bus, op: Op, pc: u32) -> Result<(), Trouble> {
    let (a, b) = (x[usize::from(op.rs1 & 63)], x[usize::from(op.rs2 & 63)]);
    let imm = op.imm as u32;
    let at = a.wrapping_add(imm);
    macro_rules! load {
        ($size:literal, $type:ty, $wide:ty) => {{
            let bytes = if at.is_multiple_of($size) { bus.load::<$size>(at) } else { None };
            let Some(bytes) = bytes else { return Err(trouble(FaultKind::Load, at, $size)) };
            <$type>::from_le_bytes(bytes) as $wide as u32
        }};
    }
    macro_rules! store {
        ($size:literal, $type:ty) => {{
            let bytes = (b as $type).to_le_bytes();
            let stored =
                if at.is_multiple_of($size) { bus.store::<$size>(at, bytes) } else { None };
            if stored.is_none() {
                return Err(trouble(FaultKind::Store, at, $size));
            }
            return Ok(());
        }};
    }
    let value = match op.code {
        Code::Lui => imm,
        Code::Auipc => pc.wrapping_add(imm),
        Code::Addi => at,
        Code::Slti => u32::from((a as i32) < op.imm),
        Code::Sltiu => u32::from(a < imm),
        Code::Xori => a ^ imm,
        Code::Ori => a | imm,
        Code::Andi => a & imm,
        Code::Slli => a << (imm & 31),
        Code::Srli => a >> (imm & 31),
        Code::Srai => ((a as i32) >> (imm & 31)) as u32,
        Code::Add => a.wrapping_add(b),
        Code::Sub => a.wrapping_sub(b),
        Code::Sll => a << (b & 31),
        Code::Slt => u32::from((a as i32) < b as i32),
        Code::Sltu => u32::from(a < b),
        Code::Xor => a ^ b,
        Code::Srl => a >> (b & 31),
        Code::Sra => ((a as i32) >> (b & 31)) as u32,
        Code::Or => a | b,
        Code::And => a & b,
        Code::Mul => a.wrapping_mul(b),
        Code::Mulh => ((i64::from(a as i32) * i64::from(b as i32)) >> 32) as u32,
        Code::Mulhsu => ((i64::from(a as i32) * i64::from(b)) >> 32) as u32,
        Code::Mulhu => ((u64::from(a) * u64::from(b)) >> 32) as u32,
        Code::Div if b == 0 => u32::MAX,
        Code::Div => (a as i32).wrapping_div(b as i32) as u32,
        Code::Divu => a.checked_div(b).unwrap_or(u32::MAX),
        Code::Rem if b == 0 => a,
        Code::Rem => (a as i32).wrapping_rem(b as i32) as u32,
        Code::Remu => a.checked_rem(b).unwrap_or(a),
        Code::Lb => load!(1, i8, i32),
        Code::Lh => load!(2, i16, i32),
        Code::Lw => load!(4, u32, u32),
        Code::Lbu => load!(1, u8, u32),
        Code::Lhu => load!(2, u16, u32),
        Code::Sb => store!(1, u8),
        Code::Sh => store!(2, u16),
        Code::Sw => store!(4, u32),
        _ => return Ok(()),
    };
    x[usize::from(op.rd & 63)] = value;
    Ok(())
}
