//! Bindings of series, rules, checks, traces and logs.

pub(super) mod log;
pub(super) mod spans;
