//! What every instrument has besides its own methods: a name, labels, children.

/// A class `$kind` around an `Instrument`, with the methods of all and those given.
///
/// One `#[pymethods]` block is all a class may have, so the common ones are written into it.
macro_rules! instrument {
    ($kind:ident { $($own:tt)* }) => {
        #[pyclass(frozen, module = "holdfast.telemetry")]
        pub(in crate::python) struct $kind(Instrument<Self>);

        impl From<Instrument<Self>> for $kind {
            fn from(instrument: Instrument<Self>) -> Self {
                Self(instrument)
            }
        }

        #[pymethods]
        impl $kind {
            $($own)*

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
    };
}

pub(super) use instrument;
