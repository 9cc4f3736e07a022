//! Counters and gauges.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::children::Instrument;
use super::wall;
use crate::python::errors::InvalidDataError;

#[pyclass(frozen, module = "holdfast.telemetry")]
pub(in crate::python) struct Counter(Instrument<Self>);

impl From<Instrument<Self>> for Counter {
    fn from(instrument: Instrument<Self>) -> Self {
        Self(instrument)
    }
}

#[pymethods]
impl Counter {
    #[pyo3(signature = (amount = 1.0))]
    fn inc(&self, amount: f64) -> PyResult<()> {
        // NaN fails the comparison too.
        if amount >= 0.0 {
            self.0.series()?.number()?.add(amount);
            return Ok(());
        }
        Err(InvalidDataError::new_err(format!("amount must be zero or more, got {amount}")))
    }

    #[getter]
    fn value(&self) -> PyResult<f64> {
        Ok(self.0.series()?.number()?.get())
    }

    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    #[getter]
    fn label_names(&self) -> Vec<String> {
        self.0.label_names()
    }

    #[pyo3(signature = (*values, **named))]
    fn labels<'py>(
        &self,
        py: Python<'py>,
        values: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Py<Self>> {
        self.0.child(py, values, named)
    }

    #[pyo3(signature = (*values, **named))]
    fn remove(
        &self,
        py: Python<'_>,
        values: &Bound<'_, PyTuple>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<bool> {
        self.0.forget(py, values, named)
    }

    fn clear(&self) {
        self.0.clear();
    }
}

#[pyclass(frozen, module = "holdfast.telemetry")]
pub(in crate::python) struct Gauge(Instrument<Self>);

impl From<Instrument<Self>> for Gauge {
    fn from(instrument: Instrument<Self>) -> Self {
        Self(instrument)
    }
}

#[pymethods]
impl Gauge {
    fn set(&self, value: f64) -> PyResult<()> {
        self.0.series()?.number()?.set(value);
        Ok(())
    }

    #[pyo3(signature = (amount = 1.0))]
    fn inc(&self, amount: f64) -> PyResult<()> {
        self.0.series()?.number()?.add(amount);
        Ok(())
    }

    #[pyo3(signature = (amount = 1.0))]
    fn dec(&self, amount: f64) -> PyResult<()> {
        self.0.series()?.number()?.add(-amount);
        Ok(())
    }

    fn set_to_current_time(&self) -> PyResult<()> {
        self.set(wall::seconds(wall::now()))
    }

    #[getter]
    fn value(&self) -> PyResult<f64> {
        Ok(self.0.series()?.number()?.get())
    }

    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    #[getter]
    fn label_names(&self) -> Vec<String> {
        self.0.label_names()
    }

    #[pyo3(signature = (*values, **named))]
    fn labels<'py>(
        &self,
        py: Python<'py>,
        values: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Py<Self>> {
        self.0.child(py, values, named)
    }

    #[pyo3(signature = (*values, **named))]
    fn remove(
        &self,
        py: Python<'_>,
        values: &Bound<'_, PyTuple>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<bool> {
        self.0.forget(py, values, named)
    }

    fn clear(&self) {
        self.0.clear();
    }
}
