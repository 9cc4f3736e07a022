//! What a logger is made of: a name, a category, fields of its own, and a way out.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyString, PyTuple};

use super::output::since_epoch;
use super::setup::{LINES, Route, route};
use super::value::{described, excused, write};
use super::{contextual, fast_call};
use crate::telemetry::log::{Line, Style};

/// The levels that have a method, with their numbers in the standard library.
pub(super) const LEVELS: [(&str, u8); 5] =
    [("debug", 10), ("info", 20), ("warning", 30), ("error", 40), ("critical", 50)];

#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct LogChannel {
    name: String,
    category: Option<String>,
    fields: Py<PyDict>,
    has_fields: bool,
    route: Arc<Route>,
}

#[pymethods]
impl LogChannel {
    #[new]
    fn new(name: String, category: Option<String>, fields: Bound<'_, PyDict>) -> PyResult<Self> {
        contextual::prepare(fields.py())?;
        let fields = fields.copy()?;
        Ok(Self {
            has_fields: !fields.is_empty(),
            fields: fields.unbind(),
            route: route(name.clone(), category.clone()),
            name,
            category,
        })
    }

    /// A function `(message, *arguments, **fields)` that writes at `level`.
    fn writer<'py>(slf: Bound<'py, Self>, level: &str) -> PyResult<Bound<'py, PyCFunction>> {
        let index = LEVELS.iter().position(|(name, _)| *name == level);
        fast_call::writer(slf, index.ok_or_else(|| PyValueError::new_err("level is unknown"))?)
    }

    /// Number below which lines are dropped.
    #[getter]
    fn threshold(&self) -> u8 {
        self.route.threshold()
    }
}

impl LogChannel {
    pub(super) fn drops(&self, level: usize) -> bool {
        LEVELS[level].1 < self.route.threshold()
    }

    pub(super) fn log<'py>(
        &self,
        py: Python<'py>,
        level: usize,
        message: &Bound<'py, PyAny>,
        arguments: impl ExactSizeIterator<Item = Bound<'py, PyAny>>,
        fields: &[(Bound<'py, PyString>, Bound<'py, PyAny>)],
    ) -> PyResult<()> {
        LINES[level].fetch_add(1, Ordering::Relaxed);
        let output = self.route.output();
        let composed = compose(message, arguments)?;
        let message = match (&composed, message.cast::<PyString>()) {
            (None, Ok(message)) => message.to_string_lossy(),
            (composed, _) => composed.as_deref().unwrap_or_default().into(),
        };
        let mut line = Line::new(
            output.style,
            &output.redactor,
            since_epoch(),
            LEVELS[level].0,
            &self.name,
            &message,
        );
        if let Some(category) = &self.category {
            line.own("category", category);
        }
        if output.style == Style::Json {
            write_trace(py, &mut line)?;
        }
        let mut exception = None;
        for (name, value) in fields {
            let name = name.to_string_lossy();
            if name == "exc_info" {
                exception = Some(value);
            } else if line.key(&name) {
                write(&mut line, value)?;
            }
        }
        let given = |name: &Bound<'py, PyAny>| {
            fields.iter().any(|(other, _)| name.eq(other).unwrap_or(false))
        };
        let own = self.has_fields.then(|| self.fields.bind(py));
        for (name, value) in own.iter().flat_map(|own| own.iter()) {
            if !given(&name) && line.key(&described(&name)?) {
                write(&mut line, &value)?;
            }
        }
        for (name, value) in contextual::fields(py)?.iter().flat_map(PyDictMethods::iter) {
            let own = own.is_some_and(|own| own.contains(&name).unwrap_or(false));
            if !own && !given(&name) && line.key(&described(&name)?) {
                write(&mut line, &value)?;
            }
        }
        if output.style != Style::Json {
            write_trace(py, &mut line)?;
        }
        let below = match exception {
            Some(exception) => write_exception(&mut line, exception, output.style)?,
            None => None,
        };
        output.write(py, line.finish(below.as_deref()))
    }
}

/// The message with its arguments put in, if it is not ready as it is.
fn compose<'py>(
    message: &Bound<'py, PyAny>,
    arguments: impl ExactSizeIterator<Item = Bound<'py, PyAny>>,
) -> PyResult<Option<String>> {
    let text = message.cast::<PyString>();
    if arguments.len() == 0 {
        return if text.is_ok() { Ok(None) } else { described(message).map(Some) };
    }
    let arguments = PyTuple::new(message.py(), arguments)?;
    let text = message.str().and_then(|text| text.rem(&arguments)).and_then(|text| text.str());
    match excused(text)? {
        Some(text) => Ok(Some(text.to_string_lossy().into_owned())),
        // A message that does not fit its arguments is still worth reading.
        None => Ok(Some(format!("{} {}", described(message)?, described(&arguments)?))),
    }
}

pub(super) fn write_trace(py: Python<'_>, line: &mut Line<'_>) -> PyResult<()> {
    if let Some((trace, span)) = contextual::trace(py)? {
        line.own("trace_id", &trace.to_string_lossy());
        if !span.is_empty()? {
            line.own("span_id", &span.to_string_lossy());
        }
    }
    Ok(())
}

/// `exception` as an object in JSON, or the traceback to print below a line that is read.
pub(super) fn write_exception(
    line: &mut Line<'_>,
    exception: &Bound<'_, PyAny>,
    style: Style,
) -> PyResult<Option<String>> {
    let module = exception.py().import("holdfast.telemetry._logs.exceptions")?;
    let facts = module.getattr("describe")?.call1((exception,))?;
    if facts.is_none() {
        return Ok(None);
    }
    let facts = facts.cast_into::<PyDict>()?;
    if style == Style::Json {
        line.key("exception");
        write(line, &facts)?;
        return Ok(None);
    }
    let traceback = facts.get_item("traceback")?;
    traceback.map(|text| text.extract()).transpose()
}

/// The first argument must be the message.
pub(super) fn missing_message(level: usize) -> PyErr {
    PyTypeError::new_err(format!("{}() needs a message", LEVELS[level].0))
}
