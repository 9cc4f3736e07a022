//! Functions that `CPython` calls with their arguments in an array: no tuple and no
//! dictionary is built for a line, and none for a line that is dropped.

#![allow(unsafe_code)] // the calling convention itself

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;
use std::sync::LazyLock;

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi::{self, PyMethodDef, PyMethodDefPointer, PyObject};
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyString, PyTuple};

use super::channel::{LogChannel, missing_message};

struct Methods([PyMethodDef; 5]);

// SAFETY: written once, then only read; the pointers inside are to statics.
unsafe impl Send for Methods {}
// SAFETY: as above.
unsafe impl Sync for Methods {}

static METHODS: LazyLock<Methods> = LazyLock::new(|| {
    let method = |name: &'static std::ffi::CStr, call| PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: PyMethodDefPointer { PyCFunctionFastWithKeywords: call },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: c"(message, /, *arguments, **fields)".as_ptr(),
    };
    Methods([
        method(c"debug", call::<0>),
        method(c"info", call::<1>),
        method(c"warning", call::<2>),
        method(c"error", call::<3>),
        method(c"critical", call::<4>),
    ])
});

/// The function that writes lines of one level to `channel`.
pub(super) fn writer(
    channel: Bound<'_, LogChannel>,
    level: usize,
) -> PyResult<Bound<'_, PyCFunction>> {
    let method = (&raw const METHODS.0[level]).cast_mut();
    // SAFETY: the definition lives for ever and CPython does not write to it; the result
    // is a new reference or null with an exception set.
    let function = unsafe {
        let function = ffi::PyCFunction_NewEx(method, channel.as_ptr(), std::ptr::null_mut());
        Bound::from_owned_ptr_or_err(channel.py(), function)?
    };
    Ok(function.cast_into()?)
}

unsafe extern "C" fn call<const LEVEL: usize>(
    channel: *mut PyObject,
    arguments: *const *mut PyObject,
    count: isize,
    names: *mut PyObject,
) -> *mut PyObject {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        Python::attach(|py| {
            // SAFETY: CPython passes the object the function was made with, which `writer`
            // had checked; it outlives the call.
            let channel = unsafe { Borrowed::from_ptr(py, channel).cast_unchecked::<LogChannel>() };
            if channel.get().drops(LEVEL) {
                return Ok(());
            }
            // SAFETY: `arguments` points to `count` positional values followed by one value
            // for each of `names`, which is a tuple of strings or null.
            unsafe { log::<LEVEL>(py, channel.get(), arguments, count, names) }
        })
    }));
    let outcome = outcome
        .unwrap_or_else(|_| Err(PyRuntimeError::new_err("internal error: a log line panicked")));
    match outcome {
        // SAFETY: the interpreter is attached for the whole of a call made by it.
        Ok(()) => unsafe { ffi::Py_NewRef(ffi::Py_None()) },
        Err(error) => {
            Python::attach(|py| error.restore(py));
            std::ptr::null_mut()
        }
    }
}

/// # Safety
/// As `METH_FASTCALL | METH_KEYWORDS` promises.
unsafe fn log<const LEVEL: usize>(
    py: Python<'_>,
    channel: &LogChannel,
    arguments: *const *mut PyObject,
    count: isize,
    names: *mut PyObject,
) -> PyResult<()> {
    // SAFETY: null for none, else a tuple.
    let names = unsafe { Bound::from_borrowed_ptr_or_opt(py, names) };
    let names = names.map(Bound::cast_into::<PyTuple>).transpose()?;
    let keywords = names.as_ref().map_or(0, PyTupleMethods::len);
    let count = count.unsigned_abs();
    if count == 0 {
        return Err(missing_message(LEVEL));
    }
    // SAFETY: that many pointers, all to living objects.
    let all = unsafe { slice::from_raw_parts(arguments, count + keywords) };
    // SAFETY: each is a borrowed reference that lives as long as the call.
    let object = |at: usize| unsafe { Bound::from_borrowed_ptr(py, all[at]) };
    let mut fields = Vec::with_capacity(keywords);
    for (i, name) in names.iter().flat_map(|names| names.iter_borrowed()).enumerate() {
        fields.push((name.cast::<PyString>()?.to_owned(), object(count + i)));
    }
    channel.log(py, LEVEL, &object(0), (1..count).map(object), &fields)
}
