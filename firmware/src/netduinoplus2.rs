//! The agent on an STM32F405 (Cortex-M4F) as QEMU's `netduinoplus2` emulates it: 1 MiB of
//! flash, 128 KiB of memory. Not for the real board, whose clocks and pins somebody would
//! have to set up first; the emulated one starts with its port connected and its timers
//! at 1 GHz.
//!
//! Registers: ST's reference manual RM0090, sections 18.4 (TIM2) and 30.6 (USART).

#![no_std]
#![no_main]

mod common;
mod cortex_m;

use core::arch::{asm, global_asm};
use core::cell::UnsafeCell;
use core::ptr::{addr_of, addr_of_mut};
use core::sync::atomic::{AtomicUsize, Ordering};

use common::{HEADER, serve, stack_high_water, stored};
use cortex_m::{arena, boot_id, read, reset, write};
use holdfast_agent::protocol::{Agent, Board, Identity, Memory};

global_asm!(
    ".section .vectors,\"a\"",
    ".word _stack_top",
    ".word _start",
    ".rept 51",
    ".word halt",
    ".endr",
    ".word byte_received", // interrupt 37, USART1
    ".rept 44",
    ".word halt",
    ".endr",
);

const CLOCK_HZ: u32 = 1_000_000;
const TIMER: usize = 0x4000_0000;
const TIMER_UPDATE: usize = TIMER + 0x14;
const TIMER_COUNT: usize = TIMER + 0x24;
const TIMER_PRESCALER: usize = TIMER + 0x28;
const TIMER_RELOAD: usize = TIMER + 0x2c;
const INTERRUPT_ENABLE: usize = 0xe000_e100;
const USART_INTERRUPT: usize = 37;

const STATUS: usize = 0x4001_1000;
const DATA: usize = 0x4001_1004;
const CONTROL: usize = 0x4001_100c;
const EMPTY: u32 = 1 << 7;
/// USART, transmitter and receiver on.
const ON: u32 = 1 << 13 | 1 << 3 | 1 << 2;
const RECEIVE_INTERRUPT: u32 = 1 << 5;

const FLASH: usize = 0x0800_0000;
const FLASH_BYTES: u32 = 1 << 20;
/// The model lies in the upper half of flash, whose last words are for whoever starts the
/// board to put a number into.
const MODEL_AT: usize = 0x0808_0000;
const SEED_AT: usize = 0x080f_fff0;
const RAM_BYTES: u32 = 128 << 10;

unsafe extern "C" {
    static _stack_bottom: u32;
    static _stack_top: u32;
    static _bss_end: u32;
    static _code_end: u32;
}

/// Bytes from the wire that nobody has asked for yet: one interrupt puts them in, the main
/// loop takes them out.
struct Queue {
    bytes: UnsafeCell<[u8; 2048]>,
    put: AtomicUsize,
    taken: AtomicUsize,
}

// SAFETY: a slot belongs to the interrupt until `put` moves past it, and to the main loop
// from then on until `taken` does.
unsafe impl Sync for Queue {}

static QUEUE: Queue = Queue {
    bytes: UnsafeCell::new([0; 2048]),
    put: AtomicUsize::new(0),
    taken: AtomicUsize::new(0),
};

#[unsafe(no_mangle)]
extern "C" fn byte_received() {
    let (put, taken) = (QUEUE.put.load(Ordering::Relaxed), QUEUE.taken.load(Ordering::Acquire));
    if put.wrapping_sub(taken) == 2048 {
        // The wire has to wait until the main loop has made room.
        return write(CONTROL, ON);
    }
    let byte = read(DATA) as u8;
    // SAFETY: see `Queue`.
    unsafe { QUEUE.bytes.get().cast::<u8>().add(put % 2048).write(byte) };
    QUEUE.put.store(put.wrapping_add(1), Ordering::Release);
}

fn receive() -> Option<u8> {
    let taken = QUEUE.taken.load(Ordering::Relaxed);
    if taken == QUEUE.put.load(Ordering::Acquire) {
        return None;
    }
    // SAFETY: see `Queue`.
    let byte = unsafe { QUEUE.bytes.get().cast::<u8>().add(taken % 2048).read() };
    QUEUE.taken.store(taken.wrapping_add(1), Ordering::Release);
    write(CONTROL, ON | RECEIVE_INTERRUPT);
    Some(byte)
}

/// Waits for a byte, unless one came after the queue was found empty.
fn wait() {
    // SAFETY: interrupts are held back only until the wait is over; a pending one ends it.
    unsafe {
        asm!("cpsid i");
        if QUEUE.taken.load(Ordering::Relaxed) == QUEUE.put.load(Ordering::Acquire) {
            asm!("wfi");
        }
        asm!("cpsie i");
    }
}

struct Netduino {
    arena: &'static mut [u32],
    boot_id: u32,
}

impl Board for Netduino {
    fn identity(&self) -> Identity<'_> {
        Identity {
            boot_id: self.boot_id,
            clock_hz: CLOCK_HZ,
            clock_bits: 32,
            ram_bytes: RAM_BYTES,
            flash_bytes: FLASH_BYTES,
            // QEMU has no flash controller for this part: models come with the image.
            capabilities: 0,
            baud_rates: &[],
            board: "netduinoplus2",
            firmware: concat!("holdfast-agent ", env!("CARGO_PKG_VERSION")),
        }
    }

    fn ticks(&mut self) -> u64 {
        u64::from(read(TIMER_COUNT))
    }

    fn send(&mut self, bytes: &[u8]) {
        for byte in bytes {
            while read(STATUS) & EMPTY == 0 {}
            write(DATA, u32::from(*byte));
        }
    }

    fn workspace(&mut self) -> (&[u8], &mut [u32]) {
        (stored(MODEL_AT), self.arena)
    }

    fn memory(&mut self) -> Memory {
        let (bottom, top, end) =
            (addr_of!(_stack_bottom), addr_of!(_stack_top), addr_of!(_bss_end));
        let model = stored(MODEL_AT).len();
        let image = addr_of!(_code_end) as usize - FLASH;
        Memory {
            static_bytes: Some((end as usize - top as usize) as u32),
            stack_high_water_bytes: Some(stack_high_water(bottom, top)),
            flash_used_bytes: Some((image + if model > 0 { HEADER + model } else { 0 }) as u32),
        }
    }

    fn reboot(&mut self) {
        reset();
    }
}

static mut AGENT: Agent = Agent::new(0);

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    write(TIMER_PRESCALER, 1_000_000_000 / CLOCK_HZ - 1);
    write(TIMER_RELOAD, u32::MAX);
    write(TIMER_UPDATE, 1);
    write(TIMER, 1);
    write(CONTROL, ON | RECEIVE_INTERRUPT);
    write(INTERRUPT_ENABLE + USART_INTERRUPT / 32 * 4, 1 << (USART_INTERRUPT % 32));
    // SAFETY: this function runs once and alone; handlers are ready.
    let (agent, arena) = unsafe {
        asm!("cpsie i");
        (&mut *addr_of_mut!(AGENT), arena())
    };
    let boot_id = boot_id(read(SEED_AT));
    serve(agent, &mut Netduino { arena, boot_id }, receive, wait)
}
