//! The arguments of a call.
#![allow(unsafe_code)] // references without their owner

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;

/// The arguments of a call, as the interpreter passed them; they outlive the call.
#[derive(Clone, Copy)]
pub(super) struct Arguments {
    pub(super) values: *const *mut ffi::PyObject,
    pub(super) flagged: usize,
    pub(super) names: *mut ffi::PyObject,
}

impl Arguments {
    /// Those of a block.
    pub(super) const NONE: Self = Self { values: ptr::null(), flagged: 0, names: ptr::null_mut() };

    /// Calls `function` with them.
    ///
    /// # Safety
    /// They must be alive.
    pub(super) unsafe fn call(
        self,
        py: Python<'_>,
        function: *mut ffi::PyObject,
    ) -> PyResult<Py<PyAny>> {
        // SAFETY: as the caller promises; the result is a new reference or null with an
        // error set.
        unsafe {
            let result = ffi::PyObject_Vectorcall(function, self.values, self.flagged, self.names);
            Bound::from_owned_ptr_or_err(py, result).map(Bound::unbind)
        }
    }
}

const FEW: usize = 4;

/// Those of a call that goes on after its caller has returned. Plain pointers for the reason given in `run`; more than a few go to a block of their own.
pub(super) struct Kept {
    few: [*mut ffi::PyObject; FEW],
    many: Option<Box<[*mut ffi::PyObject]>>,
    positional: usize,
    names: *mut ffi::PyObject,
}

impl Kept {
    /// # Safety
    /// The arguments are alive, and the GIL is held here and when this is dropped.
    #[inline]
    pub(super) unsafe fn new(arguments: Arguments) -> Self {
        // SAFETY: as the caller promises; each value gets a reference of our own.
        unsafe {
            let positional = ffi::PyVectorcall_NARGS(arguments.flagged) as usize;
            let named = if arguments.names.is_null() {
                0
            } else {
                ffi::PyTuple_GET_SIZE(arguments.names) as usize
            };
            let count = positional + named;
            let mut few = [ptr::null_mut(); FEW];
            let mut many = None;
            if count <= FEW {
                for (index, place) in few.iter_mut().enumerate().take(count) {
                    *place = ffi::Py_NewRef(*arguments.values.add(index));
                }
            } else {
                let all = (0..count).map(|i| ffi::Py_NewRef(*arguments.values.add(i)));
                many = Some(all.collect());
            }
            ffi::Py_XINCREF(arguments.names);
            Self { few, many, positional, names: arguments.names }
        }
    }

    fn values(&self) -> &[*mut ffi::PyObject] {
        self.many.as_deref().unwrap_or(&self.few)
    }

    pub(super) fn arguments(&self) -> Arguments {
        let values = self.values().as_ptr();
        Arguments { values, flagged: self.positional, names: self.names }
    }

    /// Everything held, for the garbage collector.
    pub(super) fn objects(&self) -> impl Iterator<Item = *mut ffi::PyObject> {
        let held = std::iter::once(self.names).chain(self.values().iter().copied());
        held.filter(|object| !object.is_null())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        for object in self.objects() {
            // SAFETY: our own references, dropped once, while the GIL is held.
            unsafe { ffi::Py_DECREF(object) };
        }
    }
}
