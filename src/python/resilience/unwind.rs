//! A call on its way out through the stages, when there is something to tell.

use std::ptr;

use pyo3::prelude::*;

use super::clock::Now;
use super::context;
use super::deadline;
use super::end::{End, Next};
use super::pipeline::{Compiled, Stage};
use super::run::{Run, Slot};
use super::watchdog;
use crate::python::errors::DeadlineExceededError;
use crate::resilience::retry::Attempts;

impl Run {
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
                    breaker.get().settle(py, permit, &end, now.get(), started);
                }
                (Slot::Bulkhead { started }, Stage::Bulkhead(bulkhead)) => {
                    let overloaded = match &end {
                        End::Value(_) => Some(false),
                        End::Failed(_) => Some(true),
                        _ => None,
                    };
                    let took = || now.get().saturating_sub(started);
                    bulkhead.get().leave(py, took, overloaded);
                }
                (Slot::Retry { made, waited, started, token }, Stage::Retry(retry)) => {
                    context::leave_attempt(py, token);
                    let mut attempts = Attempts { made, waited, started };
                    match retry.get().again(py, &mut attempts, &end, now.get()) {
                        Ok(None) => {}
                        Ok(Some(time)) => {
                            let Attempts { made, waited, started } = attempts;
                            let token = match context::enter_attempt(py, made) {
                                Ok(token) => token,
                                Err(error) => {
                                    error.write_unraisable(py, None);
                                    ptr::null_mut()
                                }
                            };
                            self.slots[index] = Slot::Retry { made, waited, started, token };
                            return Next::Wait { time, then: index + 1 };
                        }
                        Err(error) => end = End::raised(py, error),
                    }
                }
                (Slot::Timeout { armed, deadline, token }, Stage::Timeout(timeout)) => {
                    deadline::leave(py, token);
                    let cancelled = self.expired == Some(index);
                    if cancelled {
                        self.expired = None;
                    }
                    let interrupted = armed != 0 && watchdog::disarm(armed);
                    let late = cancelled
                        || interrupted
                        || now.get() >= deadline
                        || is_nameless_overrun(py, &end);
                    end = match end {
                        End::Cancelled(error) if cancelled => {
                            End::Failed(timeout.get().overrun(py, Some(error)))
                        }
                        End::Value(_) if late => End::Failed(timeout.get().overrun(py, None)),
                        End::Failed(error) | End::Refused(error) if late => {
                            let told = error.is_instance_of::<DeadlineExceededError>(py);
                            let told = told && !interrupted;
                            let cause = if told { return_cause(py, &error) } else { Some(error) };
                            End::Failed(timeout.get().overrun(py, cause))
                        }
                        end => end,
                    };
                }
                (Slot::Fallback { step, first }, Stage::Fallback(fallback)) => {
                    let (answer, next) = fallback.get().step(py, step, first, end);
                    end = match (answer, next) {
                        (Some(end), _) => end,
                        (None, Some((handler, first))) => {
                            self.slots[index] = Slot::Fallback { step: step + 1, first };
                            return Next::Handle { handler, stage: index };
                        }
                        (None, None) => unreachable!("a fallback gives an end or a handler"),
                    };
                }
                _ => {}
            }
        }
        pipe.end(&end);
        Next::Done(end)
    }
}

/// Whether the call was stopped elsewhere, by a clock that is finer than ours.
fn is_nameless_overrun(py: Python<'_>, end: &End) -> bool {
    let End::Failed(error) = end else { return false };
    error.is_instance_of::<DeadlineExceededError>(py)
        && error.value(py).getattr("args").is_ok_and(|args| args.len().is_ok_and(|n| n == 0))
}

/// What an earlier overrun was caused by, so that overruns of nested timeouts do not pile
/// up.
fn return_cause(py: Python<'_>, error: &PyErr) -> Option<PyErr> {
    error.cause(py)
}
