use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::pyclass_init::PyClassInitializer;
use pyo3::types::PyBytes;

use super::children::Instrument;
use super::{Counter, Gauge, Histogram, Summary, gate, wall};
use crate::python::arguments::{count, given, number, refused};
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

/// What every declaration says, as it was given.
struct Said {
    name: String,
    help: String,
    labels: Vec<String>,
    limit: usize,
}

impl Said {
    fn new(
        name: &Bound<'_, PyAny>,
        help: Option<&Bound<'_, PyAny>>,
        labels: Option<&Bound<'_, PyAny>>,
        limit: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let help = help.map(|help| given("help", "a str", help)).transpose()?;
        let labels =
            labels.map(|labels| given("labels", "a sequence of str", labels)).transpose()?;
        let limit = limit.map(|limit| number("limit", "an integer >= 1", limit)).transpose()?;
        Ok(Self {
            name: given("name", "a str", name)?,
            help: help.unwrap_or_default(),
            labels: labels.unwrap_or_default(),
            limit: count("limit", limit.unwrap_or(1000))?,
        })
    }
}

impl Registry {
    fn instrument<T>(&self, py: Python<'_>, said: Said, kind: Kind) -> PyResult<Py<T>>
    where
        T: PyClass + Into<PyClassInitializer<T>> + From<Instrument<T>>,
    {
        let Said { name, help, labels, limit } = said;
        let family = self.core.declare(Declaration { name, help, labels, kind, limit })?;
        let name = family.declaration().name.clone();
        let made = Py::new(py, T::from(Instrument::of(family)?))?.into_any();
        let mut known = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let one = known.entry(name).or_insert(made).clone_ref(py);
        Ok(one.into_bound(py).cast_into::<T>()?.unbind())
    }
}

type Given<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

#[pymethods]
impl Registry {
    #[new]
    fn new() -> Self {
        Self { core: Arc::new(Core::default()), made: Mutex::default() }
    }

    #[pyo3(signature = (name, help = None, labels = None, *, limit = None))]
    #[pyo3(text_signature = "($self, name, help='', labels=(), *, limit=1000)")]
    fn counter(
        &self,
        name: &Bound<'_, PyAny>,
        help: Given<'_, '_>,
        labels: Given<'_, '_>,
        limit: Given<'_, '_>,
    ) -> PyResult<Py<Counter>> {
        self.instrument(name.py(), Said::new(name, help, labels, limit)?, Kind::Counter)
    }

    #[pyo3(signature = (name, help = None, labels = None, *, limit = None))]
    #[pyo3(text_signature = "($self, name, help='', labels=(), *, limit=1000)")]
    fn gauge(
        &self,
        name: &Bound<'_, PyAny>,
        help: Given<'_, '_>,
        labels: Given<'_, '_>,
        limit: Given<'_, '_>,
    ) -> PyResult<Py<Gauge>> {
        self.instrument(name.py(), Said::new(name, help, labels, limit)?, Kind::Gauge)
    }

    #[pyo3(signature = (name, help = None, labels = None, *, buckets = None, limit = None))]
    #[pyo3(text_signature = "($self, name, help='', labels=(), *, buckets=None, limit=1000)")]
    fn histogram(
        &self,
        name: &Bound<'_, PyAny>,
        help: Given<'_, '_>,
        labels: Given<'_, '_>,
        buckets: Given<'_, '_>,
        limit: Given<'_, '_>,
    ) -> PyResult<Py<Histogram>> {
        let said = Said::new(name, help, labels, limit)?;
        let bounds = match buckets {
            None => DEFAULT_BOUNDS.to_vec(),
            Some(buckets) => given("buckets", "a sequence of numbers", buckets)?,
        };
        let bounds = crate::telemetry::Histogram::checked_bounds(&bounds)?;
        self.instrument(name.py(), said, Kind::Histogram(bounds))
    }

    #[pyo3(signature = (
        name, help = None, labels = None, *, quantiles = None, window = None, limit = None
    ))]
    #[pyo3(text_signature = "($self, name, help='', labels=(), *, quantiles=(0.5, 0.9, 0.99), \
                             window=600.0, limit=1000)")]
    fn summary(
        &self,
        name: &Bound<'_, PyAny>,
        help: Given<'_, '_>,
        labels: Given<'_, '_>,
        quantiles: Given<'_, '_>,
        window: Given<'_, '_>,
        limit: Given<'_, '_>,
    ) -> PyResult<Py<Summary>> {
        let said = Said::new(name, help, labels, limit)?;
        let quantiles: Vec<f64> = match quantiles {
            None => vec![0.5, 0.9, 0.99],
            Some(quantiles) => given("quantiles", "a sequence of numbers", quantiles)?,
        };
        let seconds = window.map(|window| number("window", "a number of seconds > 0", window));
        let window = wall::micros("window", seconds.transpose()?.unwrap_or(600.0))?;
        let kind = Kind::Summary { quantiles: quantiles.into(), window };
        self.instrument(name.py(), said, kind)
    }

    fn remove(&self, name: &str) -> bool {
        let forgotten = self.made.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        drop(forgotten);
        self.core.remove(name)
    }

    #[pyo3(signature = (format = None, extra = Vec::new(), beside = None))]
    #[pyo3(text_signature = "($self, format='prometheus', extra=(), beside=None)")]
    fn expose<'py>(
        &self,
        py: Python<'py>,
        format: Given<'_, 'py>,
        extra: Vec<Loose>,
        beside: Option<&Self>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let format = format.map_or(Ok(Format::Prometheus), parse_format)?;
        let loose = gather(extra);
        let cores: Vec<_> = [Some(self), beside].iter().flatten().map(|r| r.core.clone()).collect();
        let text = py.detach(move || {
            let cores: Vec<_> = cores.iter().map(Arc::as_ref).collect();
            gate::read(|| expose(&cores, &loose, wall::now(), format))
        });
        Ok(PyBytes::new(py, text.as_bytes()))
    }
}

fn parse_format(format: &Bound<'_, PyAny>) -> PyResult<Format> {
    let rule = "'prometheus', 'openmetrics' or 'json'";
    match given::<String>("format", rule, format)?.as_str() {
        "prometheus" => Ok(Format::Prometheus),
        "openmetrics" => Ok(Format::OpenMetrics),
        "json" => Ok(Format::Json),
        _ => Err(refused("format", rule, format)),
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
