//! Histograms, summaries and what times a block for them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::children::Instrument;
use super::instrument::instrument;
use super::wall;
use crate::telemetry::{Series, State, Summary as Window, TelemetryError};

fn observe(series: &Series, value: f64) -> Result<(), TelemetryError> {
    match series.state() {
        State::Histogram(histogram) => histogram.observe(value),
        State::Summary(summary) => lock(summary).observe(value, wall::now()),
        State::Number(number) => {
            number.set(value);
            Ok(())
        }
    }
}

fn lock(summary: &Mutex<Window>) -> std::sync::MutexGuard<'_, Window> {
    summary.lock().unwrap_or_else(PoisonError::into_inner)
}

fn total(series: &Series) -> (u64, f64) {
    match series.state() {
        State::Histogram(histogram) => (histogram.count(), histogram.sum()),
        State::Summary(summary) => (lock(summary).count(), lock(summary).sum()),
        State::Number(number) => (1, number.get()),
    }
}

fn quantile(series: &Series, q: f64) -> Option<f64> {
    let value = match series.state() {
        State::Histogram(histogram) => histogram.quantile(q),
        State::Summary(summary) => lock(summary).quantile(q, wall::now()),
        State::Number(_) => f64::NAN,
    };
    (!value.is_nan()).then_some(value)
}

/// An instrument that observes.
macro_rules! observer {
    ($kind:ident { $($own:tt)* }) => {
        instrument!($kind {
            fn observe(&self, value: f64) -> PyResult<()> {
                Ok(observe(self.0.series()?, value)?)
            }

            fn time(slf: &Bound<'_, Self>) -> PyResult<Timer> {
                Ok(Timer::new(slf.get().0.shared()?, slf.clone().into_any().unbind()))
            }

            #[getter]
            fn count(&self) -> PyResult<u64> {
                Ok(total(self.0.series()?).0)
            }

            #[getter]
            fn sum(&self) -> PyResult<f64> {
                Ok(total(self.0.series()?).1)
            }

            fn quantile(&self, q: f64) -> PyResult<Option<f64>> {
                Ok(quantile(self.0.series()?, q))
            }

            $($own)*
        });
    };
}

observer!(Histogram {
    #[getter]
    fn buckets(&self) -> PyResult<Vec<(f64, u64)>> {
        Ok(match self.0.series()?.state() {
            State::Histogram(histogram) => histogram.cumulative().collect(),
            _ => Vec::new(),
        })
    }
});

observer!(Summary {});

/// Observes the seconds between entering and leaving; nests.
#[pyclass(frozen, module = "holdfast.telemetry")]
pub(in crate::python) struct Timer {
    series: Arc<Series>,
    instrument: Py<PyAny>,
    starts: Mutex<Vec<Instant>>,
}

impl Timer {
    fn new(series: Arc<Series>, instrument: Py<PyAny>) -> Self {
        Self { series, instrument, starts: Mutex::default() }
    }
}

#[pymethods]
impl Timer {
    fn __enter__(slf: Py<Self>) -> Py<Self> {
        let starts = &slf.get().starts;
        starts.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        slf
    }

    fn __exit__(
        &self,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let start = self.starts.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(start) = start {
            observe(&self.series, start.elapsed().as_secs_f64())?;
        }
        Ok(())
    }

    fn __call__<'py>(
        &self,
        py: Python<'py>,
        function: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let timed = py.import("holdfast.telemetry._series.timed")?.getattr("timed")?;
        timed.call1((&self.instrument, function))
    }
}
