//! One call on its way in through the stages and out again.
//!
//! [`Run::descend`] asks each policy in turn, [`Run::unwind`] tells each how it ended;
//! both say what is to be done [`Next`], and whoever drives the run does it.

use std::cell::Cell;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;

use super::context::{self, Token};
use super::fallback::Instead;
use super::pipeline::{Compiled, Stage};
use crate::clock::{Clock, Nanos};
use crate::python::errors::{DeadlineExceededError, RejectedError};
use crate::resilience::breaker::Permit;
use crate::resilience::retry::Attempts;

/// The most policies in one pipeline.
pub(super) const MOST: usize = 12;

/// How a call, or a part of it, ended.
pub(super) enum End {
    Value(Py<PyAny>),
    /// By an `Exception`.
    Failed(PyErr),
    /// By a policy that did not let it begin.
    Refused(PyErr),
    /// By what is no `Exception`: cancellation, Ctrl-C, exit.
    Cancelled(PyErr),
}

impl End {
    pub(super) fn of(py: Python<'_>, result: PyResult<Py<PyAny>>) -> Self {
        match result {
            Ok(value) => Self::Value(value),
            Err(error) => Self::raised(py, error),
        }
    }

    pub(super) fn raised(py: Python<'_>, error: PyErr) -> Self {
        if !error.is_instance_of::<PyException>(py) {
            Self::Cancelled(error)
        } else if error.is_instance_of::<RejectedError>(py) {
            Self::Refused(error)
        } else {
            Self::Failed(error)
        }
    }

    pub(super) fn into_result(self) -> PyResult<Py<PyAny>> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Failed(error) | Self::Refused(error) | Self::Cancelled(error) => Err(error),
        }
    }
}

/// What the driver has to do.
pub(super) enum Next {
    /// Call the function, then unwind from the innermost stage.
    Call,
    /// Wait, then descend from stage `then`.
    Wait { time: Nanos, then: usize },
    /// Wait for a place in the bulkhead of this stage, then report it `entered` and
    /// descend from the one after it.
    Queue { stage: usize, patience: Nanos },
    /// Call this with the same arguments, then unwind from the stage after `stage`.
    Handle { handler: Py<PyAny>, stage: usize },
    /// Return or raise.
    Done(End),
}

/// What a stage remembers between the way in and the way out.
enum Slot {
    Idle,
    Retry { attempts: Attempts, token: Option<Token> },
    Breaker { permit: Permit, started: Nanos },
    Bulkhead,
    Timeout { deadline: Nanos, token: Token },
    Fallback { step: usize, first: Option<Box<PyErr>> },
}

pub(super) struct Run {
    slots: [Slot; MOST],
    /// The stage whose deadline a timer has enforced by cancelling the task.
    pub(super) expired: Option<usize>,
}

/// Reads the clock at most once.
struct Now<'a>(&'a Clock, Cell<Nanos>);

impl<'a> Now<'a> {
    fn new(clock: &'a Clock) -> Self {
        Self(clock, Cell::new(0))
    }

    fn get(&self) -> Nanos {
        if self.1.get() == 0 {
            // 0 stands for "not read": a virtual clock may well say 0, and is read again.
            self.1.set(self.0.now());
        }
        self.1.get()
    }
}

impl Run {
    pub(super) fn new() -> Self {
        Self { slots: [const { Slot::Idle }; MOST], expired: None }
    }

    /// Asks the stages from `from` inwards.
    pub(super) fn descend(&mut self, py: Python<'_>, pipe: &Compiled, from: usize) -> Next {
        let now = Now::new(&pipe.clock);
        for index in from..pipe.stages.len() {
            match self.ask(py, pipe, index, &now) {
                Ok(None) => {}
                Ok(Some(next)) => return next,
                Err(error) => {
                    let end = End::raised(py, error);
                    // A deadline that has passed before the call refuses it.
                    let end = match end {
                        End::Failed(error) => End::Refused(error),
                        end => end,
                    };
                    return self.unwind(py, pipe, index, end);
                }
            }
        }
        Next::Call
    }

    fn ask(
        &mut self,
        py: Python<'_>,
        pipe: &Compiled,
        index: usize,
        now: &Now<'_>,
    ) -> PyResult<Option<Next>> {
        self.slots[index] = match &pipe.stages[index] {
            Stage::Breaker(breaker) => {
                let permit = breaker.get().acquire(py, || now.get())?;
                let started = if pipe.timed[index] { now.get() } else { 0 };
                Slot::Breaker { permit, started }
            }
            Stage::Retry(retry) => {
                let attempts = retry.get().begin(py, || now.get());
                Slot::Retry { attempts, token: None }
            }
            Stage::Timeout(timeout) => {
                let now = now.get();
                let own = now.saturating_add(timeout.get().limit());
                let (deadline, token) = context::enter_deadline(py, own)?;
                if deadline <= now {
                    context::leave(py, &token);
                    return Err(timeout.get().overrun(py, None));
                }
                Slot::Timeout { deadline, token }
            }
            Stage::Bulkhead(bulkhead) => {
                let bulkhead = bulkhead.get();
                if !bulkhead.try_enter() {
                    let patience = bulkhead.patience();
                    if patience == 0 {
                        return Err(bulkhead.full(py));
                    }
                    let patience = patience.min(remaining(py, now.get())?);
                    return Ok(Some(Next::Queue { stage: index, patience }));
                }
                Slot::Bulkhead
            }
            Stage::Limiter(limiter) => {
                let at = now.get();
                let time = limiter.get().take(py, at, || remaining(py, at))?;
                if time > 0 {
                    return Ok(Some(Next::Wait { time, then: index + 1 }));
                }
                Slot::Idle
            }
            Stage::Fallback(_) => Slot::Fallback { step: 0, first: None },
        };
        Ok(None)
    }

    /// The bulkhead of `stage` gave its place.
    pub(super) fn entered(&mut self, stage: usize) {
        self.slots[stage] = Slot::Bulkhead;
    }

    /// Tells the stages before `from`, innermost first, how it ended.
    pub(super) fn unwind(
        &mut self,
        py: Python<'_>,
        pipe: &Compiled,
        from: usize,
        mut end: End,
    ) -> Next {
        let now = Now::new(&pipe.clock);
        for index in (0..from).rev() {
            let slot = std::mem::replace(&mut self.slots[index], Slot::Idle);
            match (slot, &pipe.stages[index]) {
                (Slot::Breaker { permit, started }, Stage::Breaker(breaker)) => {
                    breaker.get().settle(py, permit, &end, || now.get(), started);
                }
                (Slot::Bulkhead, Stage::Bulkhead(bulkhead)) => bulkhead.get().leave(py),
                (Slot::Retry { mut attempts, mut token }, Stage::Retry(retry)) => {
                    let retry = retry.get();
                    if retry.accepts(&end) {
                        if let Some(token) = token {
                            context::leave(py, &token);
                        }
                        continue;
                    }
                    if let Some(token) = token.take() {
                        context::leave(py, &token);
                    }
                    match retry.again(py, &mut attempts, &end, now.get()) {
                        Ok(None) => {}
                        Ok(Some(time)) => {
                            token = context::enter_attempt(py, attempts.made).ok();
                            self.slots[index] = Slot::Retry { attempts, token };
                            return Next::Wait { time, then: index + 1 };
                        }
                        Err(error) => end = End::raised(py, error),
                    }
                }
                (Slot::Timeout { deadline, token }, Stage::Timeout(timeout)) => {
                    context::leave(py, &token);
                    let expired = self.expired == Some(index);
                    if expired {
                        self.expired = None;
                    }
                    end = match end {
                        End::Cancelled(error) if expired => {
                            End::Failed(timeout.get().overrun(py, Some(error)))
                        }
                        End::Value(_) if expired || now.get() >= deadline => {
                            End::Failed(timeout.get().overrun(py, None))
                        }
                        End::Failed(error) if expired || now.get() >= deadline => {
                            if error.is_instance_of::<DeadlineExceededError>(py) {
                                End::Failed(error)
                            } else {
                                End::Failed(timeout.get().overrun(py, Some(error)))
                            }
                        }
                        end => end,
                    };
                }
                (Slot::Fallback { step, first }, Stage::Fallback(fallback)) => {
                    let fallback = fallback.get();
                    if step > 0 && matches!(end, End::Value(_)) {
                        fallback.note(py, step - 1);
                        continue;
                    }
                    if first.is_none() && !fallback.answers(py, &end) {
                        continue;
                    }
                    let error = match (first, end) {
                        // The first error is the one the caller can act on.
                        (Some(first), End::Failed(_) | End::Refused(_)) => first,
                        (None, End::Failed(error) | End::Refused(error)) => Box::new(error),
                        (_, other) => {
                            end = other;
                            continue;
                        }
                    };
                    match fallback.instead(py, &error, step) {
                        Instead::Call(handler) => {
                            self.slots[index] =
                                Slot::Fallback { step: step + 1, first: Some(error) };
                            return Next::Handle { handler, stage: index };
                        }
                        Instead::Value(value) => end = End::Value(value),
                        Instead::Nothing => end = End::raised(py, *error),
                    }
                }
                _ => {}
            }
        }
        pipe.end(&end);
        Next::Done(end)
    }

    /// The earliest deadline of the stages in force, and whose it is.
    pub(super) fn deadline(&self) -> Option<(Nanos, usize)> {
        let deadlines = self.slots.iter().enumerate().filter_map(|(index, slot)| match slot {
            Slot::Timeout { deadline, .. } => Some((*deadline, index)),
            _ => None,
        });
        deadlines.min()
    }
}

/// The time until the caller gives up.
fn remaining(py: Python<'_>, now: Nanos) -> PyResult<Nanos> {
    Ok(context::deadline(py)?.map_or(Nanos::MAX, |deadline| deadline.saturating_sub(now)))
}
