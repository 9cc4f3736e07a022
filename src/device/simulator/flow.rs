//! Blocks, and the instructions that end them.

use super::bus::RAM;
use super::decode::{Code, Op};
use super::execute::{Trouble, straight};
use super::machine::Machine;
use super::program::Block;
use super::{Fault, FaultKind};

impl Machine {
    /// Runs one block; `false` if the program waits and nothing will come by itself.
    #[inline(always)]
    pub(super) fn block(&mut self) -> Result<bool, Fault> {
        let Some(index) = self.program.block_at(self.pc) else {
            return Err(Fault { kind: FaultKind::Fetch, pc: self.pc, address: self.pc });
        };
        let block = &mut self.program.blocks[index];
        block.entered += 1;
        let Block { first, length, cycles, bytes, .. } = *block;
        self.instructions += length as u64;
        self.bus.cycles += u64::from(cycles);
        let last = first + length - 1;
        let end = self.program.ops[last];
        for (offset, op) in self.program.ops[first..last].iter().enumerate() {
            if let Err((kind, address)) = straight(&mut self.x, &mut self.bus, *op) {
                let pc = self.pc.wrapping_add(self.program.bytes(first, first + offset));
                return Err(Fault { kind, pc, address });
            }
        }
        let next = self.pc.wrapping_add(bytes);
        match self.flow(end, next) {
            Ok(going) => Ok(going),
            Err((kind, address)) => {
                let pc = self.pc.wrapping_add(self.program.bytes(first, last));
                Err(Fault { kind, pc, address })
            }
        }
    }

    /// The instruction that ends a block; `next` is the one behind it.
    #[inline(always)]
    fn flow(&mut self, op: Op, next: u32) -> Result<bool, Trouble> {
        let (a, b) = (self.x[usize::from(op.rs1 & 63)], self.x[usize::from(op.rs2 & 63)]);
        let taken = match op.code {
            Code::Beq => a == b,
            Code::Bne => a != b,
            Code::Blt => (a as i32) < b as i32,
            Code::Bge => a as i32 >= b as i32,
            Code::Bltu => a < b,
            Code::Bgeu => a >= b,
            _ => return self.rare(op, a, next),
        };
        self.pc = if taken {
            self.bus.cycles += u64::from(self.profile.cycles.taken);
            op.imm as u32
        } else {
            next
        };
        Ok(true)
    }

    #[inline(always)]
    fn rare(&mut self, op: Op, a: u32, next: u32) -> Result<bool, Trouble> {
        match op.code {
            Code::Jal | Code::Jalr => {
                self.x[usize::from(op.rd & 63)] = next;
                self.pc = match op.code {
                    Code::Jal => op.imm as u32,
                    _ => a.wrapping_add(op.imm as u32) & !1,
                };
                return Ok(true);
            }
            Code::Csr => {
                let (cycles, instructions) = (self.bus.cycles, self.instructions);
                self.x[usize::from(op.rd & 63)] = match op.imm {
                    0xb00 | 0xc00 => cycles as u32,
                    0xb80 | 0xc80 => (cycles >> 32) as u32,
                    0xb02 | 0xc02 => instructions as u32,
                    0xb82 | 0xc82 => (instructions >> 32) as u32,
                    _ => return Err((FaultKind::Illegal, 0)),
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
            Code::Ebreak => return Err((FaultKind::Panic, 0)),
            Code::Illegal => return Err((FaultKind::Illegal, 0)),
            // Anything else ends a block because it writes the stack pointer, or by its length.
            _ => straight(&mut self.x, &mut self.bus, op)?,
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
