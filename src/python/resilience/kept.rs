//! The arguments of a call that goes on after its caller has returned.
#![allow(unsafe_code)]

use pyo3::ffi;

use super::guarded::Arguments;

const FEW: usize = 4;

/// Plain pointers for the reason given in `run`; more than a few go to a block of their own.
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
