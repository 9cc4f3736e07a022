//! Calls of the callable that a decorated function becomes, by `vectorcall`, so that
//! arguments pass through untouched.
#![allow(unsafe_code)] // `vectorcall`

use std::ffi::CString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use pyo3::exceptions::{PyRuntimeError, PyRuntimeWarning};
use pyo3::ffi;
use pyo3::prelude::*;

use super::arguments::Arguments;
use super::awaitable;
use super::clock::sleep;
use super::end::{End, Next};
use super::pipeline::{Compiled, Stage};
use super::run::Run;

#[repr(C)]
pub(super) struct Guarded {
    head: ffi::PyObject,
    pub(super) vectorcall: Option<ffi::vectorcallfunc>,
    pub(super) dict: *mut ffi::PyObject,
    pub(super) weak: *mut ffi::PyObject,
    /// The function under guard; null only between `clear` and `dealloc`.
    pub(super) function: *mut ffi::PyObject,
    /// Held for `pipe`.
    pub(super) compiled: *mut ffi::PyObject,
    pub(super) pipe: *const Compiled,
}

/// Where a call is when it turns out that there is something to say.
enum From {
    /// Stages up to this one have passed it.
    Passed(usize),
    /// It failed.
    Raised(PyErr),
    /// It gave this, and only the stages before this one have not been told.
    Gave(Py<PyAny>, usize),
}

fn drive(
    py: Python<'_>,
    run: &mut Run,
    pipe: &Compiled,
    function: *mut ffi::PyObject,
    arguments: Arguments,
    from: From,
) -> End {
    let innermost = pipe.stages.len();
    let mut next = match from {
        From::Passed(stage) => run.descend(py, pipe, stage, arguments),
        From::Raised(error) => run.unwind(py, pipe, innermost, End::raised(py, error)),
        From::Gave(value, stage) => run.unwind(py, pipe, stage, End::Value(value)),
    };
    loop {
        next = match next {
            Next::Call => {
                // SAFETY: the caller of `call` keeps the arguments and the function alive.
                let result = unsafe { arguments.call(py, function) };
                run.unwind(py, pipe, innermost, End::of(py, result))
            }
            Next::Wait { time, then } => match sleep(py, &pipe.clock, time) {
                Ok(()) => run.descend(py, pipe, then, arguments),
                Err(error) => run.unwind(py, pipe, then, End::raised(py, error)),
            },
            Next::Queue { stage, patience } => {
                let Stage::Bulkhead(bulkhead) = &pipe.stages[stage] else { unreachable!() };
                match bulkhead.get().wait(py, &pipe.clock, patience) {
                    Ok(()) => {
                        run.entered(pipe, stage);
                        run.descend(py, pipe, stage + 1, arguments)
                    }
                    Err(error) => run.unwind(py, pipe, stage, End::raised(py, error)),
                }
            }
            Next::Handle { handler, stage } => {
                // SAFETY: as above.
                let result = unsafe { arguments.call(py, handler.as_ptr()) };
                run.unwind(py, pipe, stage + 1, End::of(py, result))
            }
            Next::Done(end) => return end,
        };
    }
}

/// Runs `action` where pyo3 knows that the thread is attached, and turns its error, or a
/// panic, into an exception of the interpreter.
pub(super) fn caught(
    py: Python<'_>,
    action: impl FnOnce(Python<'_>) -> PyResult<*mut ffi::PyObject>,
) -> *mut ffi::PyObject {
    let result = catch_unwind(AssertUnwindSafe(|| Python::attach(action)));
    let result =
        result.unwrap_or_else(|_| Err(PyRuntimeError::new_err("internal error: a guard panicked")));
    result.unwrap_or_else(|error| {
        error.restore(py);
        ptr::null_mut()
    })
}

pub(super) unsafe extern "C" fn call(
    slf: *mut ffi::PyObject,
    values: *const *mut ffi::PyObject,
    flagged: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython calls this holding the GIL, with an object of this type, which its
    // caller keeps alive; `compiled` keeps the pipe alive.
    let (py, this, pipe) = unsafe {
        let this = &*slf.cast::<Guarded>();
        (Python::assume_attached(), this, &*this.pipe)
    };
    let mut run = Run::new(true);
    pipe.begin(py);
    let passed = run.pass(py, pipe);
    let from = if passed == pipe.stages.len() {
        // SAFETY: the function and the arguments are alive; the result is a new reference
        // or null with an error set.
        let result = unsafe { ffi::PyObject_Vectorcall(this.function, values, flagged, names) };
        if result.is_null() {
            From::Raised(PyErr::fetch(py))
        } else {
            match run.succeed(py, pipe) {
                // SAFETY: a new reference, as above.
                0 if unsafe { ffi::PyCoro_CheckExact(result) } != 0 => {
                    return warn_of_coroutine(py, this, result);
                }
                0 => return result,
                // SAFETY: a new reference, as above.
                left => From::Gave(unsafe { Bound::from_owned_ptr(py, result) }.unbind(), left),
            }
        }
    } else {
        From::Passed(passed)
    };
    let arguments = Arguments { values, flagged, names };
    call_with_words(py, &mut run, this, arguments, from)
}

/// A plain function gave a coroutine: the guard has seen nothing of its run.
#[cold]
fn warn_of_coroutine(
    py: Python<'_>,
    this: &Guarded,
    result: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    caught(py, |py| {
        // SAFETY: the result is a new reference; the function is alive as long as `this`.
        let (result, function) = unsafe {
            let function = Bound::from_borrowed_ptr(py, this.function);
            (Bound::from_owned_ptr(py, result), function)
        };
        let message = format!(
            "{} is a plain function and gave a coroutine, which runs outside of its guard: \
             decorate the coroutine function",
            function.repr()?
        );
        let kind = py.get_type::<PyRuntimeWarning>();
        if let Err(error) = PyErr::warn(py, &kind, &CString::new(message)?, 1) {
            result.call_method0("close")?;
            return Err(error);
        }
        Ok(result.into_ptr())
    })
}

#[cold]
fn call_with_words(
    py: Python<'_>,
    run: &mut Run,
    this: &Guarded,
    arguments: Arguments,
    from: From,
) -> *mut ffi::PyObject {
    caught(py, |py| {
        // SAFETY: `compiled` keeps it alive.
        let pipe = unsafe { &*this.pipe };
        let end = drive(py, run, pipe, this.function, arguments, from);
        end.into_result().map(Py::into_ptr)
    })
}

pub(super) unsafe extern "C" fn call_async(
    slf: *mut ffi::PyObject,
    values: *const *mut ffi::PyObject,
    flagged: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: as in `call`.
    unsafe {
        let py = Python::assume_attached();
        awaitable::begin(py, slf, Arguments { values, flagged, names })
    }
}
