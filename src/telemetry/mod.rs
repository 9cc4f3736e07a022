//! Series, their history, the rules over them and the text they are read in; lines of logs.

mod error;
mod exposition;
mod family;
mod health;
mod histogram;
mod history;
mod ids;
mod labels;
pub mod log;
mod names;
mod number;
mod performance;
mod quantile;
mod query;
mod registry;
mod rules;
mod series;
mod sketch;
mod summary;

pub use error::TelemetryError;
pub use exposition::{Format, LooseFamily, expose};
pub use family::{Declaration, Family, Kind, OVERFLOW};
pub use health::{Board, Health, Probe, Report};
pub use histogram::{DEFAULT_BOUNDS, Histogram};
pub use history::{Aggregation, History, Origin, Ring, Sample};
pub use ids::Ids;
pub use labels::Labels;
pub use number::Number;
pub use performance::{Operations, Timings};
pub use quantile::{bucket_quantile, sorted_quantile};
pub use query::{Expr, Matcher, Point, Value, evaluate, parse, parse_matchers};
pub use registry::Registry;
pub use rules::{Active, Change, Comparison, Condition, Rule, Step};
pub use series::{Series, State};
pub use sketch::Sketch;
pub use summary::Summary;

/// Microseconds: since 1970 for a moment, a difference for a duration.
pub type Micros = i64;

/// Microseconds in a second.
pub const SECOND: Micros = 1_000_000;
