//! Large buffers on large pages, where the system grants them on request.

#![allow(unsafe_code)] // one system call

/// Zeros. Panels are read in one sweep after the other: with 4 kB pages a tenth of a fit
/// went into page faults, and the processor's prefetching stops at each page's end.
pub fn zeros<T: Copy + Default>(len: usize) -> Vec<T> {
    let mut buffer = vec![T::default(); len];
    ask_for_large_pages(&mut buffer);
    buffer
}

#[cfg(target_os = "linux")]
fn ask_for_large_pages<T>(buffer: &mut [T]) {
    use std::ffi::{c_int, c_void};

    const LARGE: usize = 2 << 20;
    const MADV_HUGEPAGE: c_int = 14;

    unsafe extern "C" {
        fn madvise(address: *mut c_void, length: usize, advice: c_int) -> c_int;
    }

    let bytes = size_of_val(buffer);
    let skip = buffer.as_ptr().addr().next_multiple_of(LARGE) - buffer.as_ptr().addr();
    if bytes < skip + LARGE {
        return;
    }
    let whole = (bytes - skip) / LARGE * LARGE;
    // SAFETY: the range lies within the buffer. The advice changes no value, and a system
    // that refuses it leaves everything as it was.
    unsafe { madvise(buffer.as_mut_ptr().byte_add(skip).cast(), whole, MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn ask_for_large_pages<T>(_: &mut [T]) {}
