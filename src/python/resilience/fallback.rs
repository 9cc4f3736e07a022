//! What to do instead of failing.
#![allow(unsafe_code)] // the exception that a run keeps as a plain pointer

use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::end::End;
use super::events::tell;

/// What to do instead, best first.
#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct FallbackPolicy {
    name: String,
    on: Py<PyTuple>,
    handlers: Vec<Py<PyAny>>,
    partial: bool,
    value: Option<(Py<PyAny>,)>,
    used: AtomicU64,
    exhausted: AtomicU64,
}

/// The answer of a fallback at one of its steps.
enum Instead {
    /// Call this with the arguments of the call.
    Call(Py<PyAny>),
    /// This is the result.
    Value(Py<PyAny>),
    /// Nothing is left to try.
    Nothing,
}

#[pymethods]
impl FallbackPolicy {
    #[new]
    fn new(
        name: String,
        on: Py<PyTuple>,
        handlers: Vec<Py<PyAny>>,
        partial: bool,
        value: Option<(Py<PyAny>,)>,
    ) -> Self {
        let (used, exhausted) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { name, on, handlers, partial, value, used, exhausted }
    }

    /// Totals: results that came from a fallback, and calls for which all failed.
    fn tally(&self) -> (u64, u64) {
        (self.used.load(Ordering::Relaxed), self.exhausted.load(Ordering::Relaxed))
    }
}

/// A handler to call and the exception to keep meanwhile.
type Handler = (Py<PyAny>, *mut ffi::PyObject);

impl FallbackPolicy {
    /// One step of the answer: the end, or a handler. `first` is the exception of the call
    /// itself, or null; it is taken.
    pub(super) fn step(
        &self,
        py: Python<'_>,
        step: u32,
        first: *mut ffi::PyObject,
        end: End,
    ) -> (Option<End>, Option<Handler>) {
        // SAFETY: `first` is an owned reference that the run gives away, or null.
        let first = unsafe { Bound::from_owned_ptr_or_opt(py, first) }.map(PyErr::from_value);
        // The first error is the one the caller can act on.
        let error = match (first, end) {
            (None, end) if !self.answers(py, &end) => return (Some(end), None),
            (Some(first), End::Failed(_) | End::Refused(_)) => first,
            (None, End::Failed(error) | End::Refused(error)) => error,
            (_, end) => {
                if step > 0 && matches!(end, End::Value(_)) {
                    self.note(py, step as usize - 1);
                }
                return (Some(end), None);
            }
        };
        match self.instead(py, &error, step as usize) {
            Instead::Call(handler) => (None, Some((handler, error.into_value(py).into_ptr()))),
            Instead::Value(value) => (Some(End::Value(value)), None),
            Instead::Nothing => (Some(End::raised(py, error)), None),
        }
    }

    /// Whether it has anything to say to this end.
    fn answers(&self, py: Python<'_>, end: &End) -> bool {
        match end {
            End::Failed(error) | End::Refused(error) => error.is_instance(py, self.on.bind(py)),
            _ => false,
        }
    }

    /// Step `step` of the answer to `error`.
    fn instead(&self, py: Python<'_>, error: &PyErr, step: usize) -> Instead {
        if let Some(handler) = self.handlers.get(step) {
            return Instead::Call(handler.clone_ref(py));
        }
        let partial = self.partial.then(|| {
            let value = error.value(py);
            let of = |name| value.getattr_opt(name).ok().flatten().filter(|found| !found.is_none());
            of("partial_result").or_else(|| of("partial_results"))
        });
        let answer = match (partial.flatten(), &self.value) {
            (Some(partial), _) => Instead::Value(partial.unbind()),
            (None, Some((value,))) => Instead::Value(value.clone_ref(py)),
            (None, None) => Instead::Nothing,
        };
        match answer {
            Instead::Nothing => {
                self.exhausted.fetch_add(1, Ordering::Relaxed);
                tell(py, "fallback.exhausted", &self.name, |_| Ok(()));
            }
            _ => self.note(py, step),
        }
        answer
    }

    /// A handler gave a result.
    fn note(&self, py: Python<'_>, step: usize) {
        self.used.fetch_add(1, Ordering::Relaxed);
        tell(py, "fallback.used", &self.name, |attributes| attributes.set_item("step", step));
    }
}
