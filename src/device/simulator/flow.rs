//! Blocks, and the instructions that end them.

use super::bus::{FLASH, RAM};
use super::decode::{Code, Op};
use super::execute::straight;
use super::machine::Machine;
use super::{Fault, FaultKind};

impl Machine {
    /// Runs one block; `false` if the program waits and nothing will come by itself.
    #[inline(always)]
    pub(super) fn block(&mut self) -> Result<bool, Fault> {
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
