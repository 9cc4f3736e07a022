//! The agent on ARM's MPS2 board with a Cortex-M4F (AN386), which QEMU emulates.
//! Never run on the real board.

#![no_std]
#![no_main]

mod common;

use core::arch::{asm, global_asm};
use core::panic::PanicInfo;
use core::ptr::{addr_of, addr_of_mut};

use common::{HEADER, MAGIC, serve, stack_high_water, stored};
use holdfast_agent::protocol::{Agent, Board, Identity, Memory, capability};

global_asm!(
    ".syntax unified",
    ".section .vectors,\"a\"",
    ".word _stack_top",
    ".word _start",
    ".rept 46",
    ".word halt",
    ".endr",
    ".section .text._start,\"ax\"",
    ".globl _start",
    ".thumb_func",
    "_start:",
    // The floating-point unit is off after a reset.
    "ldr r0, =0xe000ed88",
    "ldr r1, [r0]",
    "orr r1, r1, #0xf00000",
    "str r1, [r0]",
    "dsb",
    "isb",
    "cpsid i",
    "ldr r0, =_stack_bottom",
    "ldr r1, =_stack_top",
    "ldr r2, =0x5aa55aa5",
    "1: cmp r0, r1",
    "bhs 2f",
    "str r2, [r0], #4",
    "b 1b",
    "2: ldr r0, =_data",
    "ldr r1, =_data_end",
    "ldr r2, =_data_load",
    "3: cmp r0, r1",
    "bhs 4f",
    "ldr r3, [r2], #4",
    "str r3, [r0], #4",
    "b 3b",
    "4: ldr r0, =_bss",
    "ldr r1, =_bss_end",
    "movs r2, #0",
    "5: cmp r0, r1",
    "bhs 6f",
    "str r2, [r0], #4",
    "b 5b",
    "6: bl start",
    ".thumb_func",
    "halt: b halt",
    ".ltorg",
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
const RESET_CONTROL: usize = 0xe000_ed0c;
const MODEL_AT: usize = 0x0020_0000;
/// The last words of code memory: whoever starts the board may put a number here.
const SEED_AT: usize = 0x003f_fff0;
const RAM_BYTES: u32 = 4 << 20;

unsafe extern "C" {
    static _stack_bottom: u32;
    static _stack_top: u32;
    static _bss_end: u32;
    static _code_end: u32;
    static mut _arena: u32;
    static mut _arena_end: u32;
}

fn read(address: usize) -> u32 {
    // SAFETY: registers and memory of the board, aligned and readable.
    unsafe { (address as *const u32).read_volatile() }
}

fn write(address: usize, value: u32) {
    // SAFETY: registers of the board and the model's header, aligned and writable.
    unsafe { (address as *mut u32).write_volatile(value) }
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
        write(RESET_CONTROL, 0x05fa_0004);
    }
}

static mut AGENT: Agent = Agent::new(0);

/// Starts of this board since it had power; survives a reset.
#[unsafe(link_section = ".boots")]
static mut BOOTS: u32 = 0;

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    write(TIMER + 8, u32::MAX);
    write(TIMER + 4, u32::MAX);
    write(TIMER, 1);
    write(UART + BAUD_DIVIDER, CLOCK_HZ / 921_600);
    // Transmitter, receiver, and an interrupt to wake up for; it is never taken.
    write(UART + CONTROL, 0b1011);
    write(INTERRUPT_ENABLE, 1);
    // SAFETY: this function runs once and alone; the arena begins behind all variables
    // and ends with memory.
    let (agent, arena, boots) = unsafe {
        let first = addr_of_mut!(_arena);
        let words = (addr_of_mut!(_arena_end) as usize - first as usize) / 4;
        let boots = addr_of_mut!(BOOTS);
        boots.write_volatile(boots.read_volatile().wrapping_add(1));
        let arena = core::slice::from_raw_parts_mut(first, words);
        (&mut *addr_of_mut!(AGENT), arena, boots.read_volatile())
    };
    let boot_id = read(SEED_AT) ^ boots.wrapping_mul(0x9e37_79b1);
    let receive = || {
        write(UART + INTERRUPT, 2);
        write(INTERRUPT_CLEAR, 1);
        (read(UART + STATE) & 2 != 0).then(|| read(UART + DATA) as u8)
    };
    // SAFETY: waits; a byte makes the interrupt pending, which ends the wait.
    serve(agent, &mut Mps2 { arena, boot_id }, receive, || unsafe { asm!("wfi") })
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    loop {
        // SAFETY: stops the program.
        unsafe { asm!("bkpt") };
    }
}
