//! A style, what to hide, and where to write.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pyo3::prelude::*;

use super::contextual;
use super::record::{self, Included};
use super::sink::{RotatedFile, Sink};
use super::value::excused;
use crate::telemetry::log::{Line, Redactor, Rotation, Style};

pub(super) struct Output {
    pub(super) style: Style,
    pub(super) redactor: Redactor,
    included: Included,
    sink: Sink,
    lost: AtomicU64,
    untold: AtomicU64,
}

/// Wall clock, since 1970; a clock set before that counts as 1970.
pub(super) fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl Output {
    pub(super) fn stderr() -> Self {
        Self {
            style: Style::Console { colour: false },
            redactor: Redactor::default(),
            included: Included::default(),
            sink: Sink::Stderr,
            lost: AtomicU64::new(0),
            untold: AtomicU64::new(0),
        }
    }

    /// Writes a line or counts it as lost; the first line after a loss tells of it.
    pub(super) fn write(&self, py: Python<'_>, line: Vec<u8>) -> PyResult<()> {
        let untold = self.untold.load(Ordering::Relaxed);
        let written = if untold == 0 {
            self.sink.write(py, &line)
        } else {
            let mut lines = self.tell_of(untold);
            lines.extend_from_slice(&line);
            self.sink.write(py, &lines)
        };
        if excused(written)?.is_none() {
            self.lost.fetch_add(1, Ordering::Relaxed);
            self.untold.fetch_add(1, Ordering::Relaxed);
        } else if untold > 0 {
            self.untold.fetch_sub(untold, Ordering::Relaxed);
        }
        Ok(())
    }

    fn tell_of(&self, lost: u64) -> Vec<u8> {
        let name = "holdfast.telemetry";
        let message = "earlier lines could not be written";
        let mut line = Line::new(self.style, &self.redactor, since_epoch(), "error", name, message);
        line.key("lost");
        line.integer(lost.cast_signed());
        line.finish(None)
    }
}

/// What loggers and handlers write to.
#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct LogOutput(pub(super) Arc<Output>);

#[pymethods]
impl LogOutput {
    /// `target`: None for `sys.stderr`, a path, a descriptor to own, or a stream.
    #[new]
    #[pyo3(signature = (style, target, *, hidden, included, rotation, mode))]
    fn new(
        py: Python<'_>,
        style: &str,
        target: Option<Bound<'_, PyAny>>,
        hidden: Vec<String>,
        included: Vec<String>,
        rotation: (Option<u64>, Option<f64>, u32),
        mode: u32,
    ) -> PyResult<Self> {
        contextual::prepare(py)?;
        let (max_bytes, every, backups) = rotation;
        let rotation = Rotation { max_bytes, every: every.map(Duration::from_secs_f64), backups };
        let sink = match target {
            None => Sink::Stderr,
            Some(target) => {
                if let Ok(fd) = target.extract::<i32>() {
                    Sink::descriptor(fd)
                } else if let Ok(path) = target.extract::<String>() {
                    Sink::File(RotatedFile::open_at(path, mode, rotation)?.into())
                } else {
                    Sink::Stream(target.unbind())
                }
            }
        };
        Ok(Self(Arc::new(Output {
            style: match style {
                "json" => Style::Json,
                other => Style::Console { colour: other == "colour" },
            },
            redactor: Redactor::new(hidden.iter().map(String::as_str)),
            included: Included::new(&included),
            sink,
            lost: AtomicU64::new(0),
            untold: AtomicU64::new(0),
        })))
    }

    /// The line of a `logging.LogRecord`, without its newline.
    fn format(&self, record: &Bound<'_, PyAny>) -> PyResult<String> {
        let output = &self.0;
        let mut line = record::line(record, output.style, &output.redactor, &output.included)?;
        line.pop();
        // A line is made of text; the check is there for whoever breaks that.
        Ok(String::from_utf8(line)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// Writes the line of a `logging.LogRecord`.
    fn emit(&self, record: &Bound<'_, PyAny>) -> PyResult<()> {
        let output = &self.0;
        let line = record::line(record, output.style, &output.redactor, &output.included)?;
        output.write(record.py(), line)
    }

    /// Writes text that is a line already.
    fn write(&self, py: Python<'_>, line: String) -> PyResult<()> {
        self.0.write(py, line.into_bytes())
    }

    /// Lines that could not be written since the beginning.
    #[getter]
    fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }

    fn close(&self) {
        self.0.sink.close();
    }

    fn reopen(&self) -> PyResult<()> {
        Ok(self.0.sink.reopen()?)
    }
}
