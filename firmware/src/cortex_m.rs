//! What the Cortex-M4F boards share: the way from reset to `start`, registers, the model's
//! place in memory.

use core::arch::{asm, global_asm};
use core::panic::PanicInfo;

global_asm!(
    ".syntax unified",
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
    ".globl halt",
    ".thumb_func",
    "halt: b halt",
    ".ltorg",
);

const RESET_CONTROL: usize = 0xe000_ed0c;

unsafe extern "C" {
    static mut _arena: u32;
    static mut _arena_end: u32;
}

/// Reads a word of the board: a register, or memory.
pub(crate) fn read(address: usize) -> u32 {
    // SAFETY: callers name addresses of the board, aligned and readable.
    unsafe { (address as *const u32).read_volatile() }
}

/// Writes a word of the board: a register, or the model's header.
pub(crate) fn write(address: usize, value: u32) {
    // SAFETY: callers name addresses of the board, aligned and writable.
    unsafe { (address as *mut u32).write_volatile(value) }
}

/// Starts anew.
pub(crate) fn reset() {
    write(RESET_CONTROL, 0x05fa_0004);
}

/// Memory behind all variables, to its end.
///
/// # Safety
/// To be called once.
pub(crate) unsafe fn arena() -> &'static mut [u32] {
    let (first, end) = (&raw mut _arena, &raw mut _arena_end);
    // SAFETY: the linker script puts nothing between these two.
    unsafe { core::slice::from_raw_parts_mut(first, (end as usize - first as usize) / 4) }
}

/// Starts of this board since it had power; survives a reset.
#[unsafe(link_section = ".boots")]
static mut BOOTS: u32 = 0;

/// A number that differs after every start, from `seed` on.
pub(crate) fn boot_id(seed: u32) -> u32 {
    let boots = &raw mut BOOTS;
    // SAFETY: nothing else refers to it, and nothing interrupts that would.
    let count = unsafe {
        boots.write_volatile(boots.read_volatile().wrapping_add(1));
        boots.read_volatile()
    };
    seed ^ count.wrapping_mul(0x9e37_79b1)
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    loop {
        // SAFETY: stops the program.
        unsafe { asm!("bkpt") };
    }
}
