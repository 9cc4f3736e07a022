//! Bindings of series, history, rules and what is served of them.

mod children;
mod distribution;
mod history;
mod number;
mod registry;
mod rules;
mod wall;

pub(super) use distribution::{Histogram, Summary, Timer};
pub(super) use history::History;
pub(super) use number::{Counter, Gauge};
pub(super) use registry::Registry;
pub(super) use rules::{Expression, Matchers, RuleState};
