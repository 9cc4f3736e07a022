use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

use super::arguments::Arguments;
use super::bulkhead::Waker;
use super::clock::sleep;
use super::end::{End, Next};
use super::pipeline::{Compiled, Stage};
use super::run::Run;
use crate::clock::seconds;
use crate::python::errors::InvalidParameterError;
use crate::resilience::bulkhead::Entry;

/// One run around a `with` block.
#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct Block {
    compiled: Py<Compiled>,
    run: Mutex<Run>,
}

#[pymethods]
impl Block {
    #[new]
    fn new(compiled: Py<Compiled>, threaded: bool) -> PyResult<Self> {
        if let Some(policy) = compiled.get().repeats() {
            return Err(InvalidParameterError::new_err(format!(
                "policies of a with block must run it once, got {policy}: decorate a function"
            )));
        }
        Ok(Self { compiled, run: Mutex::new(Run::new(threaded)) })
    }

    /// Waits in this thread until the block may begin.
    fn enter(&self, py: Python<'_>) -> PyResult<()> {
        let pipe = self.compiled.get();
        pipe.begin(py);
        let mut next = self.run().descend(py, pipe, 0, Arguments::NONE);
        loop {
            next = match next {
                Next::Wait { time, then } => match sleep(py, &pipe.clock, time) {
                    Ok(()) => self.run().descend(py, pipe, then, Arguments::NONE),
                    Err(error) => self.run().unwind(py, pipe, then, End::raised(py, error)),
                },
                Next::Queue { stage, patience } => {
                    let Stage::Bulkhead(bulkhead) = &pipe.stages[stage] else { unreachable!() };
                    match bulkhead.get().wait(py, &pipe.clock, patience) {
                        Ok(()) => {
                            let mut run = self.run();
                            run.entered(pipe, stage);
                            run.descend(py, pipe, stage + 1, Arguments::NONE)
                        }
                        Err(error) => self.run().unwind(py, pipe, stage, End::raised(py, error)),
                    }
                }
                other => return done(other),
            };
        }
    }

    /// Asks the policies from stage `then` on; `None` if the block may begin, a time and
    /// the stage to go on with, or a stage in whose bulkhead to queue and for how long.
    fn ask(&self, py: Python<'_>, then: usize) -> PyResult<Option<(bool, f64, usize)>> {
        let pipe = self.compiled.get();
        if then == 0 {
            pipe.begin(py);
        }
        match self.run().descend(py, pipe, then, Arguments::NONE) {
            Next::Wait { time, then } if pipe.clock.skip(time) => self.ask(py, then),
            Next::Wait { time, then } => Ok(Some((false, seconds(time), then))),
            Next::Queue { stage, patience } => {
                Ok(Some((true, seconds(patience.min(1 << 60)), stage)))
            }
            other => done(other).map(|()| None),
        }
    }

    /// Queues a task; its number, or `None` if it has a place at once.
    fn queue(
        &self,
        py: Python<'_>,
        stage: usize,
        home: Py<PyAny>,
        future: Py<PyAny>,
    ) -> PyResult<Option<u64>> {
        let pipe = self.compiled.get();
        let Stage::Bulkhead(bulkhead) = &pipe.stages[stage] else { return Ok(None) };
        match bulkhead.get().enter(Waker::Task(home, future)) {
            Entry::Admitted => Ok(None),
            Entry::Queued(number) => Ok(Some(number)),
            Entry::Refused => {
                let end = End::Refused(bulkhead.get().full(py));
                done(self.run().unwind(py, pipe, stage, end)).map(|()| None)
            }
        }
    }

    /// The queueing task has its place.
    fn entered(&self, stage: usize) {
        self.run().entered(self.compiled.get(), stage);
    }

    /// The queueing task gave up, because of `error` if it was cancelled.
    fn give_up(
        &self,
        py: Python<'_>,
        stage: usize,
        number: u64,
        error: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let pipe = self.compiled.get();
        let Stage::Bulkhead(bulkhead) = &pipe.stages[stage] else { return Ok(()) };
        bulkhead.get().give_up(number);
        let end = match error {
            Some(error) => End::raised(py, PyErr::from_value(error)),
            None => End::Refused(bulkhead.get().full(py)),
        };
        done(self.run().unwind(py, pipe, stage, end))
    }

    /// A wait was interrupted by `error`.
    fn interrupted(&self, py: Python<'_>, then: usize, error: Bound<'_, PyAny>) -> PyResult<()> {
        let end = End::raised(py, PyErr::from_value(error));
        done(self.run().unwind(py, self.compiled.get(), then, end))
    }

    /// The earliest deadline in force: its stage and the seconds left.
    fn deadline(&self) -> Option<(usize, f64)> {
        let (deadline, stage) = self.run().deadline()?;
        let now = self.compiled.get().clock.now();
        Some((stage, seconds(deadline.saturating_sub(now))))
    }

    /// Ends the block; raises what the policies make of `error`, unless that is `error`.
    /// `expired` is the stage whose deadline has cancelled the task.
    #[pyo3(signature = (error, expired = None))]
    fn exit(
        &self,
        py: Python<'_>,
        error: Option<Bound<'_, PyAny>>,
        expired: Option<usize>,
    ) -> PyResult<()> {
        let pipe = self.compiled.get();
        let end = match &error {
            Some(error) => End::raised(py, PyErr::from_value(error.clone())),
            None => End::Value(py.None()),
        };
        let mut run = self.run();
        run.expired = expired;
        let next = run.unwind(py, pipe, pipe.stages.len(), end);
        drop(run);
        match (done(next), error) {
            (Err(raised), Some(error)) if raised.value(py).is(&error) => Ok(()),
            (result, _) => result,
        }
    }
}

impl Block {
    fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn done(next: Next) -> PyResult<()> {
    match next {
        Next::Done(end) => end.into_result().map(drop),
        _ => Ok(()),
    }
}
