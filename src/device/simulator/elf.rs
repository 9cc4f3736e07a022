//! Just enough ELF to flash an executable.

use super::SimulatorError;

pub(super) struct Image {
    pub(super) entry: u32,
    /// Flash contents from its first byte on.
    pub(super) flash: Vec<u8>,
    /// First address behind the executable segments.
    pub(super) code_end: u32,
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes)
}

/// Reads an executable whose segments are loaded from `base` on.
pub(super) fn read(
    elf: &[u8],
    base: u32,
    flash_bytes: usize,
    profile: &'static str,
) -> Result<Image, SimulatorError> {
    parse(elf, base, flash_bytes, profile).unwrap_or(Err(SimulatorError::NotFirmware))
}

fn parse(
    elf: &[u8],
    base: u32,
    limit: usize,
    profile: &'static str,
) -> Option<Result<Image, SimulatorError>> {
    let risc_v = elf.starts_with(b"\x7fELF\x01\x01") && half(elf, 18)? == 243;
    if !risc_v {
        return None;
    }
    let (entry, table) = (word(elf, 24)?, word(elf, 28)? as usize);
    if entry & 1 == 1 {
        return None;
    }
    let mut image = Image { entry, flash: Vec::new(), code_end: base };
    for index in 0..usize::from(half(elf, 44)?) {
        let header = table.checked_add(index * 32)?;
        let (kind, from, address) =
            (word(elf, header)?, word(elf, header + 4)?, word(elf, header + 12)?);
        let (size, flags) = (word(elf, header + 16)?, word(elf, header + 24)?);
        if kind != 1 || size == 0 {
            continue;
        }
        let data = elf.get(from as usize..(from as usize).checked_add(size as usize)?)?;
        let at = address.checked_sub(base)? as usize;
        let needed = at as u64 + u64::from(size);
        if needed > limit as u64 {
            let flash = limit;
            return Some(Err(SimulatorError::FirmwareTooLarge { needed, profile, flash }));
        }
        let end = at + size as usize;
        if image.flash.len() < end {
            image.flash.resize(end, 0);
        }
        image.flash[at..end].copy_from_slice(data);
        if flags & 1 != 0 {
            image.code_end = image.code_end.max(address + size);
        }
    }
    Some(Ok(image))
}
