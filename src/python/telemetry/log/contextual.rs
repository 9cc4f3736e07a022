//! What the running call says of itself: its trace, and fields bound around it.

#![allow(unsafe_code)] // context variables have no safe interface in pyo3

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};
use pyo3::{ffi, intern};

use crate::python::resilience::CallContext;

struct Variables {
    context: Py<PyAny>,
    nowhere: Py<PyAny>,
    fields: Py<PyAny>,
}

static VARIABLES: PyOnceLock<Variables> = PyOnceLock::new();
static FIELDS_USED: AtomicBool = AtomicBool::new(false);

fn variables(py: Python<'_>) -> PyResult<&Variables> {
    VARIABLES.get_or_try_init(py, || {
        let context = py.import("holdfast._context")?;
        let fields = py.import("holdfast.telemetry._logs.fields")?;
        Ok(Variables {
            context: context.getattr("variable")?.unbind(),
            nowhere: context.getattr("NOWHERE")?.unbind(),
            fields: fields.getattr("variable")?.unbind(),
        })
    })
}

fn value_of<'py>(variable: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = variable.py();
    let mut value = std::ptr::null_mut();
    // SAFETY: `variable` is a ContextVar, as `variables` found it; the call stores a new
    // reference or null in `value`, and returns -1 with an exception set on failure.
    unsafe {
        if ffi::PyContextVar_Get(variable.as_ptr(), std::ptr::null_mut(), &raw mut value) < 0 {
            return Err(PyErr::fetch(py));
        }
        Ok(Bound::from_owned_ptr_or_opt(py, value))
    }
}

/// Trace and span id of the running call; `None` outside a trace.
pub(super) fn trace(
    py: Python<'_>,
) -> PyResult<Option<(Bound<'_, PyString>, Bound<'_, PyString>)>> {
    let variables = variables(py)?;
    let Some(context) = value_of(variables.context.bind(py))? else { return Ok(None) };
    let context = CallContext::beneath(&context);
    if context.is(&variables.nowhere) {
        return Ok(None);
    }
    let trace = context.getattr(intern!(py, "trace_id"))?.cast_into::<PyString>()?;
    if trace.is_empty()? {
        return Ok(None);
    }
    let span = context.getattr(intern!(py, "span_id"))?.cast_into::<PyString>()?;
    Ok(Some((trace, span)))
}

/// Fields that `log_fields` bound around the running call.
pub(super) fn fields(py: Python<'_>) -> PyResult<Option<Bound<'_, PyDict>>> {
    if !FIELDS_USED.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let fields = value_of(variables(py)?.fields.bind(py))?;
    fields.map(|fields| Ok(fields.cast_into::<PyDict>()?)).transpose()
}

/// Looks the variables up, before any line is written: a thread that forks while another
/// is looking them up would leave its child waiting for ever.
pub(super) fn prepare(py: Python<'_>) -> PyResult<()> {
    variables(py).map(|_| ())
}

/// From now on `fields` looks; before, no line pays for it.
pub(super) fn fields_are_used() {
    FIELDS_USED.store(true, Ordering::Relaxed);
}
