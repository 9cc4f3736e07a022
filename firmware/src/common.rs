//! What the boards share: the painted stack, and the model behind its header.

use holdfast_agent::protocol::Board;

/// What unused stack is filled with before the program starts.
const PAINT: u32 = 0x5aa5_5aa5;
/// Bytes in front of a stored model: a magic word, its length, and room.
pub(crate) const HEADER: usize = 16;
pub(crate) const MAGIC: u32 = u32::from_le_bytes(*b"HFM1");

/// Bytes of the deepest stack so far, by the paint that is left.
pub(crate) fn stack_high_water(bottom: *const u32, top: *const u32) -> u32 {
    let words = (top as usize - bottom as usize) / 4;
    let mut unused = 0;
    // SAFETY: within the stack's memory, which the linker script bounds.
    while unused < words && unsafe { bottom.add(unused).read_volatile() } == PAINT {
        unused += 1;
    }
    4 * (words - unused) as u32
}

/// The model stored at `at`, empty if none is.
pub(crate) fn stored(at: usize) -> &'static [u8] {
    let header = at as *const u32;
    // SAFETY: the model's region is readable; a length was checked against the region's
    // end before its header was written. Uploads, which change it, drop the engine first.
    unsafe {
        if header.read_volatile() != MAGIC {
            return &[];
        }
        let length = header.add(1).read_volatile() as usize;
        core::slice::from_raw_parts((at + HEADER) as *const u8, length)
    }
}

/// Takes what has come and works on, for ever.
pub(crate) fn serve<B: Board>(
    agent: &mut holdfast_agent::protocol::Agent,
    board: &mut B,
    receive: impl Fn() -> Option<u8>,
    wait: impl Fn(),
) -> ! {
    agent.boot(board);
    loop {
        while let Some(byte) = receive() {
            agent.receive(board, &[byte]);
        }
        if !agent.step(board) {
            wait();
        }
    }
}
