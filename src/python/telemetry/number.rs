//! Counters and gauges.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::children::Instrument;
use super::instrument::instrument;
use super::wall;
use crate::python::errors::InvalidDataError;

instrument!(Counter {
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
});

instrument!(Gauge {
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
});
