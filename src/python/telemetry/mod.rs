//! Bindings of series, history, rules, traces, logs and what is served of them.

mod children;
mod distribution;
mod gate;
mod health;
mod history;
mod http;
mod instrument;
pub(super) mod log;
mod number;
mod registry;
mod rules;
mod server;
pub(super) mod spans;
mod wall;

pub(super) use distribution::{Histogram, Summary, Timer};
pub(super) use gate::{hold_reads, release_reads};
pub(super) use health::HealthBoard;
pub(super) use history::History;
pub(super) use number::{Counter, Gauge};
pub(super) use registry::Registry;
pub(super) use rules::{Expression, Matchers, RuleState};
pub(super) use server::Server;
