//! Guards as Python sees them: policies, compiled into one callable.
//!
//! * `stage`: a policy and what Python adds to it, one file each
//! * `run`, `unwind`: one call on its way in and out through the stages; they decide, they do
//!   not wait
//! * `guarded`: the calls (vectorcall) that drive a run for a plain function; `callable` is
//!   their type
//! * `awaitable`, `driver`, `waiting`: the same for a coroutine function; `inner` is what it
//!   awaits, `alarm` its deadline
//! * `deadline`: the deadline in force
//! * `types`: how the types of these two are made
//! * `block`: the same for `with`; `attempts` for a loop

mod alarm;
mod arguments;
mod attempts;
mod awaitable;
mod block;
mod breaker;
mod bulkhead;
mod callable;
mod clock;
mod context;
mod deadline;
mod driver;
mod end;
mod events;
mod fallback;
mod guarded;
mod inner;
mod limiter;
mod observers;
mod pipeline;
mod retry;
mod run;
mod step;
mod timeout;
mod types;
mod unwind;
mod waiting;
mod watchdog;

pub(super) use attempts::AttemptLoop;
pub(super) use block::Block;
pub(super) use breaker::BreakerPolicy;
pub(super) use bulkhead::BulkheadPolicy;
pub(super) use callable::guard;
pub(super) use clock::VirtualClock;
pub(super) use context::CallContext;
pub(super) use fallback::FallbackPolicy;
pub(super) use limiter::LimiterPolicy;
pub(super) use observers::{Degradation, Durations, PoolBooks};
pub(super) use pipeline::Compiled;
pub(super) use retry::{RetryBudget, RetryPolicy};
pub(super) use timeout::TimeoutPolicy;
