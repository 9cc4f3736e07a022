//! Drives a run for a coroutine function: its inner awaitables are the function's
//! coroutine, those of fallbacks, sleeps, and places in a queue.
#![allow(unsafe_code)] // arguments and PyIter_Send

use std::ffi::CString;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::{PyGeneratorExit, PyRuntimeError, PyRuntimeWarning, PyStopIteration};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyModule;

use super::bulkhead::Waker;
use super::guarded::{Arguments, Guarded};
use super::pipeline::{Compiled, Stage};
use super::run::{End, Next, Run};
use crate::clock::{Clock, Nanos, seconds};
use crate::resilience::bulkhead::Entry;

/// What the current inner awaitable is.
#[derive(Clone, Copy)]
enum Doing {
    Nothing,
    Calling,
    Handling(usize),
    Waiting(usize),
    Queueing { stage: usize, number: u64 },
    Finished,
}

/// What comes in from the event loop.
pub(super) enum Input {
    Send(Py<PyAny>),
    Throw(PyErr),
    Close,
}

/// What goes out to it.
pub(super) enum Step {
    Yields(Py<PyAny>),
    Ends(End),
}

enum Turn {
    Next(Next),
    Yielded(Py<PyAny>),
    Ended(PyResult<Py<PyAny>>),
}

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

struct Timer {
    stage: usize,
    alarm: Py<Alarm>,
    handle: Py<PyAny>,
}

const FEW: usize = 4;

pub(super) struct Driver {
    guarded: Py<PyAny>,
    current: Option<Py<PyAny>>,
    /// Owned references; more than a few go to a vector.
    few: [*mut ffi::PyObject; FEW],
    many: Vec<*mut ffi::PyObject>,
    positional: usize,
    names: Option<Py<PyAny>>,
    doing: Doing,
    timer: Option<Timer>,
    run: Run,
}

impl Driver {
    /// # Safety
    /// `guarded` is a live guarded function and the arguments are alive.
    pub(super) unsafe fn new(
        py: Python<'_>,
        guarded: *mut ffi::PyObject,
        arguments: Arguments,
    ) -> Self {
        // SAFETY: as the caller promises; each value gets a reference of our own.
        unsafe {
            let positional = ffi::PyVectorcall_NARGS(arguments.flagged) as usize;
            let named = match arguments.names.is_null() {
                true => 0,
                false => ffi::PyTuple_GET_SIZE(arguments.names) as usize,
            };
            let count = positional + named;
            let mut few = [std::ptr::null_mut(); FEW];
            let mut many = Vec::new();
            if count <= FEW {
                for index in 0..count {
                    few[index] = ffi::Py_NewRef(*arguments.values.add(index));
                }
            } else {
                many.extend((0..count).map(|i| ffi::Py_NewRef(*arguments.values.add(i))));
            }
            Self {
                guarded: Bound::from_borrowed_ptr(py, guarded).unbind(),
                current: None,
                few,
                many,
                positional,
                names: Bound::from_borrowed_ptr_or_opt(py, arguments.names).map(Bound::unbind),
                doing: Doing::Nothing,
                timer: None,
                run: Run::new(),
            }
        }
    }

    fn values(&self) -> &[*mut ffi::PyObject] {
        if self.many.is_empty() { &self.few } else { &self.many }
    }

    fn guarded(&self) -> &Guarded {
        // SAFETY: `guarded` was a guarded function when this was made.
        unsafe { &*self.guarded.as_ptr().cast::<Guarded>() }
    }

    fn pipe(&self) -> &'static Compiled {
        // SAFETY: `guarded`, which we hold, keeps it alive; the lifetime is not given away.
        unsafe { &*self.guarded().pipe }
    }

    /// Everything held, for the garbage collector.
    pub(super) fn objects(&self) -> impl Iterator<Item = *mut ffi::PyObject> {
        let held = [Some(&self.guarded), self.current.as_ref(), self.names.as_ref()];
        let held = held.into_iter().flatten().map(Py::as_ptr);
        held.chain(self.values().iter().copied().filter(|value| !value.is_null()))
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
            (Doing::Nothing, Input::Send(_)) => {
                self.pipe().begin();
                Turn::Next(self.run.descend(py, self.pipe(), 0))
            }
            (Doing::Nothing, Input::Throw(error)) => {
                self.doing = Doing::Finished;
                return Step::Ends(End::raised(py, error));
            }
            (Doing::Nothing, Input::Close) => {
                self.doing = Doing::Finished;
                return Step::Ends(End::Cancelled(PyGeneratorExit::new_err(())));
            }
            (_, input) => self.resume(py, input),
        };
        loop {
            turn = match turn {
                Turn::Yielded(value) => {
                    if self.timer.is_none() {
                        self.set_timer(py);
                    }
                    return Step::Yields(value);
                }
                Turn::Ended(result) => Turn::Next(self.came(py, result)),
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

    fn call(&mut self, py: Python<'_>, handler: Option<Py<PyAny>>, doing: Doing) -> Turn {
        self.doing = doing;
        let function = handler.as_ref().map_or(self.guarded().function, Py::as_ptr);
        let arguments = Arguments {
            values: self.values().as_ptr(),
            flagged: self.positional,
            names: self.names.as_ref().map_or(std::ptr::null_mut(), Py::as_ptr),
        };
        // SAFETY: we hold the arguments and the function.
        match unsafe { arguments.call(py, function) } {
            Ok(made) => self.start(py, made),
            Err(error) => Turn::Ended(Err(error)),
        }
    }

    /// Begins to await `made`; what cannot be awaited is itself the result.
    fn start(&mut self, py: Python<'_>, made: Py<PyAny>) -> Turn {
        // SAFETY: a read of a type's slots, and a slot called as CPython does.
        let iterator = unsafe {
            let class = ffi::Py_TYPE(made.as_ptr());
            let slots = (*class).tp_as_async;
            match if slots.is_null() { None } else { (*slots).am_await } {
                None => return Turn::Ended(Ok(made)),
                // A coroutine is its own iterator, and sending into it directly is faster.
                Some(_) if !slots.is_null() && (*slots).am_send.is_some() => made,
                Some(iterate) => match Bound::from_owned_ptr_or_err(py, iterate(made.as_ptr())) {
                    Ok(iterator) => iterator.unbind(),
                    Err(error) => return Turn::Ended(Err(error)),
                },
            }
        };
        self.current = Some(iterator);
        self.resume(py, Input::Send(py.None()))
    }

    fn resume(&mut self, py: Python<'_>, input: Input) -> Turn {
        let Some(current) = self.current.as_ref().map(|current| current.clone_ref(py)) else {
            return Turn::Ended(Err(PyRuntimeError::new_err("internal error: nothing to resume")));
        };
        let turn = match input {
            Input::Send(value) => {
                let mut result = std::ptr::null_mut();
                // SAFETY: both are alive; the result is a new reference, or null with an
                // error set.
                unsafe {
                    let kind = ffi::PyIter_Send(current.as_ptr(), value.as_ptr(), &raw mut result);
                    let result = Bound::from_owned_ptr_or_err(py, result).map(Bound::unbind);
                    match (kind, result) {
                        (ffi::PySendResult::PYGEN_NEXT, Ok(value)) => Turn::Yielded(value),
                        (_, result) => Turn::Ended(result),
                    }
                }
            }
            Input::Throw(error) => throw(py, &current, error),
            Input::Close => {
                let closed = match current.bind(py).getattr_opt("close") {
                    Ok(Some(close)) => close.call0().map(drop),
                    Ok(None) => Ok(()),
                    Err(error) => Err(error),
                };
                Turn::Ended(closed.and_then(|()| Err(PyGeneratorExit::new_err(()))))
            }
        };
        if matches!(turn, Turn::Ended(_)) {
            self.current = None;
        }
        turn
    }

    /// The current inner awaitable came to an end.
    fn came(&mut self, py: Python<'_>, result: PyResult<Py<PyAny>>) -> Next {
        self.stop_timer(py);
        let pipe = self.pipe();
        match (self.doing, result) {
            (Doing::Waiting(then), Ok(_)) => self.run.descend(py, pipe, then),
            (Doing::Waiting(then), Err(error)) => {
                self.run.unwind(py, pipe, then, End::raised(py, error))
            }
            (Doing::Queueing { stage, .. }, Ok(_)) => {
                self.run.entered(stage);
                self.run.descend(py, pipe, stage + 1)
            }
            (Doing::Queueing { stage, number }, Err(error)) => {
                let Stage::Bulkhead(bulkhead) = &pipe.stages[stage] else { unreachable!() };
                bulkhead.get().give_up(py, number);
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

    fn wait(&mut self, py: Python<'_>, time: Nanos, then: usize) -> Turn {
        if time == 0 || self.pipe().clock.skip(time) {
            return Turn::Next(self.run.descend(py, self.pipe(), then));
        }
        self.doing = Doing::Waiting(then);
        let sleep = PyModule::import(py, "asyncio")
            .and_then(|asyncio| asyncio.call_method1("sleep", (seconds(time),)));
        match sleep {
            Ok(sleep) => self.start(py, sleep.unbind()),
            Err(error) => Turn::Ended(Err(error)),
        }
    }

    fn queue(&mut self, py: Python<'_>, stage: usize, patience: Nanos) -> Turn {
        let Stage::Bulkhead(bulkhead) = &self.pipe().stages[stage] else { unreachable!() };
        let bulkhead = bulkhead.get();
        let made = (|| {
            let asyncio = PyModule::import(py, "asyncio")?;
            let home = asyncio.call_method0("get_running_loop")?;
            let future = home.call_method0("create_future")?;
            let waiting =
                asyncio.call_method1("wait_for", (&future, seconds(patience.min(1 << 60))))?;
            Ok((home.unbind(), future.unbind(), waiting.unbind()))
        })();
        let (home, future, waiting) = match made {
            Ok(made) => made,
            Err(error) => {
                return Turn::Next(self.run.unwind(py, self.pipe(), stage, End::raised(py, error)));
            }
        };
        let entry = bulkhead.enter(Waker::Task(home, future));
        if !matches!(entry, Entry::Queued(_)) {
            // An unawaited coroutine would warn.
            if let Err(error) = waiting.call_method0(py, "close") {
                error.write_unraisable(py, None);
            }
        }
        match entry {
            Entry::Admitted => {
                self.run.entered(stage);
                Turn::Next(self.run.descend(py, self.pipe(), stage + 1))
            }
            Entry::Refused => {
                let end = End::Refused(bulkhead.full(py));
                Turn::Next(self.run.unwind(py, self.pipe(), stage, end))
            }
            Entry::Queued(number) => {
                self.doing = Doing::Queueing { stage, number };
                self.start(py, waiting)
            }
        }
    }

    /// Has the event loop watch the next deadline; only a call that suspends needs it.
    fn set_timer(&mut self, py: Python<'_>) {
        let Some((deadline, stage)) = self.run.deadline() else { return };
        let clock = &self.pipe().clock;
        if matches!(clock, Clock::Virtual(_)) {
            return;
        }
        let left = seconds(deadline.saturating_sub(Clock::Precise.now()));
        let set = (|| -> PyResult<Option<Timer>> {
            let asyncio = PyModule::import(py, "asyncio")?;
            // Without a running loop somebody else drives us, and time is checked at the end.
            let Ok(home) = asyncio.call_method0("get_running_loop") else { return Ok(None) };
            let task = asyncio.call_method1("current_task", (&home,))?;
            if task.is_none() {
                return Ok(None);
            }
            let alarm = Alarm { task: task.unbind(), rung: AtomicBool::new(false) };
            let alarm = Py::new(py, alarm)?;
            let handle = home.call_method1("call_later", (left, &alarm))?.unbind();
            Ok(Some(Timer { stage, alarm, handle }))
        })();
        match set {
            Ok(timer) => self.timer = timer,
            Err(error) => error.write_unraisable(py, None),
        }
    }

    fn stop_timer(&mut self, py: Python<'_>) {
        let Some(timer) = self.timer.take() else { return };
        let stopped = if timer.alarm.get().rung.load(Ordering::Relaxed) {
            self.run.expired = Some(timer.stage);
            // From 3.11 on a task counts its cancellations; this one was ours.
            match timer.alarm.get().task.bind(py).getattr_opt("uncancel") {
                Ok(Some(uncancel)) => uncancel.call0().map(drop),
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            }
        } else {
            timer.handle.call_method0(py, "cancel").map(drop)
        };
        if let Err(error) = stopped {
            error.write_unraisable(py, None);
        }
    }

    /// Nobody will resume it: permits go back, and who forgot to await is told.
    pub(super) fn abandon(&mut self, py: Python<'_>) {
        match self.doing {
            Doing::Finished => {}
            Doing::Nothing => {
                let function = self.guarded().function;
                // SAFETY: `guarded`, which we hold, keeps it alive.
                let function = unsafe { Bound::from_borrowed_ptr(py, function) };
                let name =
                    function.getattr("__qualname__").and_then(|name| name.extract::<String>());
                let name = name.unwrap_or_else(|_| "of a guard".to_owned());
                let message = CString::new(format!("coroutine '{name}' was never awaited"));
                let warned = PyErr::warn(
                    py,
                    &py.get_type::<PyRuntimeWarning>(),
                    &message.unwrap_or_default(),
                    1,
                );
                if let Err(error) = warned {
                    error.write_unraisable(py, None);
                }
            }
            _ => drop(self.step(py, Input::Close)),
        }
    }
}

fn throw(py: Python<'_>, current: &Py<PyAny>, error: PyErr) -> Turn {
    let thrown = match current.bind(py).getattr_opt("throw") {
        Ok(Some(throw)) => throw.call1((error.value(py),)),
        Ok(None) => Err(error),
        Err(error) => Err(error),
    };
    match thrown {
        Ok(value) => Turn::Yielded(value.unbind()),
        Err(error) if error.is_instance_of::<PyStopIteration>(py) => {
            Turn::Ended(error.value(py).getattr("value").map(Bound::unbind))
        }
        Err(error) => Turn::Ended(Err(error)),
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        for value in self.values() {
            // SAFETY: our own references, dropped once, while the GIL is held: drivers
            // live in Python objects only.
            unsafe { ffi::Py_XDECREF(*value) };
        }
    }
}
