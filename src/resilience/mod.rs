//! Decisions about calls that may fail. Time and chance are arguments, decisions are
//! returned; nothing here waits, calls back or reads a clock.

pub mod backoff;
pub mod breaker;
pub mod budget;
pub mod bulkhead;
mod error;
pub mod limiter;
pub mod retry;
mod sync;

pub use error::Invalid;
