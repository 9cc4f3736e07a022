//! What a long kernel and whoever started it share: a way to stop it, and how far it is.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use thiserror::Error;

/// The kernel was asked to stop before it had a result.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("stopped before completion")]
pub struct Stopped;

/// Handle on a running kernel. Kernels poll [`check`](Self::check) at least every few
/// milliseconds of work; why they should stop (Ctrl-C, a deadline) is the caller's affair.
#[derive(Debug, Default)]
pub struct Task {
    stop: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
}

impl Task {
    /// A task nobody has stopped.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ask the kernel to stop.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// `Err` once [`stop`](Self::stop) was called.
    pub fn check(&self) -> Result<(), Stopped> {
        if self.stop.load(Ordering::Relaxed) { Err(Stopped) } else { Ok(()) }
    }

    /// Announce `units` more units of work.
    pub fn expect(&self, units: usize) {
        self.total.fetch_add(units as u64, Ordering::Relaxed);
    }

    /// Report `units` of the announced work as done.
    pub fn advance(&self, units: usize) {
        self.done.fetch_add(units as u64, Ordering::Relaxed);
    }

    /// Work done and work announced so far.
    pub fn progress(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_task_says_so() {
        let task = Task::new();
        assert_eq!(task.check(), Ok(()));
        task.stop();
        assert_eq!(task.check(), Err(Stopped));
    }
}
