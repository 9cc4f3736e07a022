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

/// What comes in: from the event loop, or from the quick way that found something to say.
pub(super) enum Input {
    Send(Py<PyAny>),
    Throw(PyErr),
    Close,
    /// Stages up to this one have passed the call.
    Passed(usize),
    /// The function gave this to await.
    Made(Py<PyAny>),
    /// The call failed.
    Raised(PyErr),
    /// The call gave this, and only the stages before this one have not been told.
    Gave(Py<PyAny>, usize),
    /// The call is suspended for the first time.
    Yielded(Py<PyAny>),
}

/// What goes out to the event loop.
pub(super) enum Step {
    Yields(Py<PyAny>),
    Ends(End),
}

/// What the quick way comes to.
pub(super) enum Quick {
    Yields(*mut ffi::PyObject),
    Returns(*mut ffi::PyObject),
    Words(Input),
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
    /// Cancellations that were pending when it was set.
    pending: usize,
    alarm: Py<Alarm>,
    handle: Py<PyAny>,
}

const FEW: usize = 4;

/// References are plain pointers for the reason given in `run`.
pub(super) struct Driver {
    guarded: *mut ffi::PyObject,
    /// The iterator of the inner awaitable, or null.
    current: *mut ffi::PyObject,
    /// The arguments; more than a few go to a block of their own.
    few: [*mut ffi::PyObject; FEW],
    many: Option<Box<[*mut ffi::PyObject]>>,
    positional: usize,
    names: *mut ffi::PyObject,
    doing: Doing,
    timer: Option<Box<Timer>>,
    run: Run,
}

impl Driver {
    /// # Safety
    /// `guarded` is a live guarded function and the arguments are alive.
    #[inline]
    pub(super) unsafe fn new(guarded: *mut ffi::PyObject, arguments: Arguments) -> Self {
        // SAFETY: as the caller promises; each value gets a reference of our own.
        unsafe {
            let positional = ffi::PyVectorcall_NARGS(arguments.flagged) as usize;
            let named = if arguments.names.is_null() {
                0
            } else {
                ffi::PyTuple_GET_SIZE(arguments.names) as usize
            };
            let count = positional + named;
            let mut few = [std::ptr::null_mut(); FEW];
            let mut many = None;
            if count <= FEW {
                for (index, place) in few.iter_mut().enumerate().take(count) {
                    *place = ffi::Py_NewRef(*arguments.values.add(index));
                }
            } else {
                let all = (0..count).map(|i| ffi::Py_NewRef(*arguments.values.add(i)));
                many = Some(all.collect());
            }
            ffi::Py_INCREF(guarded);
            ffi::Py_XINCREF(arguments.names);
            Self {
                guarded,
                current: std::ptr::null_mut(),
                few,
                many,
                positional,
                names: arguments.names,
                doing: Doing::Nothing,
                timer: None,
                run: Run::new(false),
            }
        }
    }

    fn values(&self) -> &[*mut ffi::PyObject] {
        self.many.as_deref().unwrap_or(&self.few)
    }

    fn arguments(&self) -> Arguments {
        let values = self.values().as_ptr();
        Arguments { values, flagged: self.positional, names: self.names }
    }

    #[inline]
    fn guarded(&self) -> &Guarded {
        // SAFETY: a guarded function, which we hold.
        unsafe { &*self.guarded.cast::<Guarded>() }
    }

    #[inline]
    fn pipe(&self) -> &'static Compiled {
        // SAFETY: `guarded`, which we hold, keeps it alive; the lifetime is not given away.
        unsafe { &*self.guarded().pipe }
    }

    /// Everything held, for the garbage collector.
    pub(super) fn objects(&self) -> impl Iterator<Item = *mut ffi::PyObject> {
        let held = [self.guarded, self.current, self.names].into_iter();
        held.chain(self.values().iter().copied()).filter(|object| !object.is_null())
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
                    pipe.begin();
                    self.doing = Doing::Calling;
                    let passed = self.run.pass(py, pipe);
                    if passed < pipe.stages.len() {
                        return Quick::Words(Input::Passed(passed));
                    }
                    let Arguments { values, flagged, names } = self.arguments();
                    let made =
                        ffi::PyObject_Vectorcall(self.guarded().function, values, flagged, names);
                    if made.is_null() {
                        return Quick::Words(Input::Raised(PyErr::fetch(py)));
                    }
                    if !is_coroutine(made) {
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
            (_, Input::Raised(error)) => Turn::Ended(Err(error)),
            (_, Input::Gave(value, left)) => {
                Turn::Next(self.run.unwind(py, self.pipe(), left, End::Value(value)))
            }
            (_, Input::Yielded(value)) => Turn::Yielded(value),
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

    fn descend(&mut self, py: Python<'_>, from: usize) -> Next {
        let arguments = self.arguments();
        self.run.descend(py, self.pipe(), from, arguments)
    }

    fn call(&mut self, py: Python<'_>, handler: Option<Py<PyAny>>, doing: Doing) -> Turn {
        self.doing = doing;
        let function = handler.as_ref().map_or(self.guarded().function, Py::as_ptr);
        let arguments = self.arguments();
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
        self.current = iterator.into_ptr();
        self.resume(py, Input::Send(py.None()))
    }

    fn resume(&mut self, py: Python<'_>, input: Input) -> Turn {
        // SAFETY: our own reference, or null.
        let current = unsafe { Bound::from_borrowed_ptr_or_opt(py, self.current) };
        let Some(current) = current else {
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
            _ => {
                let closed = match current.getattr_opt("close") {
                    Ok(Some(close)) => close.call0().map(drop),
                    Ok(None) => Ok(()),
                    Err(error) => Err(error),
                };
                Turn::Ended(closed.and_then(|()| Err(PyGeneratorExit::new_err(()))))
            }
        };
        if matches!(turn, Turn::Ended(_)) {
            self.let_go();
        }
        turn
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

    fn wait(&mut self, py: Python<'_>, time: Nanos, then: usize) -> Turn {
        if time == 0 || self.pipe().clock.skip(time) {
            return Turn::Next(self.descend(py, then));
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
                self.run.entered(self.pipe(), stage);
                Turn::Next(self.descend(py, stage + 1))
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
            let pending = match task.getattr_opt("cancelling")? {
                Some(cancelling) => cancelling.call0()?.extract()?,
                None => 0,
            };
            let alarm = Alarm { task: task.unbind(), rung: AtomicBool::new(false) };
            let alarm = Py::new(py, alarm)?;
            let handle = home.call_method1("call_later", (left, &alarm))?.unbind();
            Ok(Some(Timer { stage, pending, alarm, handle }))
        })();
        match set {
            Ok(timer) => self.timer = timer.map(Box::new),
            Err(error) => error.write_unraisable(py, None),
        }
    }

    fn stop_timer(&mut self, py: Python<'_>) {
        let Some(timer) = self.timer.take() else { return };
        if !timer.alarm.get().rung.load(Ordering::Relaxed) {
            if let Err(error) = timer.handle.call_method0(py, "cancel") {
                error.write_unraisable(py, None);
            }
            return;
        }
        // From 3.11 on a task counts its cancellations. One was ours; if there is another,
        // somebody else wants the task to end, and that goes first.
        let task = timer.alarm.get().task.bind(py);
        let left = match task.getattr_opt("uncancel") {
            Ok(Some(uncancel)) => uncancel.call0().and_then(|left| left.extract::<usize>()),
            Ok(None) => Ok(0),
            Err(error) => Err(error),
        };
        match left {
            Ok(left) if left > timer.pending => {}
            Ok(_) => self.run.expired = Some(timer.stage),
            Err(error) => error.write_unraisable(py, None),
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

/// A coroutine is its own iterator, and sending into it directly is faster.
fn is_coroutine(object: *mut ffi::PyObject) -> bool {
    // SAFETY: a read of the slots of a live object's type.
    unsafe {
        let slots = (*ffi::Py_TYPE(object)).tp_as_async;
        !slots.is_null() && (*slots).am_send.is_some() && (*slots).am_await.is_some()
    }
}

fn throw(py: Python<'_>, current: &Bound<'_, PyAny>, error: PyErr) -> Turn {
    let thrown = match current.getattr_opt("throw") {
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
        let held = [self.guarded, self.current, self.names];
        for object in held.into_iter().chain(self.values().iter().copied()) {
            // SAFETY: our own references, dropped once, while the GIL is held: drivers
            // live in Python objects only.
            unsafe { ffi::Py_XDECREF(object) };
        }
    }
}
