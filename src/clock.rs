//! Time in nanoseconds, and the clocks a caller may take it from.
//!
//! State machines receive `now`; only whoever drives them reads a [`Clock`].
#![allow(unsafe_code)] // clock_gettime

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Nanoseconds since a fixed moment, or between two moments.
pub type Nanos = u64;

/// Nanoseconds in a second.
pub const SECOND: Nanos = 1_000_000_000;

/// Seconds to nanoseconds; what is negative or not a number becomes 0, what is too long
/// becomes the longest.
pub fn nanos(seconds: f64) -> Nanos {
    (seconds * SECOND as f64) as Nanos
}

/// Nanoseconds to seconds.
pub fn seconds(nanos: Nanos) -> f64 {
    nanos as f64 / SECOND as f64
}

/// Where `now` comes from. All but the virtual one count from the same moment as
/// Python's `time.monotonic`.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// `CLOCK_MONOTONIC_COARSE`: a few nanoseconds to read, a few milliseconds behind.
    #[default]
    Coarse,
    /// `CLOCK_MONOTONIC`.
    Precise,
    /// Moves only when told: for tests.
    Virtual(Arc<AtomicU64>),
}

impl Clock {
    /// The time now.
    #[inline]
    pub fn now(&self) -> Nanos {
        match self {
            Self::Coarse => coarse(),
            Self::Precise => precise(),
            Self::Virtual(now) => now.load(Ordering::Acquire),
        }
    }

    /// How far the clock may be behind, while the kernel ticks in time.
    pub fn lag(&self) -> Nanos {
        match self {
            Self::Coarse => tick(),
            Self::Precise | Self::Virtual(_) => 0,
        }
    }

    /// Moves a virtual clock; `false` if this is a real one, on which the caller must wait.
    pub fn skip(&self, by: Nanos) -> bool {
        match self {
            Self::Virtual(now) => {
                now.fetch_add(by, Ordering::AcqRel);
                true
            }
            _ => false,
        }
    }
}

#[cfg(unix)]
fn read(clock: libc::clockid_t) -> Nanos {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the answer; the clock exists on every supported
    // system, and if it did not the zero written above would remain.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec as Nanos * SECOND + time.tv_nsec as Nanos
}

/// The monotonic clock at full resolution.
#[cfg(unix)]
pub fn precise() -> Nanos {
    read(libc::CLOCK_MONOTONIC)
}

/// The monotonic clock as of the last tick of the kernel.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn coarse() -> Nanos {
    read(libc::CLOCK_MONOTONIC_COARSE)
}

/// Time between two ticks of the kernel.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn tick() -> Nanos {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: as in `read`.
    unsafe { libc::clock_getres(libc::CLOCK_MONOTONIC_COARSE, &raw mut time) };
    time.tv_sec as Nanos * SECOND + time.tv_nsec as Nanos
}

/// The precise clock stands for the coarse one here.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn tick() -> Nanos {
    0
}

/// This system has no coarse clock.
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
pub fn coarse() -> Nanos {
    precise()
}

/// The monotonic clock, counted from its first reading.
#[cfg(not(unix))]
pub fn precise() -> Nanos {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed().as_nanos() as Nanos
}

/// This system has no coarse clock.
#[cfg(not(unix))]
pub fn coarse() -> Nanos {
    precise()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_that_make_no_sense_become_the_nearest_that_do() {
        assert_eq!(nanos(-1.0), 0);
        assert_eq!(nanos(f64::NAN), 0);
        assert_eq!(nanos(f64::INFINITY), Nanos::MAX);
        assert_eq!(nanos(1.5), 1_500_000_000);
    }

    #[test]
    fn the_coarse_clock_is_never_ahead_and_says_how_far_it_may_be_behind() {
        let coarse = Clock::Coarse.now();
        assert!(coarse <= precise());
        assert!(Clock::Coarse.lag() <= SECOND / 10);
        assert_eq!(Clock::Precise.lag(), 0);
    }

    #[test]
    fn a_virtual_clock_moves_when_told_and_a_real_one_never() {
        let clock = Clock::Virtual(Arc::default());
        assert!(clock.skip(5));
        assert_eq!(clock.now(), 5);
        assert!(!Clock::Coarse.skip(5));
    }

    #[test]
    fn the_coarse_clock_is_never_ahead() {
        let early = Clock::Coarse.now();
        assert!(early <= Clock::Precise.now());
    }
}
