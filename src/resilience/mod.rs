//! Decisions about calls that may fail. Time and chance are arguments, decisions are
//! returned; nothing here waits, calls back or reads a clock.

pub mod adaptive;
pub mod backoff;
pub mod breaker;
pub mod budget;
pub mod bulkhead;
pub mod degradation;
mod error;
pub mod limiter;
pub mod pool;
pub mod quantile;
pub mod retry;
mod sync;

pub use error::Invalid;
