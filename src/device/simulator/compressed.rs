//! Instructions of 16 bits (the C extension for 32-bit cores without floating point): each
//! stands for one of 32 bits. Tables 16.5 to 16.7 of the unprivileged manual, version
//! 20191213.

#![allow(clippy::enum_glob_use)] // as in `decode`

use super::decode::{Code, Op};

/// Moves `count` bits of `word` from position `from` to position `to`.
fn field(word: u32, from: u32, count: u32, to: u32) -> u32 {
    (word >> from & ((1 << count) - 1)) << to
}

/// Takes bit `bit` of `value` for its sign.
fn signed(value: u32, bit: u32) -> i32 {
    (value << (31 - bit)) as i32 >> (31 - bit)
}

pub(super) fn decode(half: u16) -> Op {
    let h = u32::from(half);
    match h & 3 {
        0 => memory(h),
        1 => control(h),
        _ => stack(h),
    }
    .unwrap_or(Op::new(Code::Illegal, 0, 0, 0, 0))
}

/// One of the eight registers that three bits name.
fn short(h: u32, from: u32) -> u8 {
    8 + (h >> from & 7) as u8
}

fn memory(h: u32) -> Option<Op> {
    let (upper, lower) = (short(h, 7), short(h, 2));
    let word = (field(h, 10, 3, 3) | field(h, 6, 1, 2) | field(h, 5, 1, 6)) as i32;
    match h >> 13 {
        0 => {
            let imm = field(h, 11, 2, 4) | field(h, 7, 4, 6) | field(h, 6, 1, 2);
            let imm = (imm | field(h, 5, 1, 3)) as i32;
            (imm != 0).then(|| Op::new(Code::Addi, lower, 2, 0, imm))
        }
        2 => Some(Op::new(Code::Lw, lower, upper, 0, word)),
        6 => Some(Op::new(Code::Sw, 0, upper, lower, word)),
        _ => None,
    }
}

fn control(h: u32) -> Option<Op> {
    use Code::*;
    let (rd, upper) = ((h >> 7 & 31) as u8, short(h, 7));
    let imm = signed(field(h, 12, 1, 5) | field(h, 2, 5, 0), 5);
    let jump = field(h, 12, 1, 11) | field(h, 11, 1, 4) | field(h, 9, 2, 8) | field(h, 8, 1, 10);
    let jump = jump | field(h, 7, 1, 6) | field(h, 6, 1, 7) | field(h, 3, 3, 1) | field(h, 2, 1, 5);
    let jump = signed(jump, 11);
    let branch = field(h, 12, 1, 8) | field(h, 10, 2, 3) | field(h, 5, 2, 6) | field(h, 3, 2, 1);
    let branch = signed(branch | field(h, 2, 1, 5), 8);
    Some(match h >> 13 {
        0 => Op::new(Addi, rd, rd, 0, imm),
        1 => Op::new(Jal, 1, 0, 0, jump),
        2 => Op::new(Addi, rd, 0, 0, imm),
        3 if imm == 0 => return None,
        3 if rd == 2 => {
            let imm = field(h, 12, 1, 9) | field(h, 6, 1, 4) | field(h, 5, 1, 6);
            Op::new(Addi, 2, 2, 0, signed(imm | field(h, 3, 2, 7) | field(h, 2, 1, 5), 9))
        }
        3 => Op::new(Lui, rd, 0, 0, imm << 12),
        4 => match h >> 10 & 3 {
            kind @ (0 | 1) if imm >= 0 => {
                Op::new(if kind == 0 { Srli } else { Srai }, upper, upper, 0, imm)
            }
            2 => Op::new(Andi, upper, upper, 0, imm),
            3 if h >> 12 & 1 == 0 => {
                let code = [Sub, Xor, Or, And][(h >> 5 & 3) as usize];
                Op::new(code, upper, upper, short(h, 2), 0)
            }
            _ => return None,
        },
        5 => Op::new(Jal, 0, 0, 0, jump),
        6 => Op::new(Beq, 0, upper, 0, branch),
        _ => Op::new(Bne, 0, upper, 0, branch),
    })
}

fn stack(h: u32) -> Option<Op> {
    use Code::*;
    let (rd, rs2, high) = ((h >> 7 & 31) as u8, (h >> 2 & 31) as u8, h >> 12 & 1 != 0);
    Some(match (h >> 13, high, rd, rs2) {
        (0, false, ..) => Op::new(Slli, rd, rd, 0, rs2.into()),
        (2, _, 1.., _) => {
            let imm = field(h, 12, 1, 5) | field(h, 4, 3, 2) | field(h, 2, 2, 6);
            Op::new(Lw, rd, 2, 0, imm as i32)
        }
        (4, false, 1.., 0) => Op::new(Jalr, 0, rd, 0, 0),
        (4, false, _, 1..) => Op::new(Add, rd, 0, rs2, 0),
        (4, true, 0, 0) => Op::new(Ebreak, 0, 0, 0, 0),
        (4, true, _, 0) => Op::new(Jalr, 1, rd, 0, 0),
        (4, true, ..) => Op::new(Add, rd, rd, rs2, 0),
        (6, ..) => Op::new(Sw, 0, 2, rs2, (field(h, 9, 4, 2) | field(h, 7, 2, 6)) as i32),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use super::*;

    /// Short instructions and long ones of the same meaning, as LLVM assembles them.
    #[rustfmt::skip]
    const PAIRS: [(u16, u32); 150] = [
        (0x0001, 0x0000_0013), (0x00d8, 0x0441_0713), (0x00f2, 0x01c0_9093), (0x01ba, 0x00e1_9193),
        (0x03c2, 0x0103_9393), (0x0426, 0x0094_1413), (0x04be, 0x00f4_9493), (0x096e, 0x01b9_1913),
        (0x10d5, 0xff50_8093), (0x116c, 0x0ac1_0593), (0x11ed, 0xffb1_8193), (0x120c, 0x1201_0593),
        (0x1390, 0x1e01_0613), (0x13dc, 0x1e41_0793), (0x13dd, 0xff73_8393), (0x1449, 0xff24_0413),
        (0x1485, 0xfe14_8493), (0x1814, 0x0301_0693), (0x190d, 0xfe39_0913), (0x21fd, 0x4ee0_00ef),
        (0x2611, 0x3040_00ef), (0x2709, 0x7020_00ef), (0x2cc1, 0x2d00_00ef), (0x2d35, 0x63c0_00ef),
        (0x35b1, 0xe4df_f0ef), (0x409e, 0x0c41_2083), (0x436a, 0x0981_2303), (0x44e2, 0x0181_2483),
        (0x45ac, 0x0485_a583), (0x4978, 0x0545_2703), (0x4df2, 0x01c1_2d83), (0x508a, 0x0a01_2083),
        (0x50e9, 0xffa0_0093), (0x51a5, 0xfe90_0193), (0x5296, 0x0641_2283), (0x5389, 0xfe20_0393),
        (0x5401, 0xfe00_0413), (0x544c, 0x02c4_2583), (0x54fd, 0xfff0_0493), (0x56dc, 0x02c6_a783),
        (0x5754, 0x02c7_2683), (0x5939, 0xfee0_0913), (0x5ed0, 0x03c6_a603), (0x60fd, 0x0001_f0b7),
        (0x617d, 0x1f01_0113), (0x61fd, 0x0001_f1b7), (0x6445, 0x0001_1437), (0x7101, 0xe001_0113),
        (0x7111, 0xf001_0113), (0x717d, 0xff01_0113), (0x7381, 0xfffe_03b7), (0x74fd, 0xffff_f4b7),
        (0x7901, 0xfffe_0937), (0x8082, 0x0000_8067), (0x809e, 0x0070_00b3), (0x8182, 0x0001_8067),
        (0x8192, 0x0040_01b3), (0x81b9, 0x00e5_d593), (0x81f1, 0x01c5_d593), (0x826d, 0x01b6_5613),
        (0x82bd, 0x00f6_d693), (0x8325, 0x0097_5713), (0x8382, 0x0003_8067), (0x83be, 0x00f0_03b3),
        (0x83c1, 0x0107_d793), (0x8402, 0x0004_0067), (0x841e, 0x0070_0433), (0x8482, 0x0004_8067),
        (0x84be, 0x00f0_04b3), (0x85b9, 0x40e5_d593), (0x85f1, 0x41c5_d593), (0x866d, 0x41b6_5613),
        (0x86bd, 0x40f6_d693), (0x8725, 0x4097_5713), (0x87c1, 0x4107_d793), (0x8902, 0x0009_0067),
        (0x8926, 0x0090_0933), (0x8d81, 0x4085_85b3), (0x8d8d, 0x40b5_85b3), (0x8da1, 0x0085_c5b3),
        (0x8dad, 0x00b5_c5b3), (0x8dc1, 0x0085_e5b3), (0x8dcd, 0x00b5_e5b3), (0x8de1, 0x0085_f5b3),
        (0x8ded, 0x00b5_f5b3), (0x8e15, 0x40d6_0633), (0x8e35, 0x00d6_4633), (0x8e55, 0x00d6_6633),
        (0x8e75, 0x00d6_7633), (0x8e99, 0x40e6_86b3), (0x8eb9, 0x00e6_c6b3), (0x8ed9, 0x00e6_e6b3),
        (0x8ef9, 0x00e6_f6b3), (0x8f09, 0x40a7_0733), (0x8f29, 0x00a7_4733), (0x8f49, 0x00a7_6733),
        (0x8f69, 0x00a7_7733), (0x8f95, 0x40d7_87b3), (0x8fb5, 0x00d7_c7b3), (0x8fd5, 0x00d7_e7b3),
        (0x8ff5, 0x00d7_f7b3), (0x9002, 0x0010_0073), (0x9082, 0x0000_80e7), (0x909e, 0x0070_80b3),
        (0x9182, 0x0001_80e7), (0x9192, 0x0041_81b3), (0x9382, 0x0003_80e7), (0x93be, 0x00f3_83b3),
        (0x9402, 0x0004_00e7), (0x941e, 0x0074_0433), (0x9482, 0x0004_80e7), (0x94be, 0x00f4_84b3),
        (0x9902, 0x0009_00e7), (0x9926, 0x0099_0933), (0x99a5, 0xfe95_f593), (0x99e9, 0xffa5_f593),
        (0x9a39, 0xfee6_7613), (0x9afd, 0xfff6_f693), (0x9b01, 0xfe07_7713), (0x9b89, 0xfe27_f793),
        (0xa1fd, 0x4ee0_006f), (0xa611, 0x3040_006f), (0xa709, 0x7020_006f), (0xacc1, 0x2d00_006f),
        (0xad35, 0x63c0_006f), (0xb5b1, 0xe4df_f06f), (0xc386, 0x0c11_2223), (0xc5ac, 0x04b5_a423),
        (0xc5c1, 0x0805_8463), (0xc6ad, 0x0606_8563), (0xc978, 0x04e5_2a23), (0xcc26, 0x0091_2c23),
        (0xcd1a, 0x0861_2c23), (0xce6e, 0x01b1_2e23), (0xd106, 0x0a11_2023), (0xd1c1, 0xf805_80e3),
        (0xd296, 0x0651_2223), (0xd329, 0xf407_01e3), (0xd44c, 0x02b4_2623), (0xd6dc, 0x02f6_a623),
        (0xd754, 0x02d7_2623), (0xdb89, 0xf007_89e3), (0xde75, 0xfe06_0ee3), (0xded0, 0x02c6_ae23),
        (0xe5c1, 0x0805_9463), (0xe6ad, 0x0606_9563), (0xf1c1, 0xf805_90e3), (0xf329, 0xf407_11e3),
        (0xfb89, 0xf007_99e3), (0xfe75, 0xfe06_1ee3),
    ];

    #[test]
    fn short_instructions_mean_what_the_assembler_says() {
        for (half, word) in PAIRS {
            let (short, long) = (decode(half), decode::decode(word));
            // In the others these bits belong to a constant.
            let first = !matches!(word & 127, 0x37 | 0x6f);
            let second = matches!(word & 127, 0x33 | 0x63 | 0x23);
            let parts = |op: Op| {
                (op.code, op.rd, first.then_some(op.rs1), second.then_some(op.rs2), op.imm)
            };
            assert_eq!(parts(short), parts(long), "{half:04x} {word:08x}");
        }
    }

    #[test]
    fn what_the_manual_reserves_is_illegal() {
        // No instruction at all; stack and upper constants of zero; shifts by 32 and more;
        // a load into x0; a jump to x0; what belongs to floating point or 64 bits.
        let reserved = [0, 0x6101, 0x6581, 0x9001, 0x9401, 0x1002, 0x4002, 0x8002, 0x2000];
        for half in reserved.into_iter().chain([0xe000, 0x6002, 0xe002, 0x9c01]) {
            assert_eq!(decode(half).code, Code::Illegal, "{half:04x}");
        }
    }
}
