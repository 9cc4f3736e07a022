//! The program as blocks: from an address that was jumped to up to the next change of
//! flow, decoded when they run for the first time.

use super::bus::FLASH;
use super::compressed;
use super::decode::{Op, decode};
use super::profile::Cycles;

/// Instructions a block has at most.
const LONGEST: usize = 128;

/// Instructions one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    /// Its first instruction in [`Program::ops`].
    pub(super) first: usize,
    pub(super) length: usize,
    /// Cycles without the taken branch at its end.
    pub(super) cycles: u32,
    pub(super) bytes: u32,
    /// How often it ran.
    pub(super) entered: u64,
}

pub(super) struct Program {
    code: Vec<u8>,
    cycles: Cycles,
    /// For each even address one more than the block that begins there, or zero.
    starts: Vec<u32>,
    pub(super) blocks: Vec<Block>,
    pub(super) ops: Vec<Op>,
    /// Bytes of each instruction.
    sizes: Vec<u8>,
}

impl Program {
    pub(super) fn new(code: &[u8], cycles: Cycles) -> Self {
        let starts = vec![0; code.len() / 2];
        let (blocks, ops, sizes) = (vec![], vec![], vec![]);
        Self { code: code.to_vec(), cycles, starts, blocks, ops, sizes }
    }

    /// The block that begins at `pc`, if there is code.
    #[inline(always)]
    pub(super) fn block_at(&mut self, pc: u32) -> Option<usize> {
        let start = *self.starts.get((pc.wrapping_sub(FLASH) >> 1) as usize)?;
        Some(if start == 0 { self.translate(pc) } else { start as usize - 1 })
    }

    #[cold]
    fn translate(&mut self, start: u32) -> usize {
        let first = self.ops.len();
        let (mut pc, mut cycles) = (start, 0);
        loop {
            let (op, size) = self.fetch(pc);
            cycles += self.cycles.base[op.class() as usize];
            self.ops.push(op);
            self.sizes.push(size);
            pc = pc.wrapping_add(size.into());
            if op.ends_block() || self.ops.len() - first == LONGEST {
                break;
            }
        }
        let (length, bytes) = (self.ops.len() - first, pc.wrapping_sub(start));
        self.blocks.push(Block { first, length, cycles, bytes, entered: 0 });
        self.starts[(start.wrapping_sub(FLASH) >> 1) as usize] = self.blocks.len() as u32;
        self.blocks.len() - 1
    }

    fn fetch(&self, pc: u32) -> (Op, u8) {
        let code = self.code.get(pc.wrapping_sub(FLASH) as usize..).unwrap_or_default();
        match *code {
            [a, b, c, d, ..] if a & 3 == 3 => (decode(u32::from_le_bytes([a, b, c, d])).at(pc), 4),
            [a, b, ..] if a & 3 != 3 => (compressed::decode(u16::from_le_bytes([a, b])).at(pc), 2),
            // Whatever runs off the end is caught there.
            _ => (compressed::decode(0), 2),
        }
    }

    /// Bytes of the instructions from `first` up to `end`.
    pub(super) fn bytes(&self, first: usize, end: usize) -> u32 {
        self.sizes[first..end].iter().map(|size| u32::from(*size)).sum()
    }
}
