//! One call on its way in through the stages and out again.
//!
//! [`Run::descend`] asks each policy in turn, [`Run::unwind`] (file `unwind`) tells each how it ended;
//! both say what is to be done [`Next`], and whoever drives the run does it.
//! [`Run::pass`] and [`Run::succeed`] are the same for calls of which there is nothing to
//! tell; they stop at the first stage that has something to say.
//!
//! A run owns its references as plain pointers: pyo3's owned ones look up on every drop
//! whether the thread is attached, and in a slot of the interpreter it cannot know.
#![allow(unsafe_code)] // references without their owner

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;

use super::arguments::Arguments;
use super::clock::Now;
use super::context;
use super::deadline;
use super::end::{End, Next};
use super::pipeline::{Compiled, Stage};
use super::watchdog;
use crate::clock::Nanos;
use crate::resilience::breaker::Permit;
use crate::resilience::retry::Attempts;

/// The most policies in one pipeline of the core; longer ones are nested.
pub(super) const MOST: usize = 8;

/// What a stage remembers between the way in and the way out.
#[derive(Clone, Copy)]
pub(super) enum Slot {
    Idle,
    Retry {
        made: u32,
        waited: Nanos,
        started: Nanos,
        token: context::Token,
    },
    Breaker {
        permit: Permit,
        started: Nanos,
    },
    Bulkhead {
        started: Nanos,
    },
    Timeout {
        armed: u32,
        deadline: Nanos,
        token: context::Token,
    },
    /// `first` is the exception of the call itself.
    Fallback {
        step: u32,
        first: *mut ffi::PyObject,
    },
}

pub(super) struct Run {
    pub(super) slots: [Slot; MOST],
    /// The stage whose deadline a timer has enforced by cancelling the task.
    pub(super) expired: Option<usize>,
    /// Whether a thread is occupied by the call, so that it can be interrupted.
    threaded: bool,
}

// SAFETY: the pointers are references to objects, used while the GIL is held.
unsafe impl Send for Run {}

impl Run {
    #[inline]
    pub(super) fn new(threaded: bool) -> Self {
        Self { slots: [Slot::Idle; MOST], expired: None, threaded }
    }

    /// Passes the stages that have nothing to say; returns the first that has, or their
    /// number.
    #[inline]
    pub(super) fn pass(&mut self, py: Python<'_>, pipe: &Compiled) -> usize {
        let now = Now::new(&pipe.clock);
        for (index, (stage, slot)) in pipe.stages.iter().zip(&mut self.slots).enumerate() {
            // Written where it is decided: a copy would wait for the parts to be stored.
            match stage {
                Stage::Breaker(breaker) => {
                    let Some(permit) = breaker.get().pass() else { return index };
                    let started = if pipe.timed[index] { now.get() } else { 0 };
                    *slot = Slot::Breaker { permit, started };
                }
                Stage::Retry(retry) if retry.get().begins_quietly() => {
                    *slot = Slot::Retry { made: 1, waited: 0, started: 0, token: ptr::null_mut() };
                }
                Stage::Timeout(timeout) if !timeout.get().interrupts() => {
                    let now = now.get();
                    let own = now.saturating_add(timeout.get().limit());
                    let Ok((deadline, token)) = deadline::enter(py, own) else {
                        return index;
                    };
                    if deadline <= now {
                        deadline::leave(py, token);
                        return index;
                    }
                    *slot = Slot::Timeout { armed: 0, deadline, token };
                }
                Stage::Bulkhead(bulkhead) if bulkhead.get().try_enter() => {
                    let started = if pipe.timed[index] { now.get() } else { 0 };
                    *slot = Slot::Bulkhead { started };
                }
                Stage::Limiter(limiter) if limiter.get().passes(|| now.get()) => {}
                Stage::Fallback(_) => *slot = Slot::Fallback { step: 0, first: ptr::null_mut() },
                _ => return index,
            }
        }
        pipe.stages.len()
    }

    /// Tells the stages of a success of which there is nothing else to say; returns how
    /// many are left to be told.
    #[inline]
    pub(super) fn succeed(&mut self, py: Python<'_>, pipe: &Compiled) -> usize {
        let now = Now::new(&pipe.clock);
        for (index, stage) in pipe.stages.iter().enumerate().rev() {
            let quiet = match (&self.slots[index], stage) {
                (Slot::Idle | Slot::Fallback { step: 0, .. }, _) => true,
                (Slot::Breaker { permit, started }, Stage::Breaker(breaker)) => {
                    breaker.get().succeeds(*permit, &now, *started)
                }
                (Slot::Retry { made: 1, .. }, Stage::Retry(retry)) => retry.get().takes_any(),
                (Slot::Timeout { armed: 0, deadline, token }, _) if now.get() < *deadline => {
                    deadline::leave(py, *token);
                    true
                }
                (Slot::Bulkhead { started }, Stage::Bulkhead(bulkhead)) => {
                    bulkhead.get().leave(py, || now.get().saturating_sub(*started), Some(false));
                    true
                }
                _ => false,
            };
            if !quiet {
                return index + 1;
            }
            self.slots[index] = Slot::Idle;
        }
        0
    }

    /// Asks the stages from `from` inwards.
    pub(super) fn descend(
        &mut self,
        py: Python<'_>,
        pipe: &Compiled,
        from: usize,
        arguments: Arguments,
    ) -> Next {
        let now = Now::new(&pipe.clock);
        for index in from..pipe.stages.len() {
            match self.ask(py, pipe, index, &now, arguments) {
                Ok(None) => {}
                Ok(Some(next)) => return next,
                Err(error) => {
                    // A deadline that has passed before the call refuses it.
                    let end = match End::raised(py, error) {
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
        arguments: Arguments,
    ) -> PyResult<Option<Next>> {
        let started = if pipe.timed[index] { now.get() } else { 0 };
        self.slots[index] = match &pipe.stages[index] {
            Stage::Breaker(breaker) => {
                let permit = breaker.get().acquire(py, now.get())?;
                Slot::Breaker { permit, started }
            }
            Stage::Retry(retry) => {
                let Attempts { made, waited, started } = retry.get().begin(py, || now.get());
                Slot::Retry { made, waited, started, token: ptr::null_mut() }
            }
            Stage::Timeout(timeout) => {
                let timeout = timeout.get();
                let own = now.get().saturating_add(timeout.limit());
                let (deadline, token) = deadline::enter(py, own)?;
                if deadline <= now.get() {
                    deadline::leave(py, token);
                    return Err(timeout.overrun(py, None));
                }
                let armed = if self.threaded && timeout.interrupts() {
                    watchdog::arm(py, deadline)?
                } else {
                    0
                };
                Slot::Timeout { armed, deadline, token }
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
                Slot::Bulkhead { started }
            }
            Stage::Limiter(limiter) => {
                let at = now.get();
                let time = limiter.get().take(py, at, arguments, || remaining(py, at))?;
                if time > 0 {
                    return Ok(Some(Next::Wait { time, then: index + 1 }));
                }
                Slot::Idle
            }
            Stage::Fallback(_) => Slot::Fallback { step: 0, first: ptr::null_mut() },
        };
        Ok(None)
    }

    /// The bulkhead of `stage` gave its place.
    pub(super) fn entered(&mut self, pipe: &Compiled, stage: usize) {
        let started = if pipe.timed[stage] { pipe.clock.now() } else { 0 };
        self.slots[stage] = Slot::Bulkhead { started };
    }

    /// Everything held, for the garbage collector.
    pub(super) fn objects(&self) -> impl Iterator<Item = *mut ffi::PyObject> {
        self.slots.iter().map(|slot| match *slot {
            Slot::Timeout { token, .. } | Slot::Retry { token, .. } => token,
            Slot::Fallback { first, .. } => first,
            Slot::Idle | Slot::Breaker { .. } | Slot::Bulkhead { .. } => ptr::null_mut(),
        })
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
    Ok(deadline::deadline(py)?.map_or(Nanos::MAX, |deadline| deadline.saturating_sub(now)))
}
