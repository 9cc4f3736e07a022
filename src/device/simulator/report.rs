//! What a machine has counted.

use super::machine::Machine;
use super::profile::CLASSES;

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

impl Machine {
    /// What was executed since the start.
    pub fn report(&self) -> Report {
        let mut classes = [0; CLASSES.len()];
        for block in self.program.blocks.iter().filter(|block| block.entered > 0) {
            for op in &self.program.ops[block.first..][..block.length] {
                classes[op.class() as usize] += block.entered;
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
}
