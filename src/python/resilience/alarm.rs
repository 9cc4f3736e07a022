use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use pyo3::types::PyModule;

use crate::clock::{Clock, Nanos, seconds};

/// Cancels the task when its time is up.
#[pyclass(frozen)]
struct Alarm {
    task: Py<PyAny>,
    rung: AtomicBool,
}

#[pymethods]
impl Alarm {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        self.rung.store(true, Ordering::Relaxed);
        self.task.call_method0(py, "cancel").map(drop)
    }
}

/// The event loop watching the deadline of a stage for a task.
pub(super) struct Timer {
    stage: usize,
    /// Cancellations that were pending when it was set.
    pending: usize,
    alarm: Py<Alarm>,
    handle: Py<PyAny>,
}

impl Timer {
    /// `None` without a running loop: somebody else drives the coroutine, and time is
    /// checked at the end.
    pub(super) fn set(py: Python<'_>, deadline: Nanos, stage: usize) -> PyResult<Option<Self>> {
        let left = seconds(deadline.saturating_sub(Clock::Precise.now()));
        let asyncio = PyModule::import(py, "asyncio")?;
        let Ok(home) = asyncio.call_method0("get_running_loop") else { return Ok(None) };
        let task = asyncio.call_method1("current_task", (&home,))?;
        if task.is_none() {
            return Ok(None);
        }
        let pending = match task.getattr_opt("cancelling")? {
            Some(cancelling) => cancelling.call0()?.extract()?,
            None => 0,
        };
        let alarm = Alarm { task: task.unbind(), rung: AtomicBool::new(false) };
        let alarm = Py::new(py, alarm)?;
        let handle = home.call_method1("call_later", (left, &alarm))?.unbind();
        Ok(Some(Self { stage, pending, alarm, handle }))
    }

    /// The stage whose deadline had come, if the task was cancelled for it.
    pub(super) fn stop(self, py: Python<'_>) -> PyResult<Option<usize>> {
        if !self.alarm.get().rung.load(Ordering::Relaxed) {
            self.handle.call_method0(py, "cancel")?;
            return Ok(None);
        }
        // From 3.11 on a task counts its cancellations. One was ours; if there is another,
        // somebody else wants the task to end, and that goes first.
        let left = match self.alarm.get().task.bind(py).getattr_opt("uncancel")? {
            Some(uncancel) => uncancel.call0()?.extract::<usize>()?,
            None => 0,
        };
        Ok((left <= self.pending).then_some(self.stage))
    }
}
