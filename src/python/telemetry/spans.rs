//! Ids of traces and spans, and the durations of operations.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

use crate::telemetry::{Ids, Micros, Operations, SECOND};

static IDS: Ids = Ids::new();

/// Starts the ids of this process from what the operating system drew.
#[pyfunction]
pub(crate) fn seed_ids(key: u64, tweak: u64) {
    IDS.seed(key, tweak);
}

#[pyfunction]
pub(crate) fn new_trace_id() -> String {
    format!("{:032x}", IDS.trace())
}

#[pyfunction]
pub(crate) fn new_span_id() -> String {
    format!("{:016x}", IDS.span())
}

/// Calls, failures, seconds, and the quantiles 0, 0.5, 0.95, 0.99 and 1.
type Row = (String, u64, u64, f64, [f64; 5]);

/// Durations by name of operation; times are in seconds of any one clock.
#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct OperationTimes(Mutex<Operations>);

fn micros(seconds: f64) -> Micros {
    (seconds * SECOND as f64) as Micros
}

#[pymethods]
impl OperationTimes {
    #[new]
    fn new(width: f64, kept: usize, most: usize) -> Self {
        Self(Mutex::new(Operations::new(micros(width), kept, most)))
    }

    fn record(&self, name: &str, seconds: f64, failed: bool, now: f64) {
        let mut operations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        operations.record(name, seconds, failed, micros(now));
    }

    fn since(&self, since: f64, now: f64) -> Vec<Row> {
        let operations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = operations.since(micros(since), micros(now));
        rows.into_iter()
            .map(|(name, timings)| {
                let quantiles = [0.0, 0.5, 0.95, 0.99, 1.0].map(|q| timings.durations.quantile(q));
                (name.to_owned(), timings.calls, timings.failures, timings.seconds, quantiles)
            })
            .collect()
    }

    fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
