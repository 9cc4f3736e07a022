//! The type of the callable that a decorated function becomes, with `vectorcall`, which
//! pyo3's classes cannot have (issue 4252).
#![allow(unsafe_code)] // a type made by hand

use std::ffi::{c_int, c_void};
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyType};

use super::guarded::{Guarded, call, call_async, caught};
use super::pipeline::Compiled;
use super::types::{Forever, new_type, slot};

unsafe extern "C" {
    fn PyMethod_New(
        function: *mut ffi::PyObject,
        instance: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject;
}

unsafe extern "C" fn bind(
    slf: *mut ffi::PyObject,
    instance: *mut ffi::PyObject,
    _class: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: both are alive for the call; a new reference is returned.
    unsafe {
        if instance.is_null() || instance == ffi::Py_None() {
            ffi::Py_INCREF(slf);
            return slf;
        }
        PyMethod_New(slf, instance)
    }
}

unsafe extern "C" fn traverse(
    slf: *mut ffi::PyObject,
    visit: ffi::visitproc,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: the collector passes an object of this type; null fields are skipped.
    unsafe {
        let this = &*slf.cast::<Guarded>();
        let class = ffi::Py_TYPE(slf).cast::<ffi::PyObject>();
        for object in [class, this.dict, this.function, this.compiled] {
            if !object.is_null() {
                let stop = visit(object, argument);
                if stop != 0 {
                    return stop;
                }
            }
        }
        0
    }
}

unsafe extern "C" fn clear(slf: *mut ffi::PyObject) -> c_int {
    // SAFETY: each field is emptied before its object may run code. `compiled` stays: it
    // is needed by calls in progress and refers to no callable of this kind.
    unsafe {
        let this = slf.cast::<Guarded>();
        let dict = ptr::replace(&raw mut (*this).dict, ptr::null_mut());
        ffi::Py_XDECREF(dict);
        0
    }
}

unsafe extern "C" fn dealloc(slf: *mut ffi::PyObject) {
    // SAFETY: called once, when no reference is left. The type is freed last because it
    // holds the free function.
    unsafe {
        ffi::PyObject_GC_UnTrack(slf.cast());
        let this = slf.cast::<Guarded>();
        if !(*this).weak.is_null() {
            ffi::PyObject_ClearWeakRefs(slf);
        }
        clear(slf);
        ffi::Py_XDECREF((*this).function);
        ffi::Py_XDECREF((*this).compiled);
        let class = ffi::Py_TYPE(slf);
        ffi::PyObject_GC_Del(slf.cast());
        ffi::Py_DECREF(class.cast());
    }
}

unsafe extern "C" fn represent(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: CPython calls this holding the GIL, with an object of this type.
    let (py, this) = unsafe { (Python::assume_attached(), &*slf.cast::<Guarded>()) };
    caught(py, |py| {
        // SAFETY: `function` is alive as long as `slf`.
        let function = unsafe { Bound::from_borrowed_ptr(py, this.function) };
        let text = format!("<guarded {}>", function.repr()?);
        Ok(PyString::new(py, &text).into_ptr())
    })
}

/// By its name, as functions are pickled.
unsafe extern "C" fn reduce(slf: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: `slf` is alive and the name a valid string.
    unsafe { ffi::PyObject_GetAttrString(slf, c"__qualname__".as_ptr()) }
}

fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS.get_or_try_init(py, || make_class(py)).map(|class| class.bind(py))
}

const fn offset(name: &'static std::ffi::CStr, offset: usize) -> ffi::PyMemberDef {
    ffi::PyMemberDef {
        name: name.as_ptr(),
        type_code: ffi::Py_T_PYSSIZET,
        offset: offset as ffi::Py_ssize_t,
        flags: ffi::Py_READONLY,
        doc: ptr::null(),
    }
}

fn make_class(py: Python<'_>) -> PyResult<Py<PyType>> {
    static MEMBERS: Forever<[ffi::PyMemberDef; 4]> = Forever([
        offset(c"__vectorcalloffset__", std::mem::offset_of!(Guarded, vectorcall)),
        offset(c"__dictoffset__", std::mem::offset_of!(Guarded, dict)),
        offset(c"__weaklistoffset__", std::mem::offset_of!(Guarded, weak)),
        ffi::PyMemberDef { name: ptr::null(), type_code: 0, offset: 0, flags: 0, doc: ptr::null() },
    ]);
    static METHODS: Forever<[ffi::PyMethodDef; 2]> = Forever([
        ffi::PyMethodDef {
            ml_name: c"__reduce__".as_ptr(),
            ml_meth: ffi::PyMethodDefPointer { PyCFunction: reduce },
            ml_flags: ffi::METH_NOARGS,
            ml_doc: ptr::null(),
        },
        ffi::PyMethodDef::zeroed(),
    ]);
    static GETSET: Forever<[ffi::PyGetSetDef; 2]> = Forever([
        ffi::PyGetSetDef {
            name: c"__dict__".as_ptr(),
            get: Some(ffi::PyObject_GenericGetDict),
            set: Some(ffi::PyObject_GenericSetDict),
            doc: ptr::null(),
            closure: ptr::null_mut(),
        },
        ffi::PyGetSetDef {
            name: ptr::null(),
            get: None,
            set: None,
            doc: ptr::null(),
            closure: ptr::null_mut(),
        },
    ]);
    let mut slots = [
        slot(ffi::Py_tp_members, MEMBERS.0.as_ptr() as *mut c_void),
        slot(ffi::Py_tp_methods, METHODS.0.as_ptr() as *mut c_void),
        slot(ffi::Py_tp_getset, GETSET.0.as_ptr() as *mut c_void),
        slot(ffi::Py_tp_call, ffi::PyVectorcall_Call as *mut c_void),
        slot(ffi::Py_tp_descr_get, bind as *mut c_void),
        slot(ffi::Py_tp_traverse, traverse as *mut c_void),
        slot(ffi::Py_tp_clear, clear as *mut c_void),
        slot(ffi::Py_tp_dealloc, dealloc as *mut c_void),
        slot(ffi::Py_tp_repr, represent as *mut c_void),
        slot(0, ptr::null_mut()),
    ];
    let flags = ffi::Py_TPFLAGS_DEFAULT
        | ffi::Py_TPFLAGS_HAVE_GC
        | ffi::Py_TPFLAGS_HAVE_VECTORCALL
        | ffi::Py_TPFLAGS_METHOD_DESCRIPTOR
        | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION;
    // SAFETY: the last slot is zero, and the tables live for ever.
    unsafe { new_type::<Guarded>(py, c"holdfast._core.Guarded", flags, &mut slots) }
}

/// `function` under guard of `compiled`.
#[pyfunction]
pub(crate) fn guard(
    function: Bound<'_, PyAny>,
    compiled: Bound<'_, Compiled>,
    asynchronous: bool,
) -> PyResult<Py<PyAny>> {
    let py = function.py();
    let class = class(py)?;
    // SAFETY: memory from the type's own allocator, zeroed, of the size of `Guarded`;
    // every field is set before anyone sees the object.
    unsafe {
        let object = ffi::PyType_GenericAlloc(class.as_type_ptr(), 0);
        let bound = Bound::from_owned_ptr_or_err(py, object)?;
        let this = &mut *object.cast::<Guarded>();
        this.vectorcall = Some(if asynchronous { call_async } else { call });
        this.pipe = ptr::from_ref(compiled.get());
        this.compiled = compiled.into_ptr();
        this.function = function.into_ptr();
        Ok(bound.unbind())
    }
}
