//! Instructions that only compute, load or store.

use super::FaultKind;
use super::bus::{Bus, RAM};
use super::decode::{Code, Op};

pub(super) type Trouble = (FaultKind, u32);

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
pub(super) fn straight(x: &mut [u32; 64], bus: &mut Bus, op: Op) -> Result<(), Trouble> {
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
