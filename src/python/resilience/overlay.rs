//! A context variable that is set for the length of a call and taken back after it, many
//! times over the same context.
//!
//! A context refers to an immutable mapping (a hash array mapped trie, PEP 567), and
//! `ContextVar.set` and `reset` build a new one each. A mapping that was made once can be put in
//! place again while everything it came from is the same: the mapping beneath, the variable
//! and the value. Copies of the context that are made meanwhile share it, as they would
//! after `set`.
//!
//! Where the interpreter keeps the mapping is tried out once; where it is not as expected, or
//! the environment has `HOLDFAST_PLAIN_CONTEXT`, [`Site::here`] finds nothing and callers set
//! the variable.
#![allow(unsafe_code)] // the inside of `contextvars.Context`

use std::cell::UnsafeCell;
use std::ffi::CStr;
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyCFunction;

use crate::clock::Nanos;

/// Whether attached threads run one at a time: objects of a build without the GIL, and of one
/// for debugging, are larger.
pub(super) const GIL: bool = size_of::<ffi::PyObject>() == 2 * size_of::<usize>();

type Object = *mut ffi::PyObject;

/// In words from the start of each object.
const MAPPING: usize = 3;
const CACHED: usize = 4;
/// Thread states of every version are longer.
const SEARCHED: usize = 32;

/// The current context, where its thread keeps it.
#[derive(Clone, Copy)]
pub(super) struct Site {
    context: Object,
}

/// # Safety
/// `object` is alive and longer than that.
unsafe fn word(object: Object, number: usize) -> *mut Object {
    // SAFETY: as the caller promises.
    unsafe { object.cast::<Object>().add(number) }
}

impl Site {
    /// The current context, if there is one and its mapping can be exchanged.
    #[inline]
    pub(super) fn here(py: Python<'_>) -> Option<Self> {
        static PLACE: PyOnceLock<Option<usize>> = PyOnceLock::new();
        let place = (*PLACE.get_or_init(py, || place(py)))?;
        // SAFETY: the thread is attached, and `place` was found in a state of this version.
        let context = unsafe { *word(ffi::PyThreadState_Get().cast(), place) };
        (!context.is_null()).then_some(Self { context })
    }

    #[inline]
    pub(super) fn mapping(self) -> Object {
        // SAFETY: the current context of the thread is alive.
        unsafe { *word(self.context, MAPPING) }
    }

    /// Exchanges the mapping, with its reference, for one in which only `variable` differs.
    #[inline]
    fn exchange(self, variable: &Py<PyAny>, mapping: Object) -> Object {
        // SAFETY: the context is alive. What the variable remembers as its value is forgotten.
        unsafe {
            *word(variable.as_ptr(), CACHED) = ptr::null_mut();
            ptr::replace(word(self.context, MAPPING), mapping)
        }
    }
}

/// What to take back after the call: owned references.
#[derive(Clone, Copy)]
pub(super) struct Laid {
    context: Object,
    before: Object,
    after: Object,
}

/// A mapping that was made before.
struct Made {
    /// Its address tells it; `alive` whether it is still the same.
    before: Object,
    alive: Py<PyAny>,
    after: Py<PyAny>,
    value: Nanos,
    at: Nanos,
}

const KEPT: usize = 4;

/// The last ones made. Touched under the GIL only: [`place`] finds none without it.
struct Kept(UnsafeCell<([Option<Made>; KEPT], Object)>);
// SAFETY: as said above.
unsafe impl Sync for Kept {}

static KEPT_ONES: Kept = Kept(UnsafeCell::new(([const { None }; KEPT], ptr::null_mut())));

#[inline]
fn slot_of(before: Object, value: Nanos) -> usize {
    let mixed = (before as u64 ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 62) as usize
}

/// Lays the mapping over the site's in which `variable` is `value`, if it was made before.
#[inline]
pub(super) fn lay_again(site: Site, variable: &Py<PyAny>, value: Nanos) -> Option<Laid> {
    let before = site.mapping();
    // SAFETY: the GIL is held, and nothing below runs code of Python; references are
    // counted as said at `Laid`.
    unsafe {
        let (kept, _) = &*KEPT_ONES.0.get();
        let made = kept[slot_of(before, value)].as_ref()?;
        if made.before != before || made.value != value {
            return None;
        }
        let after = made.after.as_ptr();
        ffi::Py_INCREF(after); // of the context
        ffi::Py_INCREF(after); // of the answer
        ffi::Py_INCREF(site.context);
        let before = site.exchange(variable, after);
        Some(Laid { context: site.context, before, after })
    }
}

/// Sets `variable` to `value` and keeps the mapping for [`lay_again`]: that of a context in
/// which calls follow each other, not of one that makes a single call.
#[cold]
pub(super) fn lay(
    py: Python<'_>,
    site: Site,
    variable: &Py<PyAny>,
    value: Nanos,
    object: &Bound<'_, PyAny>,
    now: Nanos,
) -> PyResult<Laid> {
    // SAFETY: objects of the right kinds; references are counted as said at `Laid`.
    let laid = unsafe {
        let before = ffi::Py_NewRef(site.mapping());
        let token = ffi::PyContextVar_Set(variable.as_ptr(), object.as_ptr());
        if token.is_null() {
            ffi::Py_DECREF(before);
            return Err(PyErr::fetch(py));
        }
        ffi::Py_DECREF(token);
        ffi::Py_INCREF(site.context);
        Laid { context: site.context, before, after: ffi::Py_NewRef(site.mapping()) }
    };
    keep(py, laid, value, now);
    Ok(laid)
}

fn keep(py: Python<'_>, laid: Laid, value: Nanos, now: Nanos) {
    // SAFETY: the GIL is held, and the borrow ends before code of Python may run.
    let (dropped, seen) = unsafe {
        let (kept, last) = &mut *KEPT_ONES.0.get();
        // Deadlines of an earlier tick do not come again.
        let old = kept.iter_mut().map(|made| made.take_if(|made| made.at != now));
        let dropped: [_; KEPT] = collect(old);
        let seen = std::mem::replace(last, laid.before) == laid.before;
        (dropped, seen)
    };
    drop(dropped);
    if !seen {
        return;
    }
    // SAFETY: live objects; a weak reference is a new one, or null with an error set.
    unsafe {
        let forget = forget(py).map_or(ptr::null_mut(), Py::as_ptr);
        let alive = ffi::PyWeakref_NewRef(laid.before, forget);
        let Ok(alive) = Bound::from_owned_ptr_or_err(py, alive) else { return };
        let after = Bound::from_borrowed_ptr(py, laid.after).unbind();
        let made = Made { before: laid.before, alive: alive.unbind(), after, value, at: now };
        let (kept, _) = &mut *KEPT_ONES.0.get();
        let other = kept[slot_of(laid.before, value)].replace(made);
        drop(other);
    }
}

fn collect(made: impl Iterator<Item = Option<Made>>) -> [Option<Made>; KEPT] {
    let mut all = [const { None }; KEPT];
    all.iter_mut().zip(made).for_each(|(place, made)| *place = made);
    all
}

/// Called when a mapping is gone: what was made over it holds the same objects.
fn forget(py: Python<'_>) -> PyResult<&Py<PyCFunction>> {
    static FORGET: PyOnceLock<Py<PyCFunction>> = PyOnceLock::new();
    FORGET.get_or_try_init(py, || {
        let forget = PyCFunction::new_closure(py, None, None, |arguments, _| -> PyResult<()> {
            let gone = arguments.get_item(0)?;
            // SAFETY: as in `keep`.
            let dropped = unsafe {
                let (kept, _) = &mut *KEPT_ONES.0.get();
                let old = kept.iter_mut().map(|made| made.take_if(|made| gone.is(&made.alive)));
                collect(old)
            };
            drop(dropped);
            Ok(())
        })?;
        Ok(forget.unbind())
    })
}

impl Laid {
    /// Takes the variable back to what it was, whatever else was set meanwhile. In another
    /// context than its own there is nothing to take back.
    #[inline]
    pub(super) fn take_back(self, py: Python<'_>, variable: &Py<PyAny>) -> PyResult<()> {
        let Self { context, before, after } = self;
        let here = Site::here(py).filter(|site| site.context == context);
        // SAFETY: our own references, each dropped or given away once; `exchange` gives
        // back that of the context.
        unsafe {
            let done = match here {
                Some(site) if site.mapping() == after => {
                    ffi::Py_DECREF(site.exchange(variable, before));
                    Ok(())
                }
                Some(_) => set_as_in(py, variable, before),
                None => {
                    ffi::Py_DECREF(before);
                    Ok(())
                }
            };
            ffi::Py_DECREF(after);
            ffi::Py_DECREF(context);
            done
        }
    }

    /// Everything held, for the garbage collector.
    pub(super) fn objects(self) -> [Object; 3] {
        [self.context, self.before, self.after]
    }
}

/// Sets the variable to its value in this mapping, whose reference is taken.
#[cold]
unsafe fn set_as_in(py: Python<'_>, variable: &Py<PyAny>, mapping: Object) -> PyResult<()> {
    // SAFETY: a context that nobody else has; its mapping is exchanged with its reference.
    unsafe {
        let other = Bound::from_owned_ptr_or_err(py, ffi::PyContext_New());
        let Ok(other) = other else {
            ffi::Py_DECREF(mapping);
            return other.map(drop);
        };
        ffi::Py_DECREF(ptr::replace(word(other.as_ptr(), MAPPING), mapping));
        let value = other.get_item(variable);
        let value = value.unwrap_or_else(|_| py.None().into_bound(py));
        let token = ffi::PyContextVar_Set(variable.as_ptr(), value.as_ptr());
        Bound::from_owned_ptr_or_err(py, token).map(drop)
    }
}

/// Where a thread state refers to its context, in words, if all is as expected.
#[cold]
fn place(py: Python<'_>) -> Option<usize> {
    let version = py.version_info();
    if std::env::var_os("HOLDFAST_PLAIN_CONTEXT").is_some() {
        return None;
    }
    if !GIL || !((3, 10)..(3, 14)).contains(&(version.major, version.minor)) {
        return None;
    }
    // SAFETY: new objects of the right kinds, entered and left in order; the words that are
    // read lie within these objects in every version that gets here.
    unsafe {
        let context = Bound::from_owned_ptr_or_opt(py, ffi::PyContext_New())?;
        let name = c"holdfast_probe".as_ptr();
        let variable = ffi::PyContextVar_New(name, ptr::null_mut());
        let variable = Bound::from_owned_ptr_or_opt(py, variable)?;
        let state = ffi::PyThreadState_Get().cast::<ffi::PyObject>();
        if ffi::PyContext_Enter(context.as_ptr()) < 0 {
            PyErr::take(py);
            return None;
        }
        let place = (0..SEARCHED).find(|number| *word(state, *number) == context.as_ptr());
        let good = exchanges(py, context.as_ptr(), &variable);
        let left = ffi::PyContext_Exit(context.as_ptr()) == 0;
        let moved = place.is_some_and(|place| *word(state, place) != context.as_ptr());
        if PyErr::take(py).is_some() || !(good && left && moved) {
            return None;
        }
        place
    }
}

/// Whether a variable of the current context follows the context's mapping.
unsafe fn exchanges(py: Python<'_>, context: Object, variable: &Bound<'_, PyAny>) -> bool {
    // SAFETY: as in `place`; only what is a mapping by its type is treated as one.
    unsafe {
        let is_mapping = |object: Object| {
            !object.is_null() && CStr::from_ptr((*ffi::Py_TYPE(object)).tp_name) == c"hamt"
        };
        let variable = variable.clone().unbind();
        let site = Site { context };
        let before = site.mapping();
        if !is_mapping(before) {
            return false;
        }
        ffi::Py_INCREF(before);
        let token = ffi::PyContextVar_Set(variable.as_ptr(), context);
        drop(Bound::from_owned_ptr_or_opt(py, token));
        let remembers = *word(variable.as_ptr(), CACHED) == context;
        if !(remembers && is_mapping(site.mapping()) && site.mapping() != before) {
            ffi::Py_DECREF(before);
            return false;
        }
        let value = || {
            let mut value = ptr::null_mut();
            ffi::PyContextVar_Get(variable.as_ptr(), ptr::null_mut(), &raw mut value);
            ffi::Py_XDECREF(value);
            value
        };
        let after = site.exchange(&variable, before);
        let without = value().is_null();
        let before = site.exchange(&variable, after);
        let with = value() == context;
        // The context goes as it came, and not around in a circle with its own mapping.
        ffi::Py_DECREF(site.exchange(&variable, before));
        with && without
    }
}
