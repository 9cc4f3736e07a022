//! Large pages for what is read from end to end with every token: at the end of each small
//! one the processor must look up an address and stops foreseeing.

#![allow(unsafe_code)] // madvise(2)

/// Zeros, on large pages where the system has them to give.
pub(super) fn zeros(count: usize) -> Vec<u8> {
    // Fresh from the system, so not touched yet: only then does advice come in time.
    let bytes = vec![0; count];
    #[cfg(target_os = "linux")]
    advise(&bytes);
    bytes
}

#[cfg(target_os = "linux")]
fn advise(bytes: &[u8]) {
    const LARGE: usize = 2 << 20;
    let before = bytes.as_ptr().align_offset(LARGE);
    let Some(whole) = bytes.get(before..).map(|rest| rest.len() / LARGE * LARGE) else { return };
    if whole > 0 {
        let first = bytes[before..].as_ptr().cast_mut().cast();
        // SAFETY: the range lies within `bytes`, and the advice changes nothing in it. Where
        // it is refused the pages stay small.
        unsafe { libc::madvise(first, whole, libc::MADV_HUGEPAGE) };
    }
}
