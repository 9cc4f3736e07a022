use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;

use super::clock::TICK;
use super::events::tell;
use crate::clock::{Clock, Nanos, nanos, precise};
use crate::python::errors::BulkheadFullError;
use crate::python::errors::InvalidParameterError;
use crate::resilience::adaptive::{Adaptive, Law};
use crate::resilience::bulkhead::{Bulkhead, Entry};

/// How a waiting call is told that it has a place.
pub(super) enum Waker {
    Thread(Arc<Parker>),
    /// An asyncio loop and a future of it.
    Task(Py<PyAny>, Py<PyAny>),
}

#[derive(Default)]
pub(super) struct Parker {
    woken: Mutex<bool>,
    bell: Condvar,
}

impl Parker {
    fn wake(&self) {
        *self.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.bell.notify_one();
    }

    fn wait(&self, time: Duration) -> bool {
        let woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        *self
            .bell
            .wait_timeout_while(woken, time, |woken| !*woken)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }
}

/// A bulkhead for threads and tasks at the same time.
#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct BulkheadPolicy {
    name: String,
    core: Bulkhead<Waker>,
    adaptive: Option<Mutex<Adaptive>>,
    patience: AtomicU64,
    refused: AtomicU64,
    queued: AtomicU64,
}

#[pymethods]
impl BulkheadPolicy {
    #[new]
    fn new(
        name: String,
        limit: u32,
        queue: usize,
        max_wait: f64,
        adaptive: Option<(String, u32, u32)>,
    ) -> PyResult<Self> {
        let adaptive = match adaptive {
            None => None,
            Some((law, least, most)) => {
                let law = match law.as_str() {
                    "aimd" => Law::Aimd,
                    "gradient" => Law::Gradient,
                    other => {
                        return Err(InvalidParameterError::new_err(format!(
                            "algorithm must be 'aimd' or 'gradient', got {other:?}"
                        )));
                    }
                };
                Some(Mutex::new(Adaptive::new(law, limit, least, most)?))
            }
        };
        Ok(Self {
            name,
            core: Bulkhead::new(limit, queue)?,
            adaptive,
            patience: AtomicU64::new(nanos(max_wait)),
            refused: AtomicU64::new(0),
            queued: AtomicU64::new(0),
        })
    }

    fn resize(&self, py: Python<'_>, limit: u32) -> PyResult<()> {
        self.resize_to(py, limit)
    }

    /// Calls being made, calls waiting, the limit.
    fn counts(&self) -> (u32, usize, u32) {
        (self.core.held(), self.core.waiting(), self.core.limit())
    }

    /// Totals: calls that waited, calls refused.
    fn tally(&self) -> (u64, u64) {
        (self.queued.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed))
    }
}

fn wake(py: Python<'_>, waker: Waker) -> bool {
    match waker {
        Waker::Thread(parker) => {
            parker.wake();
            true
        }
        Waker::Task(home, future) => {
            let woken = future
                .getattr(py, "set_result")
                .and_then(|set| home.call_method1(py, "call_soon_threadsafe", (Wake(set),)));
            // A closed loop: its tasks are gone, the place goes to the next.
            woken.is_ok()
        }
    }
}

/// Sets a future's result unless it was cancelled meanwhile.
#[pyclass(frozen)]
struct Wake(Py<PyAny>);

#[pymethods]
impl Wake {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let future = self.0.getattr(py, "__self__")?;
        if !future.call_method0(py, "done")?.is_truthy(py)? {
            self.0.call1(py, (py.None(),))?;
        }
        Ok(())
    }
}

impl BulkheadPolicy {
    #[inline]
    pub(super) fn try_enter(&self) -> bool {
        self.core.try_enter()
    }

    pub(super) fn patience(&self) -> Nanos {
        self.patience.load(Ordering::Relaxed)
    }

    pub(super) fn enter(&self, waker: Waker) -> Entry {
        let entry = self.core.enter(waker);
        if matches!(entry, Entry::Queued(_)) {
            self.queued.fetch_add(1, Ordering::Relaxed);
        }
        entry
    }

    /// Whether durations are observed.
    pub(super) fn is_adaptive(&self) -> bool {
        self.adaptive.is_some()
    }

    /// Gives the place back; `overloaded` says whether the call failed, if it says anything
    /// about the dependency.
    #[inline]
    pub(super) fn leave(
        &self,
        py: Python<'_>,
        took: impl FnOnce() -> Nanos,
        overloaded: Option<bool>,
    ) {
        if let (Some(adaptive), Some(overloaded)) = (&self.adaptive, overloaded) {
            self.learn(py, adaptive, took(), overloaded);
        }
        if let Some(waker) = self.core.leave() {
            self.hand_over(waker);
        }
    }

    fn learn(&self, py: Python<'_>, adaptive: &Mutex<Adaptive>, took: Nanos, overloaded: bool) {
        let held = self.core.held();
        let mut adaptive = adaptive.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = adaptive.observe(took, held, overloaded);
        drop(adaptive);
        let resized = if limit == self.core.limit() { Ok(()) } else { self.resize_to(py, limit) };
        if let Err(error) = resized {
            error.write_unraisable(py, None);
        }
    }

    #[cold]
    fn hand_over(&self, waker: Waker) {
        Python::attach(|py| {
            let mut next = Some(waker);
            while let Some(waker) = next {
                next = if wake(py, waker) { None } else { self.core.leave() };
            }
        });
    }

    fn resize_to(&self, py: Python<'_>, limit: u32) -> PyResult<()> {
        for waker in self.core.resize(limit)? {
            if !wake(py, waker) {
                self.give_back();
            }
        }
        Ok(())
    }

    /// Gives back a place that was not used.
    fn give_back(&self) {
        if let Some(waker) = self.core.leave() {
            self.hand_over(waker);
        }
    }

    /// Stops waiting; gives the place back if it came at the same moment.
    pub(super) fn give_up(&self, number: u64) {
        if !self.core.give_up(number) {
            self.give_back();
        }
    }

    pub(super) fn full(&self, py: Python<'_>) -> PyErr {
        self.refused.fetch_add(1, Ordering::Relaxed);
        tell(py, "bulkhead.rejected", &self.name, |_| Ok(()));
        BulkheadFullError::new_err((self.name.clone(), self.core.limit()))
    }

    /// Waits in this thread for a place, at most `patience`.
    pub(super) fn wait(&self, py: Python<'_>, clock: &Clock, patience: Nanos) -> PyResult<()> {
        let parker = Arc::new(Parker::default());
        let number = match self.enter(Waker::Thread(parker.clone())) {
            Entry::Admitted => return Ok(()),
            Entry::Refused => return Err(self.full(py)),
            Entry::Queued(number) => number,
        };
        let mut end = precise().saturating_add(patience);
        if matches!(clock, Clock::Virtual(_)) {
            // Other threads get a moment of real time, the caller waits in its own.
            end = precise() + TICK.min(patience) / 10;
        }
        loop {
            let left = end.saturating_sub(precise()).min(TICK);
            if py.detach(|| parker.wait(Duration::from_nanos(left))) {
                return Ok(());
            }
            let interrupted = py.check_signals();
            if interrupted.is_ok() && precise() < end {
                continue;
            }
            if !self.core.give_up(number) {
                match interrupted {
                    Ok(()) => return Ok(()),
                    Err(error) => {
                        self.give_back();
                        return Err(error);
                    }
                }
            }
            interrupted?;
            clock.skip(patience);
            return Err(self.full(py));
        }
    }
}
