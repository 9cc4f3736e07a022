use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

use super::registry::{Loose, Registry};
use super::wall::{self, micros};
use crate::python::arguments::count;
use crate::python::errors::InvalidParameterError;
use crate::telemetry::{Aggregation, History as Core, Labels, Micros, Origin};

type Named = BTreeMap<String, String>;
/// Labels, kind, seconds since 1970, value.
type Row = (Named, &'static str, f64, f64);

#[pyclass(frozen, module = "holdfast.telemetry")]
pub(in crate::python) struct History(pub(super) Arc<Mutex<Core>>);

impl History {
    pub(super) fn lock(&self) -> MutexGuard<'_, Core> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn carries(wanted: Option<Named>) -> impl Fn(&Labels) -> bool {
    let wanted = wanted.unwrap_or_default();
    move |labels| wanted.iter().all(|(name, value)| labels.get(name) == value)
}

fn window(start: Option<f64>, end: Option<f64>) -> PyResult<(Micros, Micros)> {
    let start = start.map(|start| micros("start", start)).transpose()?;
    let end = end.map(|end| micros("end", end)).transpose()?;
    Ok((start.unwrap_or(Micros::MIN), end.unwrap_or(Micros::MAX)))
}

pub(super) fn named(labels: &Labels) -> Named {
    labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub(super) fn kind_of(kind: &str) -> PyResult<&'static str> {
    ["counter", "gauge", "histogram", "summary"]
        .into_iter()
        .find(|known| *known == kind)
        .ok_or_else(|| {
            InvalidParameterError::new_err(format!(
                "kind must be 'counter', 'gauge', 'histogram' or 'summary', got {kind:?}"
            ))
        })
}

#[pymethods]
impl History {
    #[new]
    #[pyo3(signature = (
        retention = 86400.0, scraped_retention = 3600.0, capacity = 10000, limit = 1000
    ))]
    fn new(retention: f64, scraped_retention: f64, capacity: i64, limit: i64) -> PyResult<Self> {
        let history = Core::new(
            micros("retention", retention)?,
            micros("scraped_retention", scraped_retention)?,
            count("capacity", capacity)?,
            count("limit", limit)?,
        )?;
        Ok(Self(Arc::new(Mutex::new(history))))
    }

    #[pyo3(signature = (name, value, time, labels = None, kind = "gauge", scraped = false))]
    fn record(
        &self,
        name: &str,
        value: f64,
        time: f64,
        labels: Option<Named>,
        kind: &str,
        scraped: bool,
    ) -> PyResult<()> {
        Core::check_name(name)?;
        let labels = Labels::new(labels.unwrap_or_default());
        let (time, kind) = (micros("time", time)?, kind_of(kind)?);
        let origin = if scraped { Origin::Scraped } else { Origin::Recorded };
        self.lock().record(name, labels, time, value, kind, origin);
        Ok(())
    }

    fn scrape(&self, registry: &Registry, time: f64) -> PyResult<()> {
        let time = micros("time", time)?;
        registry.core.scrape(&mut self.lock(), time);
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        self.lock().names().map(ToOwned::to_owned).collect()
    }

    #[pyo3(signature = (name, labels = None, start = None, end = None))]
    fn samples(
        &self,
        name: &str,
        labels: Option<Named>,
        start: Option<f64>,
        end: Option<f64>,
    ) -> PyResult<Vec<Row>> {
        let (start, end) = window(start, end)?;
        let history = self.lock();
        let mut rows = Vec::new();
        let mut series = 0;
        for (labels, ring) in history.rings(name, carries(labels)) {
            series += 1;
            for sample in ring.samples().filter(|s| (start..=end).contains(&s.time)) {
                rows.push((named(labels), ring.kind(), sample.time, sample.value));
            }
        }
        if series > 1 {
            rows.sort_by_key(|row| row.2);
        }
        Ok(rows.into_iter().map(|(l, kind, time, v)| (l, kind, wall::seconds(time), v)).collect())
    }

    #[pyo3(signature = (name, labels = None))]
    fn latest(&self, name: &str, labels: Option<Named>) -> Option<Row> {
        let history = self.lock();
        let (labels, ring) =
            history.rings(name, carries(labels)).max_by_key(|(_, ring)| ring.last())?;
        let sample = ring.samples().next_back()?;
        Some((named(labels), ring.kind(), wall::seconds(sample.time), sample.value))
    }

    #[pyo3(signature = (name, aggregation, labels = None, start = None, end = None))]
    fn aggregate(
        &self,
        name: &str,
        aggregation: &str,
        labels: Option<Named>,
        start: Option<f64>,
        end: Option<f64>,
    ) -> PyResult<Option<f64>> {
        let (start, end) = window(start, end)?;
        let history = self.lock();
        let values: Vec<f64> = history
            .rings(name, carries(labels))
            .flat_map(|(_, ring)| ring.samples())
            .filter(|sample| (start..=end).contains(&sample.time))
            .map(|sample| sample.value)
            .collect();
        if values.is_empty() {
            return Ok(None);
        }
        Ok(Aggregation::parse(aggregation)?.of(values))
    }

    fn purge(&self, time: f64) -> PyResult<()> {
        self.lock().purge(micros("time", time)?);
        Ok(())
    }

    /// The last value of every series that was recorded sample by sample, as `expose` takes it.
    fn recorded(&self) -> Vec<Loose> {
        let history = self.lock();
        let mut rows = Vec::new();
        for name in history.names() {
            for (labels, ring) in history.rings(name, |_| true) {
                if let (Origin::Recorded, Some(last)) = (ring.origin(), ring.samples().next_back())
                {
                    let kind = ring.kind().to_owned();
                    rows.push((name.to_owned(), kind, String::new(), named(labels), last.value));
                }
            }
        }
        rows
    }
}
