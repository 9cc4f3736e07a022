//! Keeps a fork from happening while a thread without the GIL holds a lock of the series:
//! in the child that lock would be held for ever.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;

/// Forks in progress.
static HELD: AtomicUsize = AtomicUsize::new(0);
/// Readers inside.
static READERS: AtomicUsize = AtomicUsize::new(0);

/// Runs `read`, which takes microseconds and never needs the GIL, between forks.
pub(super) fn read<T>(read: impl FnOnce() -> T) -> T {
    loop {
        READERS.fetch_add(1, SeqCst);
        if HELD.load(SeqCst) == 0 {
            break;
        }
        READERS.fetch_sub(1, SeqCst);
        thread::sleep(Duration::from_micros(200));
    }
    let value = read();
    READERS.fetch_sub(1, SeqCst);
    value
}

#[pyfunction]
pub(in crate::python) fn hold_reads() {
    HELD.fetch_add(1, SeqCst);
    while READERS.load(SeqCst) > 0 {
        thread::yield_now();
    }
}

#[pyfunction]
pub(in crate::python) fn release_reads(in_child: bool) {
    if in_child {
        // A reader on its way out again may have been counted at the moment of the fork. It
        // is not here, and neither is any other thread that was about to fork.
        READERS.store(0, SeqCst);
        HELD.store(0, SeqCst);
    } else {
        HELD.fetch_sub(1, SeqCst);
    }
}
