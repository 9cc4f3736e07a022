//! Types made by hand, for slots that pyo3's classes do not have.
#![allow(unsafe_code)] // a specification of raw slots

use std::ffi::{CStr, c_int, c_ulong, c_void};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

/// A list that the interpreter keeps pointers into.
pub(super) struct Forever<T>(pub(super) T);
// SAFETY: never written after it was made.
unsafe impl<T> Sync for Forever<T> {}
// SAFETY: likewise.
unsafe impl<T> Send for Forever<T> {}

pub(super) fn slot(slot: c_int, pfunc: *mut c_void) -> ffi::PyType_Slot {
    ffi::PyType_Slot { slot, pfunc }
}

/// A type whose objects are laid out as `T`.
///
/// # Safety
/// The last slot is zero; each holds what the interpreter expects there, for ever.
pub(super) unsafe fn new_type<T>(
    py: Python<'_>,
    name: &'static CStr,
    flags: c_ulong,
    slots: &mut [ffi::PyType_Slot],
) -> PyResult<Py<PyType>> {
    let mut spec = ffi::PyType_Spec {
        name: name.as_ptr(),
        basicsize: size_of::<T>() as c_int,
        itemsize: 0,
        flags: flags as u32,
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the specification is complete, as the caller promises.
    unsafe {
        let class = Bound::from_owned_ptr_or_err(py, ffi::PyType_FromSpec(&raw mut spec))?;
        Ok(class.cast_into::<PyType>()?.unbind())
    }
}
