//! Memory, flash, and the few registers of the simulated board.

use std::collections::VecDeque;

/// First address of flash.
pub(super) const FLASH: u32 = 0x0800_0000;
/// First address of memory. The stack grows down to here, so that an overflow faults.
pub(super) const RAM: u32 = 0x2000_0000;

/// Registers of the board, as the firmware knows them.
mod register {
    pub(super) const UART_DATA: u32 = 0x4000_0000;
    pub(super) const UART_STATUS: u32 = 0x4000_0004;
    pub(super) const UART_BAUD: u32 = 0x4000_0008;
    pub(super) const RAM_BYTES: u32 = 0x4000_0010;
    pub(super) const FLASH_BYTES: u32 = 0x4000_0014;
    pub(super) const CLOCK_HZ: u32 = 0x4000_0018;
    pub(super) const BOOT_ID: u32 = 0x4000_001c;
    pub(super) const MODEL_AT: u32 = 0x4000_0020;
    pub(super) const RESET: u32 = 0x4000_0024;
    pub(super) const FLASH_UNLOCK: u32 = 0x4000_0028;
}

const FIFO: u64 = 128;
const UNLOCKED: u32 = 0x5a;

pub(super) struct Bus {
    pub(super) ram: Vec<u8>,
    pub(super) flash: Vec<u8>,
    /// One byte per word of memory: whether it was written.
    pub(super) touched: Vec<u8>,
    pub(super) cycles: u64,
    pub(super) clock_hz: u32,
    pub(super) boot_id: u32,
    pub(super) model_at: u32,
    pub(super) baud: u32,
    pub(super) host_baud: u32,
    pub(super) received: VecDeque<(u64, u8)>,
    pub(super) sent: Vec<u8>,
    pub(super) reset_asked: bool,
    sent_until: u64,
    unlocked: bool,
}

/// What noise makes of a byte when both ends disagree about the baud rate.
fn garbled(byte: u8) -> u8 {
    byte.rotate_left(3) ^ 0xa5
}

impl Bus {
    pub(super) fn new(
        flash: Vec<u8>,
        ram_bytes: usize,
        clock_hz: u32,
        model_at: u32,
        baud: u32,
    ) -> Self {
        Self {
            ram: vec![0; ram_bytes],
            flash,
            touched: vec![0; ram_bytes / 4],
            cycles: 0,
            clock_hz,
            boot_id: 0,
            model_at,
            baud,
            host_baud: baud,
            received: VecDeque::new(),
            sent: Vec::new(),
            reset_asked: false,
            sent_until: 0,
            unlocked: false,
        }
    }

    pub(super) fn reset(&mut self, baud: u32, boot_id: u32) {
        self.ram.fill(0);
        self.touched.fill(0);
        self.received.clear();
        (self.cycles, self.sent_until, self.boot_id, self.baud) = (0, 0, boot_id, baud);
        (self.reset_asked, self.unlocked) = (false, false);
    }

    /// Cycles a byte takes on the wire: ten bits.
    fn byte_cycles(&self) -> u64 {
        u64::from(self.clock_hz) * 10 / u64::from(self.baud.max(1))
    }

    /// Bytes the host puts on the wire now.
    pub(super) fn receive(&mut self, bytes: &[u8]) {
        let mut at = self.received.back().map_or(0, |last| last.0).max(self.cycles);
        for byte in bytes {
            at += self.byte_cycles();
            let byte = if self.baud == self.host_baud { *byte } else { garbled(*byte) };
            self.received.push_back((at, byte));
        }
    }

    #[inline(always)]
    pub(super) fn load<const N: usize>(&mut self, address: u32) -> Option<[u8; N]> {
        let at = address.wrapping_sub(RAM) as usize;
        if let Some(bytes) = self.ram.get(at..at.wrapping_add(N)) {
            return bytes.try_into().ok();
        }
        let at = address.wrapping_sub(FLASH) as usize;
        if let Some(bytes) = self.flash.get(at..at.wrapping_add(N)) {
            return bytes.try_into().ok();
        }
        self.read_register(address).map(|value| {
            let mut bytes = [0; N];
            let length = N.min(4);
            bytes[..length].copy_from_slice(&value.to_le_bytes()[..length]);
            bytes
        })
    }

    #[inline(always)]
    pub(super) fn store<const N: usize>(&mut self, address: u32, bytes: [u8; N]) -> Option<()> {
        let at = address.wrapping_sub(RAM) as usize;
        if let Some(slot) = self.ram.get_mut(at..at.wrapping_add(N)) {
            slot.copy_from_slice(&bytes);
            self.touched[at >> 2] = 1;
            return Some(());
        }
        self.store_elsewhere(address, &bytes)
    }

    #[cold]
    fn store_elsewhere(&mut self, address: u32, bytes: &[u8]) -> Option<()> {
        let at = address.wrapping_sub(FLASH) as usize;
        if self.unlocked
            && address >= self.model_at
            && let Some(slot) = self.flash.get_mut(at..at.wrapping_add(bytes.len()))
        {
            slot.copy_from_slice(bytes);
            return Some(());
        }
        let mut word = [0; 4];
        word[..bytes.len()].copy_from_slice(bytes);
        self.write_register(address, u32::from_le_bytes(word))
    }

    #[cold]
    fn read_register(&mut self, address: u32) -> Option<u32> {
        Some(match address {
            register::UART_DATA => match self.received.front() {
                Some((at, byte)) if *at <= self.cycles => {
                    let byte = *byte;
                    self.received.pop_front();
                    0x100 | u32::from(byte)
                }
                _ => 0,
            },
            register::UART_STATUS => {
                let waiting = self.received.front().is_some_and(|(at, _)| *at <= self.cycles);
                let backlog = self.sent_until.saturating_sub(self.cycles);
                let room = backlog < FIFO * self.byte_cycles();
                let idle = backlog == 0;
                u32::from(waiting) | u32::from(room) << 1 | u32::from(idle) << 2
            }
            register::UART_BAUD => self.baud,
            register::RAM_BYTES => self.ram.len() as u32,
            register::FLASH_BYTES => self.flash.len() as u32,
            register::CLOCK_HZ => self.clock_hz,
            register::BOOT_ID => self.boot_id,
            register::MODEL_AT => self.model_at,
            _ => return None,
        })
    }

    fn write_register(&mut self, address: u32, value: u32) -> Option<()> {
        match address {
            register::UART_DATA => {
                let byte = value as u8;
                let same = self.baud == self.host_baud;
                self.sent.push(if same { byte } else { garbled(byte) });
                self.sent_until = self.sent_until.max(self.cycles) + self.byte_cycles();
            }
            register::UART_BAUD => self.baud = value,
            register::RESET => self.reset_asked = true,
            register::FLASH_UNLOCK => self.unlocked = value == UNLOCKED,
            _ => return None,
        }
        Some(())
    }
}
