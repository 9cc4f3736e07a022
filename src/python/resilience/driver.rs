//! Drives a run for a coroutine function: its inner awaitables are the function's
//! coroutine, those of fallbacks, sleeps, and places in a queue.
#![allow(unsafe_code)] // arguments and PyIter_Send

use std::ffi::CString;

use pyo3::exceptions::{PyGeneratorExit, PyRuntimeError, PyRuntimeWarning};
use pyo3::ffi;
use pyo3::prelude::*;

use super::alarm::Timer;
use super::arguments::{Arguments, Kept};
use super::end::{End, Next};
use super::guarded::Guarded;
use super::inner::{self, Begun, Progress};
use super::pipeline::{Compiled, Stage};
use super::run::Run;
use super::step::{Input, Quick, Step};

/// What the current inner awaitable is.
#[derive(Clone, Copy)]
pub(super) enum Doing {
    Nothing,
    Calling,
    Handling(usize),
    Waiting(usize),
    Queueing { stage: usize, number: u64 },
    Finished,
}

pub(super) enum Turn {
    Next(Next),
    Inner(Progress),
}

/// References are plain pointers for the reason given in `run`.
pub(super) struct Driver {
    pub(super) guarded: *mut ffi::PyObject,
    /// The iterator of the inner awaitable, or null.
    pub(super) current: *mut ffi::PyObject,
    pub(super) kept: Kept,
    pub(super) doing: Doing,
    pub(super) timer: Option<Box<Timer>>,
    pub(super) run: Run,
}

impl Driver {
    /// # Safety
    /// `guarded` is a live guarded function and the arguments are alive.
    #[inline]
    pub(super) unsafe fn new(guarded: *mut ffi::PyObject, arguments: Arguments) -> Self {
        // SAFETY: as the caller promises.
        unsafe {
            ffi::Py_INCREF(guarded);
            Self {
                guarded,
                current: std::ptr::null_mut(),
                kept: Kept::new(arguments),
                doing: Doing::Nothing,
                timer: None,
                run: Run::new(false),
            }
        }
    }

    #[inline]
    fn guarded(&self) -> &Guarded {
        // SAFETY: a guarded function, which we hold.
        unsafe { &*self.guarded.cast::<Guarded>() }
    }

    #[inline]
    pub(super) fn pipe(&self) -> &'static Compiled {
        // SAFETY: `guarded`, which we hold, keeps it alive; the lifetime is not given away.
        unsafe { &*self.guarded().pipe }
    }

    /// Everything held, for the garbage collector.
    pub(super) fn objects(&self) -> impl Iterator<Item = *mut ffi::PyObject> {
        let held = [self.guarded, self.current].into_iter().chain(self.run.objects());
        held.filter(|object| !object.is_null()).chain(self.kept.objects())
    }

    /// A step of a call of which there is nothing to say, as long as that lasts.
    #[inline]
    pub(super) fn quick(&mut self, py: Python<'_>, mut value: *mut ffi::PyObject) -> Quick {
        let pipe = self.pipe();
        // SAFETY: what is called and sent into is held by us, `value` by our caller; results
        // are new references, or null with an error set.
        unsafe {
            match self.doing {
                Doing::Nothing => {
                    pipe.begin(py);
                    self.doing = Doing::Calling;
                    let passed = self.run.pass(py, pipe);
                    if passed < pipe.stages.len() {
                        return Quick::Words(Input::Passed(passed));
                    }
                    let Arguments { values, flagged, names } = self.kept.arguments();
                    let made =
                        ffi::PyObject_Vectorcall(self.guarded().function, values, flagged, names);
                    if made.is_null() {
                        return Quick::Words(Input::Raised(PyErr::fetch(py)));
                    }
                    if !inner::is_coroutine(made) {
                        let made = Bound::from_owned_ptr(py, made).unbind();
                        return Quick::Words(Input::Made(made));
                    }
                    self.current = made;
                    value = ffi::Py_None();
                }
                Doing::Calling if !self.current.is_null() && self.timer.is_none() => {}
                _ => {
                    let value = Bound::from_borrowed_ptr(py, value).unbind();
                    return Quick::Words(Input::Send(value));
                }
            }
            let mut result = std::ptr::null_mut();
            match ffi::PyIter_Send(self.current, value, &raw mut result) {
                ffi::PySendResult::PYGEN_NEXT if !pipe.watched => Quick::Yields(result),
                ffi::PySendResult::PYGEN_NEXT => {
                    Quick::Words(Input::Yielded(Bound::from_owned_ptr(py, result).unbind()))
                }
                ffi::PySendResult::PYGEN_RETURN => {
                    self.let_go();
                    match self.run.succeed(py, pipe) {
                        0 => {
                            self.doing = Doing::Finished;
                            Quick::Returns(result)
                        }
                        left => {
                            let result = Bound::from_owned_ptr(py, result).unbind();
                            Quick::Words(Input::Gave(result, left))
                        }
                    }
                }
                ffi::PySendResult::PYGEN_ERROR => {
                    let error = PyErr::fetch(py);
                    self.let_go();
                    Quick::Words(Input::Raised(error))
                }
            }
        }
    }

    fn let_go(&mut self) {
        let current = std::mem::replace(&mut self.current, std::ptr::null_mut());
        // SAFETY: our own reference, or null.
        unsafe { ffi::Py_XDECREF(current) };
    }

    pub(super) fn step(&mut self, py: Python<'_>, input: Input) -> Step {
        let mut turn = match (self.doing, input) {
            (Doing::Finished, Input::Close) => {
                return Step::Ends(End::Cancelled(PyGeneratorExit::new_err(())));
            }
            (Doing::Finished, _) => {
                let error = PyRuntimeError::new_err("cannot reuse already awaited coroutine");
                return Step::Ends(End::Failed(error));
            }
            (Doing::Nothing, Input::Throw(error)) => {
                self.doing = Doing::Finished;
                return Step::Ends(End::raised(py, error));
            }
            (Doing::Nothing, Input::Close) => {
                self.doing = Doing::Finished;
                return Step::Ends(End::Cancelled(PyGeneratorExit::new_err(())));
            }
            (_, Input::Passed(stage)) => Turn::Next(self.descend(py, stage)),
            (_, Input::Made(made)) => self.start(py, made),
            (_, Input::Raised(error)) => Turn::Inner(Progress::Ended(Err(error))),
            (_, Input::Gave(value, left)) => {
                Turn::Next(self.run.unwind(py, self.pipe(), left, End::Value(value)))
            }
            (_, Input::Yielded(value)) => Turn::Inner(Progress::Yielded(value)),
            (_, input) => self.resume(py, input),
        };
        loop {
            turn = match turn {
                Turn::Inner(Progress::Yielded(value)) => {
                    if self.timer.is_none() {
                        self.set_timer(py);
                    }
                    return Step::Yields(value);
                }
                Turn::Inner(Progress::Ended(result)) => Turn::Next(self.came(py, result)),
                Turn::Next(Next::Done(end)) => {
                    self.doing = Doing::Finished;
                    return Step::Ends(end);
                }
                Turn::Next(Next::Call) => self.call(py, None, Doing::Calling),
                Turn::Next(Next::Handle { handler, stage }) => {
                    self.call(py, Some(handler), Doing::Handling(stage))
                }
                Turn::Next(Next::Wait { time, then }) => self.wait(py, time, then),
                Turn::Next(Next::Queue { stage, patience }) => self.queue(py, stage, patience),
            };
        }
    }

    pub(super) fn descend(&mut self, py: Python<'_>, from: usize) -> Next {
        let arguments = self.kept.arguments();
        self.run.descend(py, self.pipe(), from, arguments)
    }

    fn call(&mut self, py: Python<'_>, handler: Option<Py<PyAny>>, doing: Doing) -> Turn {
        self.doing = doing;
        let function = handler.as_ref().map_or(self.guarded().function, Py::as_ptr);
        let arguments = self.kept.arguments();
        // SAFETY: we hold the arguments and the function.
        match unsafe { arguments.call(py, function) } {
            Ok(made) => self.start(py, made),
            Err(error) => Turn::Inner(Progress::Ended(Err(error))),
        }
    }

    /// Begins to await `made`; what cannot be awaited is itself the result.
    pub(super) fn start(&mut self, py: Python<'_>, made: Py<PyAny>) -> Turn {
        match inner::iterator_of(py, made) {
            Begun::Result(made) => Turn::Inner(Progress::Ended(Ok(made))),
            Begun::Failed(error) => Turn::Inner(Progress::Ended(Err(error))),
            Begun::Iterator(iterator) => {
                self.current = iterator.into_ptr();
                self.resume(py, Input::Send(py.None()))
            }
        }
    }

    fn resume(&mut self, py: Python<'_>, input: Input) -> Turn {
        // SAFETY: our own reference, or null.
        let current = unsafe { Bound::from_borrowed_ptr_or_opt(py, self.current) };
        let Some(current) = current else {
            let error = PyRuntimeError::new_err("internal error: nothing to resume");
            return Turn::Inner(Progress::Ended(Err(error)));
        };
        let progress = match input {
            Input::Send(value) => inner::send(py, &current, &value),
            Input::Throw(error) => inner::throw(py, &current, error),
            _ => inner::close(&current),
        };
        if matches!(progress, Progress::Ended(_)) {
            self.let_go();
        }
        Turn::Inner(progress)
    }

    /// The current inner awaitable came to an end.
    fn came(&mut self, py: Python<'_>, result: PyResult<Py<PyAny>>) -> Next {
        self.stop_timer(py);
        let pipe = self.pipe();
        match (self.doing, result) {
            (Doing::Waiting(then), Ok(_)) => self.descend(py, then),
            (Doing::Waiting(then), Err(error)) => {
                self.run.unwind(py, pipe, then, End::raised(py, error))
            }
            (Doing::Queueing { stage, .. }, Ok(_)) => {
                self.run.entered(pipe, stage);
                self.descend(py, stage + 1)
            }
            (Doing::Queueing { stage, number }, Err(error)) => {
                let Stage::Bulkhead(bulkhead) = &pipe.stages[stage] else { unreachable!() };
                bulkhead.get().give_up(number);
                let end = match End::raised(py, error) {
                    End::Failed(_) => End::Refused(bulkhead.get().full(py)),
                    end => end,
                };
                self.run.unwind(py, pipe, stage, end)
            }
            (Doing::Handling(stage), result) => {
                self.run.unwind(py, pipe, stage + 1, End::of(py, result))
            }
            (_, result) => self.run.unwind(py, pipe, pipe.stages.len(), End::of(py, result)),
        }
    }

    /// Whether permits are held, or a warning is due.
    pub(super) fn is_unfinished(&self) -> bool {
        !matches!(self.doing, Doing::Finished)
    }

    /// Nobody will resume it: permits go back, and who forgot to await is told.
    pub(super) fn abandon(&mut self, py: Python<'_>) {
        match self.doing {
            Doing::Finished => {}
            // SAFETY: `guarded`, which we hold, keeps the function alive.
            Doing::Nothing => unsafe {
                let function = self.guarded().function;
                warn_never_awaited(&Bound::from_borrowed_ptr(py, function));
            },
            _ => drop(self.step(py, Input::Close)),
        }
    }
}

fn warn_never_awaited(function: &Bound<'_, PyAny>) {
    let py = function.py();
    let name = function.getattr("__qualname__").and_then(|name| name.extract::<String>());
    let name = name.unwrap_or_else(|_| "of a guard".to_owned());
    let message = CString::new(format!("coroutine '{name}' was never awaited"));
    let kind = py.get_type::<PyRuntimeWarning>();
    if let Err(error) = PyErr::warn(py, &kind, &message.unwrap_or_default(), 1) {
        error.write_unraisable(py, None);
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        for object in [self.guarded, self.current] {
            // SAFETY: our own references, dropped once, while the GIL is held: drivers
            // live in Python objects only.
            unsafe { ffi::Py_XDECREF(object) };
        }
    }
}
