use thiserror::Error;

/// Why a device cannot be built.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum SimulatorError {
    /// Not a 32-bit little-endian RISC-V executable.
    #[error("firmware must be a 32-bit little-endian RISC-V ELF executable")]
    NotFirmware,
    /// A segment lies outside the part's flash.
    #[error("firmware occupies {needed} bytes of flash, {profile} has {flash}")]
    FirmwareTooLarge {
        /// Bytes up to the segment's end.
        needed: u64,
        /// The part.
        profile: &'static str,
        /// Its flash.
        flash: usize,
    },
    /// Firmware and model together do not fit the flash.
    #[error(
        "model and firmware occupy {needed} bytes of flash, {profile} has {flash}: \
         {} too many", needed - flash
    )]
    ModelTooLarge {
        /// Bytes of both.
        needed: usize,
        /// The part.
        profile: &'static str,
        /// Its flash.
        flash: usize,
    },
    /// A size outside what the address space can hold.
    #[error("{name} must be 4096 to 134217728 and a multiple of 16, got {value}")]
    Size {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: usize,
    },
    /// A clock that does not tick.
    #[error("clock_hz must be at least 1, got 0")]
    Clock,
}

/// What stopped a program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FaultKind {
    /// Read from where nothing is.
    Load,
    /// Write to where nothing is, or to flash.
    Store,
    /// An access just below memory, where the stack grows to.
    StackOverflow,
    /// An address not a multiple of the access's size.
    Misaligned,
    /// Bits that are no RV32IM instruction.
    Illegal,
    /// A jump out of the program.
    Fetch,
    /// `ebreak`: the firmware's panic handler.
    Panic,
}

impl FaultKind {
    /// A short word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Load => "load_fault",
            Self::Store => "store_fault",
            Self::StackOverflow => "stack_overflow",
            Self::Misaligned => "misaligned",
            Self::Illegal => "illegal_instruction",
            Self::Fetch => "fetch_fault",
            Self::Panic => "panic",
        }
    }
}

/// Where a program stopped.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("{} at pc {pc:#010x}, address {address:#010x}", kind.word())]
pub struct Fault {
    /// What stopped it.
    pub kind: FaultKind,
    /// The instruction.
    pub pc: u32,
    /// What it accessed.
    pub address: u32,
}
