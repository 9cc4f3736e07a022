//! A circuit breaker: stop calling what keeps failing (Nygard, "Release It!", 2007).
//!
//! * [`config`](BreakerConfig): what opens it, for how long, and what closes it again
//! * [`window`]: outcomes of the last calls or the last seconds
//! * [`machine`](Machine): the states, without locks
//! * [`shared`](Breaker): the same for many threads, with a path that takes no lock

mod config;
mod machine;
mod shared;
#[cfg(test)]
mod tests;
mod window;

pub use config::{BreakerConfig, Span};
pub use machine::{Machine, Permit, Refusal, State, Tally, Transition, Verdict};
pub use shared::Breaker;
