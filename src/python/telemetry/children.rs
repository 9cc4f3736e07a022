//! From label values to the Python object of their series, remembered.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::pyclass_init::PyClassInitializer;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::python::errors::InvalidParameterError;
use crate::telemetry::{Family, Series, TelemetryError};

/// Python has hashed the strings, with its own secret, and kept the result.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

type Slot<T> = Vec<(Box<[Box<str>]>, Py<T>)>;

/// A family and, where the labels are given, one of its series.
pub(super) struct Instrument<T> {
    family: Arc<Family>,
    series: Option<Arc<Series>>,
    children: Mutex<HashMap<u64, Slot<T>, BuildHasherDefault<Hashed>>>,
}

impl<T: PyClass + Into<PyClassInitializer<T>> + From<Instrument<T>>> Instrument<T> {
    /// The whole family; without labels it is its one series too.
    pub(super) fn of(family: Arc<Family>) -> Result<Self, TelemetryError> {
        let unlabelled = family.declaration().labels.is_empty();
        let series = if unlabelled { Some(family.series(&[])?.0) } else { None };
        Ok(Self { family, series, children: Mutex::default() })
    }

    pub(super) fn name(&self) -> &str {
        &self.family.declaration().name
    }

    pub(super) fn label_names(&self) -> Vec<String> {
        self.family.declaration().labels.clone()
    }

    #[inline]
    pub(super) fn series(&self) -> PyResult<&Series> {
        match &self.series {
            Some(series) => Ok(series),
            None => Err(self.unlabelled()),
        }
    }

    pub(super) fn shared(&self) -> PyResult<Arc<Series>> {
        self.series.clone().ok_or_else(|| self.unlabelled())
    }

    #[cold]
    fn unlabelled(&self) -> PyErr {
        let names = &self.family.declaration().labels;
        let message = format!("labels of {} must be given: {names:?}", self.name());
        InvalidParameterError::new_err(message)
    }

    pub(super) fn child<'py>(
        &self,
        py: Python<'py>,
        values: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Py<T>> {
        if named.is_some() || values.iter_borrowed().any(|v| !v.is_instance_of::<PyString>()) {
            let values = self.in_order(py, values, named)?;
            return self.find(py, &values);
        }
        self.find(py, values)
    }

    pub(super) fn forget(
        &self,
        py: Python<'_>,
        values: &Bound<'_, PyTuple>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<bool> {
        let values = self.in_order(py, values, named)?;
        let values: Vec<String> = values.extract()?;
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        // Dropped outside the lock: a drop may run Python code.
        let _remembered = std::mem::take(&mut *self.lock());
        Ok(self.family.remove(&values))
    }

    pub(super) fn clear(&self) {
        let _remembered = std::mem::take(&mut *self.lock());
        self.family.clear();
    }

    fn find(&self, py: Python<'_>, values: &Bound<'_, PyTuple>) -> PyResult<Py<T>> {
        let mut hash = 0_u64;
        for value in values.iter_borrowed() {
            hash = hash.rotate_left(21) ^ (value.hash()? as u64);
        }
        if let Some(slot) = self.lock().get(&hash) {
            for (known, child) in slot {
                if same(known, values) {
                    return Ok(child.clone_ref(py));
                }
            }
        }
        self.make(py, hash, values)
    }

    #[cold]
    fn make(&self, py: Python<'_>, hash: u64, values: &Bound<'_, PyTuple>) -> PyResult<Py<T>> {
        let texts: Vec<String> = values.extract()?;
        let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
        let (series, overflow) = self.family.series(&borrowed)?;
        let family = self.family.clone();
        let made = T::from(Self { family, series: Some(series), children: Mutex::default() });
        let made = Py::new(py, made)?;
        if !overflow {
            let known = texts.into_iter().map(Into::into).collect();
            self.lock().entry(hash).or_default().push((known, made.clone_ref(py)));
        }
        Ok(made)
    }

    /// One string per label, in the order of the declaration.
    fn in_order<'py>(
        &self,
        py: Python<'py>,
        values: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let Some(named) = named else {
            let texts = values.iter().map(|value| value.str()).collect::<PyResult<Vec<_>>>()?;
            return PyTuple::new(py, texts);
        };
        let names = &self.family.declaration().labels;
        let mut texts = Vec::with_capacity(names.len());
        for name in names {
            if let Some(value) = named.get_item(name)? {
                texts.push(value.str()?);
            }
        }
        if !values.is_empty() || texts.len() != names.len() || named.len() != names.len() {
            let message = format!(
                "labels of {} must be {names:?}, all by position or all by name, got {} by \
                 position and {}",
                self.name(),
                values.len(),
                named.keys()
            );
            return Err(InvalidParameterError::new_err(message));
        }
        PyTuple::new(py, texts)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Slot<T>, BuildHasherDefault<Hashed>>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn same(known: &[Box<str>], values: &Bound<'_, PyTuple>) -> bool {
    known.len() == values.len()
        && known.iter().zip(values.iter_borrowed()).all(|(known, value)| {
            let text = value.cast::<PyString>();
            text.is_ok_and(|text| text.to_str().is_ok_and(|text| text == &**known))
        })
}
