//! The agent on the simulated RV32IM board.

#![no_std]
#![no_main]

use core::arch::{asm, global_asm};
use core::panic::PanicInfo;
use core::ptr::{addr_of, addr_of_mut};

mod common;

use common::{HEADER, MAGIC, serve, stack_high_water, stored};

use holdfast_agent::protocol::{Agent, Board, Identity, Memory, capability};

global_asm!(
    ".section .init,\"ax\"",
    ".globl _start",
    "_start:",
    "la sp, _stack_top",
    // Paint the stack, so that its deepest use can be read back.
    "la a0, _stack_bottom",
    "li a2, 0x5aa55aa5",
    "1: bgeu a0, sp, 2f",
    "sw a2, 0(a0)",
    "addi a0, a0, 4",
    "j 1b",
    "2: la a0, _data",
    "la a1, _data_end",
    "la a2, _data_load",
    "3: bgeu a0, a1, 4f",
    "lw a3, 0(a2)",
    "sw a3, 0(a0)",
    "addi a0, a0, 4",
    "addi a2, a2, 4",
    "j 3b",
    "4: la a0, _bss",
    "la a1, _bss_end",
    "5: bgeu a0, a1, 6f",
    "sw zero, 0(a0)",
    "addi a0, a0, 4",
    "j 5b",
    "6: call start",
    "ebreak",
);

const REGISTERS: usize = 0x4000_0000;
const UART_DATA: usize = 0x00;
const UART_STATUS: usize = 0x04;
const UART_BAUD: usize = 0x08;
const RAM_BYTES: usize = 0x10;
const FLASH_BYTES: usize = 0x14;
const CLOCK_HZ: usize = 0x18;
const BOOT_ID: usize = 0x1c;
const MODEL_AT: usize = 0x20;
const RESET: usize = 0x24;
const FLASH_UNLOCK: usize = 0x28;
const ROOM: u32 = 2;
const SENT: u32 = 4;
const FLASH: usize = 0x0800_0000;
const RAM: usize = 0x2000_0000;
const BAUD_RATES: [u32; 6] = [115_200, 230_400, 460_800, 921_600, 2_000_000, 3_000_000];

unsafe extern "C" {
    static mut _stack_bottom: u32;
    static mut _stack_top: u32;
    static mut _bss_end: u32;
    static mut _arena: u32;
}

fn read(register: usize) -> u32 {
    // SAFETY: a register of the board, aligned and readable.
    unsafe { ((REGISTERS + register) as *const u32).read_volatile() }
}

fn write(register: usize, value: u32) {
    // SAFETY: a register of the board, aligned and writable.
    unsafe { ((REGISTERS + register) as *mut u32).write_volatile(value) }
}

macro_rules! counter {
    ($low:literal, $high:literal) => {{
        let (mut high, mut low, mut again): (u32, u32, u32);
        loop {
            // SAFETY: reads counters and touches nothing else.
            unsafe {
                asm!(
                    concat!("csrr {0}, ", $high),
                    concat!("csrr {1}, ", $low),
                    concat!("csrr {2}, ", $high),
                    out(reg) high, out(reg) low, out(reg) again,
                    options(nomem, nostack),
                );
            }
            if high == again {
                break u64::from(high) << 32 | u64::from(low);
            }
        }
    }};
}

struct Simulated {
    arena: &'static mut [u32],
}

impl Simulated {
    fn model_at() -> usize {
        read(MODEL_AT) as usize
    }

    fn set_header(magic: u32, length: u32) {
        let at = Self::model_at() as *mut u32;
        write(FLASH_UNLOCK, 0x5a);
        // SAFETY: the model's part of flash, which nothing else refers to; it is open for
        // writing in between, and slices over it are made anew for each use.
        unsafe {
            at.write_volatile(magic);
            at.add(1).write_volatile(length);
        }
        write(FLASH_UNLOCK, 0);
    }
}

impl Board for Simulated {
    fn identity(&self) -> Identity<'_> {
        Identity {
            boot_id: read(BOOT_ID),
            clock_hz: read(CLOCK_HZ),
            clock_bits: 64,
            ram_bytes: read(RAM_BYTES),
            flash_bytes: read(FLASH_BYTES),
            capabilities: capability::UPLOAD | capability::DETERMINISTIC,
            baud_rates: &BAUD_RATES,
            board: "sim-rv32",
            firmware: concat!("holdfast-agent ", env!("CARGO_PKG_VERSION")),
        }
    }

    fn ticks(&mut self) -> u64 {
        counter!("mcycle", "mcycleh")
    }

    fn send(&mut self, bytes: &[u8]) {
        for byte in bytes {
            while read(UART_STATUS) & ROOM == 0 {}
            write(UART_DATA, u32::from(*byte));
        }
    }

    fn workspace(&mut self) -> (&[u8], &mut [u32]) {
        (stored(Self::model_at()), self.arena)
    }

    fn memory(&mut self) -> Memory {
        let (bottom, top, end) =
            (addr_of!(_stack_bottom), addr_of!(_stack_top), addr_of!(_bss_end));
        let model = stored(Self::model_at()).len();
        let image = Self::model_at() - FLASH;
        Memory {
            static_bytes: Some((end as usize - top as usize) as u32),
            stack_high_water_bytes: Some(stack_high_water(bottom, top)),
            flash_used_bytes: Some(
                image as u32 + if model > 0 { HEADER + model } else { 0 } as u32,
            ),
        }
    }

    fn counters(&mut self) -> (Option<u64>, Option<u64>) {
        (Some(self.ticks()), Some(counter!("minstret", "minstreth")))
    }

    fn set_baud(&mut self, rate: u32) -> bool {
        while read(UART_STATUS) & SENT == 0 {}
        write(UART_BAUD, rate);
        true
    }

    fn begin_model(&mut self, length: usize) -> bool {
        Self::set_header(0, 0);
        let room = FLASH + read(FLASH_BYTES) as usize - Self::model_at() - HEADER;
        let fits = length > 0 && length <= room;
        if fits {
            Self::set_header(MAGIC, length as u32);
        }
        fits
    }

    fn write_model(&mut self, offset: usize, bytes: &[u8]) -> bool {
        let at = (Self::model_at() + HEADER + offset) as *mut u8;
        write(FLASH_UNLOCK, 0x5a);
        for (index, byte) in bytes.iter().enumerate() {
            // SAFETY: `begin_model` made sure that the model fits the flash.
            unsafe { at.add(index).write_volatile(*byte) };
        }
        write(FLASH_UNLOCK, 0);
        true
    }

    fn reboot(&mut self) {
        while read(UART_STATUS) & SENT == 0 {}
        write(RESET, 1);
    }
}

static mut AGENT: Agent = Agent::new(921_600);

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    // SAFETY: this function runs once and alone; the arena begins behind all variables
    // and ends with memory.
    let (agent, arena) = unsafe {
        let first = addr_of_mut!(_arena);
        let end = RAM + read(RAM_BYTES) as usize;
        let words = end.saturating_sub(first as usize) / 4;
        (&mut *addr_of_mut!(AGENT), core::slice::from_raw_parts_mut(first, words))
    };
    let receive = || {
        let data = read(UART_DATA);
        (data & 0x100 != 0).then_some(data as u8)
    };
    // SAFETY: waits; the board wakes the core when a byte arrives.
    serve(agent, &mut Simulated { arena }, receive, || unsafe { asm!("wfi") })
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    loop {
        // SAFETY: stops the program; the simulator reports where.
        unsafe { asm!("ebreak") };
    }
}
