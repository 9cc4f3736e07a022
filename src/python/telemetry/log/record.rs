//! The line of a record of the standard `logging` module: the same fields in the same order.

use std::borrow::Cow;
use std::time::Duration;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};

use super::channel::{write_exception, write_trace};
use super::value::{described, excused, shown, write};
use crate::telemetry::log::{Line, Redactor, Style};

/// What every `LogRecord` has, in the order in which its constructor sets it.
const STANDARD: [&str; 23] = [
    "name",
    "msg",
    "args",
    "levelname",
    "levelno",
    "pathname",
    "filename",
    "module",
    "exc_info",
    "exc_text",
    "stack_info",
    "lineno",
    "funcName",
    "created",
    "msecs",
    "relativeCreated",
    "thread",
    "threadName",
    "processName",
    "process",
    "taskName",
    "message",
    "asctime",
];
const NAME: usize = 0;
const MSG: usize = 1;
const ARGS: usize = 2;
const LEVEL: usize = 3;
const EXC_INFO: usize = 8;
const EXC_TEXT: usize = 9;
const STACK: usize = 10;
const CREATED: usize = 13;

/// What may be added to a line, by its name there.
const EXTRA: [(&str, usize); 9] = [
    ("module", 7),
    ("function", 12),
    ("line", 11),
    ("path", 5),
    ("thread_id", 16),
    ("thread_name", 17),
    ("process_id", 19),
    ("process_name", 18),
    ("task_name", 20),
];

/// Facts about the place of a call that a line shows.
#[derive(Default)]
pub(super) struct Included(Vec<(&'static str, usize)>);

impl Included {
    /// Those of `EXTRA` that are named; the Python side has refused others.
    pub(super) fn new(names: &[String]) -> Self {
        Self(EXTRA.into_iter().filter(|(name, _)| names.iter().any(|n| n == name)).collect())
    }
}

static INTERNED: PyOnceLock<Vec<Py<PyString>>> = PyOnceLock::new();

fn standard(py: Python<'_>) -> &[Py<PyString>] {
    INTERNED.get_or_init(py, || {
        STANDARD.iter().map(|name| PyString::intern(py, name).unbind()).collect()
    })
}

/// Given with a record, these are fields of the record itself.
const OWN: [&str; 3] = ["category", "trace_id", "span_id"];

enum Place {
    Standard(usize),
    Own(usize),
    Extra,
}

/// Which attribute `name` is. `expected` is where the constructor put the standard ones.
fn position(standard: &[Py<PyString>], name: &Bound<'_, PyAny>, expected: usize) -> Place {
    if standard.get(expected).is_some_and(|known| name.is(known)) {
        return Place::Standard(expected);
    }
    let Ok(text) = name.cast::<PyString>() else { return Place::Extra };
    let Ok(text) = text.to_str() else { return Place::Extra };
    let at = |names: &[&str]| names.iter().position(|known| *known == text);
    // Most fields begin with a letter that few of the others begin with.
    match text.as_bytes().first() {
        Some(b'c' | b's' | b't') => {
            let own = at(&OWN).map(Place::Own);
            own.or_else(|| at(&STANDARD).map(Place::Standard)).unwrap_or(Place::Extra)
        }
        Some(b'a' | b'e' | b'f' | b'l' | b'm' | b'n' | b'p' | b'r') => {
            at(&STANDARD).map_or(Place::Extra, Place::Standard)
        }
        _ => Place::Extra,
    }
}

/// The name of a level as all lines have it.
fn lowered(level: Cow<'_, str>) -> Cow<'_, str> {
    match &*level {
        "DEBUG" => "debug".into(),
        "INFO" => "info".into(),
        "WARNING" => "warning".into(),
        "ERROR" => "error".into(),
        "CRITICAL" => "critical".into(),
        other => other.to_ascii_lowercase().into(),
    }
}

/// The line of `record`, with its newline.
pub(super) fn line(
    record: &Bound<'_, PyAny>,
    style: Style,
    redactor: &Redactor,
    included: &Included,
) -> PyResult<Vec<u8>> {
    let py = record.py();
    let attributes = record.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
    let mut known: [Option<Bound<'_, PyAny>>; STANDARD.len()] = [const { None }; STANDARD.len()];
    let mut own: [Option<Bound<'_, PyAny>>; OWN.len()] = [const { None }; OWN.len()];
    let mut extra = Vec::new();
    for (i, (name, value)) in attributes.iter().enumerate() {
        match position(standard(py), &name, i) {
            Place::Standard(at) => known[at] = Some(value),
            Place::Own(at) => own[at] = Some(value),
            Place::Extra => extra.push((name, value)),
        }
    }
    let some = |at: usize| known[at].as_ref().filter(|value| !value.is_none());
    let text = |at: usize| some(at).map_or_else(|| Ok(Cow::default()), shown);
    let created = some(CREATED).and_then(|created| created.extract::<f64>().ok()).unwrap_or(0.0);
    let since_epoch = Duration::try_from_secs_f64(created).unwrap_or_default();
    let level = lowered(text(LEVEL)?);
    let message = message(record, some(MSG), some(ARGS))?;
    let mut line = Line::new(style, redactor, since_epoch, &level, &text(NAME)?, &message);
    // A record that crossed a thread carries the trace of where it was made.
    let traced = own[1].is_some();
    for (name, value) in OWN.iter().zip(&own) {
        if let Some(value) = value.as_ref().filter(|value| !value.is_none()) {
            line.own(name, &shown(value)?);
        }
    }
    if !traced && style == Style::Json {
        write_trace(py, &mut line)?;
    }
    for &(name, at) in &included.0 {
        if let Some(value) = some(at) {
            line.key(name);
            write(&mut line, value)?;
        }
    }
    for (name, value) in &extra {
        let shown = match name.cast::<PyString>() {
            Ok(name) => line.key(&name.to_string_lossy()),
            Err(_) => line.key(&described(name)?),
        };
        if shown {
            write(&mut line, value)?;
        }
    }
    if let Some(stack) = some(STACK) {
        line.key("stack");
        write(&mut line, stack)?;
    }
    if !traced && style != Style::Json {
        write_trace(py, &mut line)?;
    }
    let below = match some(EXC_INFO).or(some(EXC_TEXT)) {
        Some(exception) => write_exception(&mut line, exception, style)?,
        None => None,
    };
    Ok(line.finish(below.as_deref()))
}

fn message<'a>(
    record: &Bound<'_, PyAny>,
    msg: Option<&'a Bound<'_, PyAny>>,
    arguments: Option<&Bound<'_, PyAny>>,
) -> PyResult<Cow<'a, str>> {
    let has_arguments = arguments.is_some_and(|arguments| arguments.is_truthy().unwrap_or(true));
    let msg = msg.map_or_else(|| Ok(Cow::default()), shown)?;
    if !has_arguments {
        return Ok(msg);
    }
    let whole = record.call_method0(intern!(record.py(), "getMessage"));
    match excused(whole)? {
        Some(whole) => described(&whole).map(Cow::Owned),
        None => {
            let given = arguments.map_or_else(|| Ok(Cow::default()), shown)?;
            Ok(Cow::Owned(format!("{msg} {given}")))
        }
    }
}
