//! Bindings of series, history, rules, traces, logs and what is served of them.

mod children;
mod distribution;
mod history;
pub(super) mod log;
mod number;
mod registry;
mod rules;
pub(super) mod spans;
mod wall;

pub(super) use distribution::{Histogram, Summary, Timer};
pub(super) use history::History;
pub(super) use number::{Counter, Gauge};
pub(super) use registry::Registry;
pub(super) use rules::{Expression, Matchers, RuleState};
