use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::pyclass_init::PyClassInitializer;
use pyo3::types::PyBytes;

use super::children::Instrument;
use super::{Counter, Gauge, Histogram, Summary, gate, wall};
use crate::python::arguments::count;
use crate::python::errors::InvalidParameterError;
use crate::telemetry::{
    DEFAULT_BOUNDS, Declaration, Format, Kind, Labels, LooseFamily, Registry as Core, expose,
};

/// A sample that was not counted here: name, kind, help, labels, value.
pub(super) type Loose = (String, String, String, BTreeMap<String, String>, f64);

#[pyclass(frozen, module = "holdfast.telemetry")]
pub(in crate::python) struct Registry {
    pub(super) core: Arc<Core>,
    /// One Python object a family, so that all who declare it share what it remembers.
    made: Mutex<HashMap<String, Py<PyAny>>>,
}

impl Registry {
    fn instrument<T>(
        &self,
        py: Python<'_>,
        name: String,
        help: String,
        labels: Vec<String>,
        limit: i64,
        kind: Kind,
    ) -> PyResult<Py<T>>
    where
        T: PyClass + Into<PyClassInitializer<T>> + From<Instrument<T>>,
    {
        let limit = count("limit", limit)?;
        let family = self.core.declare(Declaration { name, help, labels, kind, limit })?;
        let name = family.declaration().name.clone();
        let made = Py::new(py, T::from(Instrument::of(family)?))?.into_any();
        let mut known = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let one = known.entry(name).or_insert(made).clone_ref(py);
        Ok(one.into_bound(py).cast_into::<T>()?.unbind())
    }
}

#[pymethods]
impl Registry {
    #[new]
    fn new() -> Self {
        Self { core: Arc::new(Core::default()), made: Mutex::default() }
    }

    #[pyo3(signature = (name, help = String::new(), labels = Vec::new(), *, limit = 1000))]
    fn counter(
        &self,
        py: Python<'_>,
        name: String,
        help: String,
        labels: Vec<String>,
        limit: i64,
    ) -> PyResult<Py<Counter>> {
        self.instrument(py, name, help, labels, limit, Kind::Counter)
    }

    #[pyo3(signature = (name, help = String::new(), labels = Vec::new(), *, limit = 1000))]
    fn gauge(
        &self,
        py: Python<'_>,
        name: String,
        help: String,
        labels: Vec<String>,
        limit: i64,
    ) -> PyResult<Py<Gauge>> {
        self.instrument(py, name, help, labels, limit, Kind::Gauge)
    }

    #[pyo3(signature = (
        name, help = String::new(), labels = Vec::new(), *, buckets = None, limit = 1000
    ))]
    fn histogram(
        &self,
        py: Python<'_>,
        name: String,
        help: String,
        labels: Vec<String>,
        buckets: Option<Vec<f64>>,
        limit: i64,
    ) -> PyResult<Py<Histogram>> {
        let bounds = buckets.unwrap_or_else(|| DEFAULT_BOUNDS.to_vec());
        let bounds = crate::telemetry::Histogram::checked_bounds(&bounds)?;
        self.instrument(py, name, help, labels, limit, Kind::Histogram(bounds))
    }

    #[pyo3(signature = (
        name, help = String::new(), labels = Vec::new(), *,
        quantiles = vec![0.5, 0.9, 0.99], window = 600.0, limit = 1000
    ))]
    fn summary(
        &self,
        py: Python<'_>,
        name: String,
        help: String,
        labels: Vec<String>,
        quantiles: Vec<f64>,
        window: f64,
        limit: i64,
    ) -> PyResult<Py<Summary>> {
        let window = wall::micros("window", window)?;
        let kind = Kind::Summary { quantiles: quantiles.into(), window };
        self.instrument(py, name, help, labels, limit, kind)
    }

    fn remove(&self, name: &str) -> bool {
        let forgotten = self.made.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        drop(forgotten);
        self.core.remove(name)
    }

    #[pyo3(signature = (format = "prometheus", extra = Vec::new()))]
    fn expose<'py>(
        &self,
        py: Python<'py>,
        format: &str,
        extra: Vec<Loose>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let format = parse_format(format)?;
        let loose = gather(extra);
        let core = self.core.clone();
        let text = py.detach(move || gate::read(|| expose(&core, &loose, wall::now(), format)));
        Ok(PyBytes::new(py, text.as_bytes()))
    }
}

fn parse_format(format: &str) -> PyResult<Format> {
    match format {
        "prometheus" => Ok(Format::Prometheus),
        "openmetrics" => Ok(Format::OpenMetrics),
        "json" => Ok(Format::Json),
        _ => Err(InvalidParameterError::new_err(format!(
            "format must be 'prometheus', 'openmetrics' or 'json', got {format:?}"
        ))),
    }
}

/// Samples of one name become one family; of one label set the last counts.
pub(super) fn gather(samples: Vec<Loose>) -> Vec<LooseFamily> {
    let mut families: Vec<LooseFamily> = Vec::new();
    for (mut name, kind, help, labels, value) in samples {
        if kind == "counter" && !name.ends_with("_total") {
            name.push_str("_total");
        }
        let labels = Labels::new(labels);
        let at = families.iter().position(|family| family.name == name);
        let at = at.unwrap_or_else(|| {
            families.push(LooseFamily { name, kind, help, samples: Vec::new() });
            families.len() - 1
        });
        let samples = &mut families[at].samples;
        match samples.iter_mut().find(|(other, _)| *other == labels) {
            Some((_, old)) => *old = value,
            None => samples.push((labels, value)),
        }
    }
    families
}
