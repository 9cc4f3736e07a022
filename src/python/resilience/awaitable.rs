//! What a guarded coroutine function returns: an awaitable with `am_send`, around the
//! driver of one run. The interpreter sends into it as into a coroutine, without a
//! frame.
#![allow(unsafe_code)] // a type made by hand: `am_send`

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;

use pyo3::exceptions::{PyGeneratorExit, PyStopIteration, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType};

use super::arguments::Arguments;
use super::driver::Driver;
use super::end::End;
use super::guarded::caught;
use super::step::{Input, Quick, Step};
use super::types::{Forever, new_type, slot};

#[repr(C)]
struct Awaitable {
    head: ffi::PyObject,
    running: bool,
    driver: MaybeUninit<Driver>,
}

/// A new awaitable for one call of `guarded`, or null with an error set.
///
/// # Safety
/// The GIL is held, `guarded` is a live guarded function and the arguments are alive.
#[inline]
pub(super) unsafe fn begin(
    py: Python<'_>,
    guarded: *mut ffi::PyObject,
    arguments: Arguments,
) -> *mut ffi::PyObject {
    let class = match class(py) {
        Ok(class) => class,
        Err(error) => {
            error.restore(py);
            return ptr::null_mut();
        }
    };
    // SAFETY: memory of the size of `Awaitable`, untracked until every field is set.
    unsafe {
        let object = ffi::PyObject_GC_New::<Awaitable>(class.as_type_ptr());
        if !object.is_null() {
            (&raw mut (*object).running).write(false);
            (&raw mut (*object).driver).write(MaybeUninit::new(Driver::new(guarded, arguments)));
            ffi::PyObject_GC_Track(object.cast());
        }
        object.cast()
    }
}

/// One step; a step within a step is refused, so that the driver is borrowed once.
fn step(py: Python<'_>, slf: *mut ffi::PyObject, input: Input) -> PyResult<Step> {
    let this = slf.cast::<Awaitable>();
    // SAFETY: `slf` is alive; `running` keeps others from the driver until it is reset.
    unsafe {
        if (*this).running {
            return Err(PyValueError::new_err("coroutine already executing"));
        }
        (*this).running = true;
        let step = (*this).driver.assume_init_mut().step(py, input);
        (*this).running = false;
        Ok(step)
    }
}

unsafe extern "C" fn send(
    slf: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> ffi::PySendResult {
    // SAFETY: CPython calls this holding the GIL, with live objects and a place for the
    // result; `running` keeps others from the driver.
    unsafe {
        let py = Python::assume_attached();
        let this = slf.cast::<Awaitable>();
        let input = if (*this).running {
            Input::Send(Bound::from_borrowed_ptr(py, value).unbind())
        } else {
            (*this).running = true;
            let quick = (*this).driver.assume_init_mut().quick(py, value);
            (*this).running = false;
            match quick {
                Quick::Yields(value) => {
                    *result = value;
                    return ffi::PySendResult::PYGEN_NEXT;
                }
                Quick::Returns(value) => {
                    *result = value;
                    return ffi::PySendResult::PYGEN_RETURN;
                }
                Quick::Words(input) => input,
            }
        };
        let mut kind = ffi::PySendResult::PYGEN_ERROR;
        *result = caught(py, |py| match step(py, slf, input)? {
            Step::Yields(value) => {
                kind = ffi::PySendResult::PYGEN_NEXT;
                Ok(value.into_ptr())
            }
            Step::Ends(end) => {
                kind = ffi::PySendResult::PYGEN_RETURN;
                end.into_result().map(Py::into_ptr)
            }
        });
        if (*result).is_null() { ffi::PySendResult::PYGEN_ERROR } else { kind }
    }
}

/// A step as the methods of a coroutine give it: what is yielded, or an exception.
fn answer(py: Python<'_>, slf: *mut ffi::PyObject, input: Input) -> PyResult<*mut ffi::PyObject> {
    if let Input::Send(value) = input {
        let mut result = ptr::null_mut();
        // SAFETY: as CPython would call it.
        return match unsafe { send(slf, value.as_ptr(), &raw mut result) } {
            ffi::PySendResult::PYGEN_NEXT => Ok(result),
            ffi::PySendResult::PYGEN_RETURN => {
                // SAFETY: a new reference.
                let value = unsafe { Bound::from_owned_ptr(py, result) };
                Err(PyStopIteration::new_err((value.unbind(),)))
            }
            ffi::PySendResult::PYGEN_ERROR => Err(PyErr::fetch(py)),
        };
    }
    match step(py, slf, input)? {
        Step::Yields(value) => Ok(value.into_ptr()),
        Step::Ends(End::Value(value)) => Err(PyStopIteration::new_err((value,))),
        Step::Ends(end) => end.into_result().map(Py::into_ptr),
    }
}

unsafe extern "C" fn next(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: CPython calls this holding the GIL.
    let py = unsafe { Python::assume_attached() };
    caught(py, |py| answer(py, slf, Input::Send(py.None())))
}

unsafe extern "C" fn send_method(
    slf: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython calls this holding the GIL, with a live argument.
    let py = unsafe { Python::assume_attached() };
    caught(py, |py| {
        // SAFETY: as above.
        let value = unsafe { Bound::from_borrowed_ptr(py, value) };
        answer(py, slf, Input::Send(value.unbind()))
    })
}

unsafe extern "C" fn throw_method(
    slf: *mut ffi::PyObject,
    arguments: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython calls this holding the GIL, with a live tuple.
    let py = unsafe { Python::assume_attached() };
    caught(py, |py| {
        // SAFETY: as above.
        let arguments = unsafe { Bound::from_borrowed_ptr(py, arguments) };
        let arguments = arguments.cast::<PyTuple>()?;
        let kind = arguments.get_item(0)?;
        let error = match arguments.get_item(1) {
            Ok(value) if !value.is_none() && kind.is_instance_of::<PyType>() => {
                let made = value.is_instance(&kind)?;
                PyErr::from_value(if made { value } else { kind.call1((value,))? })
            }
            _ => PyErr::from_value(kind),
        };
        answer(py, slf, Input::Throw(error))
    })
}

unsafe extern "C" fn close_method(
    slf: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython calls this holding the GIL.
    let py = unsafe { Python::assume_attached() };
    caught(py, |py| match step(py, slf, Input::Close)? {
        Step::Ends(End::Cancelled(error)) if error.is_instance_of::<PyGeneratorExit>(py) => {
            Ok(py.None().into_ptr())
        }
        Step::Ends(end) => end.into_result().map(Py::into_ptr),
        Step::Yields(_) => {
            Err(pyo3::exceptions::PyRuntimeError::new_err("coroutine ignored GeneratorExit"))
        }
    })
}

unsafe extern "C" fn itself(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: `slf` is alive; a new reference is returned.
    unsafe { ffi::Py_NewRef(slf) }
}

unsafe extern "C" fn itself_method(
    slf: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: as above.
    unsafe { ffi::Py_NewRef(slf) }
}

unsafe extern "C" fn traverse(
    slf: *mut ffi::PyObject,
    visit: ffi::visitproc,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: the collector passes a tracked object, whose fields are set; it runs no code
    // that could change them.
    unsafe {
        let class = ffi::Py_TYPE(slf).cast::<ffi::PyObject>();
        let stop = visit(class, argument);
        if stop != 0 {
            return stop;
        }
        let driver = (*slf.cast::<Awaitable>()).driver.assume_init_ref();
        for object in driver.objects() {
            let stop = visit(object, argument);
            if stop != 0 {
                return stop;
            }
        }
        0
    }
}

unsafe extern "C" fn dealloc(slf: *mut ffi::PyObject) {
    // SAFETY: called once, holding the GIL, when no reference is left. The driver gives
    // its permits back; an exception in flight is kept.
    unsafe {
        ffi::PyObject_GC_UnTrack(slf.cast());
        let this = slf.cast::<Awaitable>();
        let driver = (*this).driver.assume_init_mut();
        if driver.is_unfinished() {
            let py = Python::assume_attached();
            let flying = PyErr::take(py);
            Python::attach(|py| driver.abandon(py));
            if let Some(error) = flying {
                error.restore(py);
            }
        }
        (*this).driver.assume_init_drop();
        let class = ffi::Py_TYPE(slf);
        ffi::PyObject_GC_Del(slf.cast());
        ffi::Py_DECREF(class.cast());
    }
}

const fn method(
    name: &'static std::ffi::CStr,
    function: ffi::PyCFunction,
    flags: c_int,
) -> ffi::PyMethodDef {
    ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunction: function },
        ml_flags: flags,
        ml_doc: ptr::null(),
    }
}

fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS.get_or_try_init(py, || make_class(py)).map(|class| class.bind(py))
}

fn make_class(py: Python<'_>) -> PyResult<Py<PyType>> {
    static METHODS: Forever<[ffi::PyMethodDef; 5]> = Forever([
        method(c"send", send_method, ffi::METH_O),
        method(c"throw", throw_method, ffi::METH_VARARGS),
        method(c"close", close_method, ffi::METH_NOARGS),
        // Being in the class by name makes it a `collections.abc.Coroutine`.
        method(c"__await__", itself_method, ffi::METH_NOARGS),
        ffi::PyMethodDef::zeroed(),
    ]);
    let mut slots = [
        slot(ffi::Py_tp_methods, METHODS.0.as_ptr() as *mut c_void),
        slot(ffi::Py_am_await, itself as *mut c_void),
        slot(ffi::Py_am_send, send as *mut c_void),
        slot(ffi::Py_tp_iter, itself as *mut c_void),
        slot(ffi::Py_tp_iternext, next as *mut c_void),
        slot(ffi::Py_tp_traverse, traverse as *mut c_void),
        slot(ffi::Py_tp_dealloc, dealloc as *mut c_void),
        slot(0, ptr::null_mut()),
    ];
    let flags =
        ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_HAVE_GC | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION;
    // SAFETY: the last slot is zero, and the tables live for ever.
    unsafe { new_type::<Awaitable>(py, c"holdfast._core.GuardedCall", flags, &mut slots) }
}
