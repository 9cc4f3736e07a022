//! The board that probes are answered from.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

use super::wall::micros;
use crate::python::errors::InvalidParameterError;
use crate::telemetry::{Board, Health, Probe, Report};

#[pyclass(frozen, module = "holdfast.telemetry")]
pub(in crate::python) struct HealthBoard(pub(super) Arc<Mutex<Board>>);

impl HealthBoard {
    fn lock(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl HealthBoard {
    #[new]
    #[pyo3(signature = (tolerance = 60.0))]
    fn new(tolerance: f64) -> PyResult<Self> {
        let board = Board::new(micros("tolerance", tolerance)?)?;
        Ok(Self(Arc::new(Mutex::new(board))))
    }

    fn declare(
        &self,
        name: &str,
        live: bool,
        ready: bool,
        critical: bool,
        ttl: f64,
    ) -> PyResult<()> {
        self.lock().declare(name, live, ready, critical, micros("ttl", ttl)?);
        Ok(())
    }

    fn remove(&self, name: &str) -> bool {
        self.lock().remove(name)
    }

    fn report(
        &self,
        name: &str,
        status: &str,
        message: String,
        time: f64,
        took: f64,
    ) -> PyResult<()> {
        let Some(status) = Health::parse(status) else {
            return Err(InvalidParameterError::new_err(format!(
                "status must be 'healthy', 'degraded' or 'unhealthy', got {status:?}"
            )));
        };
        let (at, took) = (micros("time", time)?, micros("took", took)?);
        // A check that was removed while it ran has nothing to report to.
        let _ = self.lock().report(name, Report { status, message, at, took });
        Ok(())
    }

    fn beat(&self, time: f64) -> PyResult<()> {
        self.lock().beat(micros("time", time)?);
        Ok(())
    }

    fn render(&self, probe: &str, time: f64) -> PyResult<(bool, String)> {
        Ok(self.lock().render(Probe::parse(probe)?, micros("time", time)?))
    }
}
