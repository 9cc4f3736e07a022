//! Instructions of 32 bits.

#![allow(clippy::enum_glob_use)] // fifty mnemonics, each named in a table

use super::profile::Class;

/// What an instruction does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
#[allow(clippy::upper_case_acronyms)] // as in the manual
pub(super) enum Code {
    Lui,
    Auipc,
    Addi,
    Slti,
    Sltiu,
    Xori,
    Ori,
    Andi,
    Slli,
    Srli,
    Srai,
    Add,
    Sub,
    Sll,
    Slt,
    Sltu,
    Xor,
    Srl,
    Sra,
    Or,
    And,
    Mul,
    Mulh,
    Mulhsu,
    Mulhu,
    Div,
    Divu,
    Rem,
    Remu,
    Lb,
    Lh,
    Lw,
    Lbu,
    Lhu,
    Sb,
    Sh,
    Sw,
    Fence,
    // From here on an instruction ends its block.
    Jal,
    Jalr,
    Beq,
    Bne,
    Blt,
    Bge,
    Bltu,
    Bgeu,
    Csr,
    Wfi,
    Ebreak,
    Illegal,
}

/// A decoded instruction. Writes to `x0` go to register 32, which nothing reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Op {
    pub(super) code: Code,
    pub(super) rd: u8,
    pub(super) rs1: u8,
    pub(super) rs2: u8,
    pub(super) imm: i32,
}

pub(super) fn decode(w: u32) -> Op {
    use Code::*;
    let rd = (w >> 7 & 31) as u8;
    let (rs1, rs2) = ((w >> 15 & 31) as u8, (w >> 20 & 31) as u8);
    let (f3, f7) = (w >> 12 & 7, w >> 25);
    let i = w as i32 >> 20;
    let s = (w as i32 >> 25 << 5) | (w >> 7 & 31) as i32;
    let b = (w as i32 >> 31 << 12)
        | ((w >> 7 & 1) << 11) as i32
        | ((w >> 25 & 63) << 5) as i32
        | ((w >> 8 & 15) << 1) as i32;
    let u = (w & 0xffff_f000) as i32;
    let j = (w as i32 >> 31 << 20)
        | (w & 0xf_f000) as i32
        | ((w >> 20 & 1) << 11) as i32
        | ((w >> 21 & 0x3ff) << 1) as i32;
    let (code, imm) = match w & 127 {
        0x37 => (Lui, u),
        0x17 => (Auipc, u),
        0x6f => (Jal, j),
        0x67 if f3 == 0 => (Jalr, i),
        0x63 => ([Beq, Bne, Illegal, Illegal, Blt, Bge, Bltu, Bgeu][f3 as usize], b),
        0x03 => ([Lb, Lh, Lw, Illegal, Lbu, Lhu, Illegal, Illegal][f3 as usize], i),
        0x23 => {
            let codes = [Sb, Sh, Sw, Illegal, Illegal, Illegal, Illegal, Illegal];
            (codes[f3 as usize], s)
        }
        0x13 => match (f3, f7) {
            (1, 0) => (Slli, rs2.into()),
            (5, 0) => (Srli, rs2.into()),
            (5, 0x20) => (Srai, rs2.into()),
            (1 | 5, _) => (Illegal, 0),
            _ => ([Addi, Illegal, Slti, Sltiu, Xori, Illegal, Ori, Andi][f3 as usize], i),
        },
        0x33 => match f7 {
            0 => ([Add, Sll, Slt, Sltu, Xor, Srl, Or, And][f3 as usize], 0),
            1 => ([Mul, Mulh, Mulhsu, Mulhu, Div, Divu, Rem, Remu][f3 as usize], 0),
            0x20 if f3 == 0 => (Sub, 0),
            0x20 if f3 == 5 => (Sra, 0),
            _ => (Illegal, 0),
        },
        0x0f => (Fence, 0),
        0x73 => match (f3, w) {
            (_, 0x1050_0073) => (Wfi, 0),
            (_, 0x0010_0073) => (Ebreak, 0),
            (2, _) if rs1 == 0 => (Csr, i & 0xfff),
            _ => (Illegal, 0),
        },
        _ => (Illegal, 0),
    };
    // Stores and branches have no destination; their bits there belong to the offset.
    let writes = !matches!(w & 127, 0x63 | 0x23 | 0x0f);
    Op::new(code, if writes { rd } else { 0 }, rs1, rs2, imm)
}

impl Op {
    pub(super) fn new(code: Code, rd: u8, rs1: u8, rs2: u8, imm: i32) -> Self {
        Self { code, rd: if rd == 0 { 32 } else { rd }, rs1, rs2, imm }
    }

    /// The instruction at `pc`, with addresses in place of distances.
    pub(super) fn at(self, pc: u32) -> Self {
        use Code::*;
        let imm = pc.wrapping_add(self.imm as u32) as i32;
        match self.code {
            Auipc => Self { code: Lui, imm, ..self },
            Jal | Beq | Bne | Blt | Bge | Bltu | Bgeu => Self { imm, ..self },
            _ => self,
        }
    }

    pub(super) fn class(self) -> Class {
        use Code::*;
        match self.code {
            Mul | Mulh | Mulhsu | Mulhu => Class::Multiply,
            Div | Divu | Rem | Remu => Class::Divide,
            Lb | Lh | Lw | Lbu | Lhu => Class::Load,
            Sb | Sh | Sw => Class::Store,
            Beq | Bne | Blt | Bge | Bltu | Bgeu => Class::Branch,
            Jal | Jalr => Class::Jump,
            Csr | Wfi | Ebreak | Illegal | Fence => Class::System,
            _ => Class::Alu,
        }
    }

    /// Whether flow may change here, or the stack pointer does: its lowest value is read
    /// at the end of blocks.
    pub(super) fn ends_block(self) -> bool {
        self.code as u8 >= Code::Jal as u8 || self.rd == 2
    }
}
