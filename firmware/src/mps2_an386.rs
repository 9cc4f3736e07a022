//! The agent on ARM's MPS2 board with a Cortex-M4F (AN386), which QEMU emulates.
//! Never run on the real board.

#![no_std]
#![no_main]

mod common;
mod cortex_m;

use core::arch::{asm, global_asm};
use core::ptr::{addr_of, addr_of_mut};

use common::{HEADER, MAGIC, serve, stack_high_water, stored};
use cortex_m::{arena, boot_id, read, reset, write};
use holdfast_agent::protocol::{Agent, Board, Identity, Memory, capability};

global_asm!(
    ".section .vectors,\"a\"",
    ".word _stack_top",
    ".word _start",
    ".rept 46",
    ".word halt",
    ".endr",
);

/// Core clock of the AN386 image, which also drives the timer.
const CLOCK_HZ: u32 = 25_000_000;
const TIMER: usize = 0x4000_0000;
const UART: usize = 0x4000_4000;
const DATA: usize = 0;
const STATE: usize = 4;
const CONTROL: usize = 8;
const INTERRUPT: usize = 0xc;
const BAUD_DIVIDER: usize = 0x10;
const INTERRUPT_ENABLE: usize = 0xe000_e100;
const INTERRUPT_CLEAR: usize = 0xe000_e280;
const MODEL_AT: usize = 0x0020_0000;
/// The last words of code memory: whoever starts the board may put a number here.
const SEED_AT: usize = 0x003f_fff0;
const RAM_BYTES: u32 = 4 << 20;

unsafe extern "C" {
    static _stack_bottom: u32;
    static _stack_top: u32;
    static _bss_end: u32;
    static _code_end: u32;
}

struct Mps2 {
    arena: &'static mut [u32],
    boot_id: u32,
}

impl Board for Mps2 {
    fn identity(&self) -> Identity<'_> {
        Identity {
            boot_id: self.boot_id,
            clock_hz: CLOCK_HZ,
            clock_bits: 32,
            ram_bytes: RAM_BYTES,
            flash_bytes: RAM_BYTES,
            capabilities: capability::UPLOAD,
            baud_rates: &[],
            board: "mps2-an386",
            firmware: concat!("holdfast-agent ", env!("CARGO_PKG_VERSION")),
        }
    }

    fn ticks(&mut self) -> u64 {
        // The timer counts down.
        u64::from(!read(TIMER + 4))
    }

    fn send(&mut self, bytes: &[u8]) {
        for byte in bytes {
            while read(UART + STATE) & 1 != 0 {}
            write(UART + DATA, u32::from(*byte));
        }
    }

    fn workspace(&mut self) -> (&[u8], &mut [u32]) {
        (stored(MODEL_AT), self.arena)
    }

    fn memory(&mut self) -> Memory {
        let (bottom, top, end) =
            (addr_of!(_stack_bottom), addr_of!(_stack_top), addr_of!(_bss_end));
        let model = stored(MODEL_AT).len();
        let image = addr_of!(_code_end) as usize;
        Memory {
            static_bytes: Some((end as usize - top as usize) as u32),
            stack_high_water_bytes: Some(stack_high_water(bottom, top)),
            flash_used_bytes: Some((image + if model > 0 { HEADER + model } else { 0 }) as u32),
        }
    }

    fn begin_model(&mut self, length: usize) -> bool {
        write(MODEL_AT, 0);
        let fits = length > 0 && length <= SEED_AT - MODEL_AT - HEADER;
        if fits {
            write(MODEL_AT + 4, length as u32);
            write(MODEL_AT, MAGIC);
        }
        fits
    }

    fn write_model(&mut self, offset: usize, bytes: &[u8]) -> bool {
        let at = (MODEL_AT + HEADER + offset) as *mut u8;
        for (index, byte) in bytes.iter().enumerate() {
            // SAFETY: `begin_model` made sure that the model fits its region.
            unsafe { at.add(index).write_volatile(*byte) };
        }
        true
    }

    fn reboot(&mut self) {
        reset();
    }
}

static mut AGENT: Agent = Agent::new(0);

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    write(TIMER + 8, u32::MAX);
    write(TIMER + 4, u32::MAX);
    write(TIMER, 1);
    write(UART + BAUD_DIVIDER, CLOCK_HZ / 921_600);
    // Transmitter, receiver, and an interrupt to wake up for; it is never taken.
    write(UART + CONTROL, 0b1011);
    write(INTERRUPT_ENABLE, 1);
    // SAFETY: this function runs once and alone.
    let (agent, arena) = unsafe { (&mut *addr_of_mut!(AGENT), arena()) };
    let receive = || {
        write(UART + INTERRUPT, 2);
        write(INTERRUPT_CLEAR, 1);
        (read(UART + STATE) & 2 != 0).then(|| read(UART + DATA) as u8)
    };
    let boot_id = boot_id(read(SEED_AT));
    // SAFETY: waits; a byte makes the interrupt pending, which ends the wait.
    serve(agent, &mut Mps2 { arena, boot_id }, receive, || unsafe { asm!("wfi") })
}
