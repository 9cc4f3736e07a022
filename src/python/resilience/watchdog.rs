//! Interrupts threads whose time is up, by an exception that the interpreter raises
//! between two of its instructions. One thread of its own watches, from the first use on.
#![allow(unsafe_code)] // PyThreadState_SetAsyncExc

use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyModule};

use crate::clock::{Nanos, precise};
use crate::python::errors::DeadlineExceededError;

struct Watched {
    number: u32,
    thread: std::ffi::c_long,
    deadline: Nanos,
    interrupted: bool,
}

#[derive(Default)]
struct Watch {
    running: bool,
    last: u32,
    /// When the watching thread wakes next.
    planned: Nanos,
    calls: Vec<Watched>,
}

#[derive(Default)]
struct Shared {
    watch: Mutex<Watch>,
    bell: Condvar,
}

/// Exchanged in a forked child, whose copy may have been locked by a thread that does not
/// exist there.
static SHARED: AtomicPtr<Shared> = AtomicPtr::new(std::ptr::null_mut());

fn shared() -> &'static Shared {
    let mut pointer = SHARED.load(Ordering::Acquire);
    if pointer.is_null() {
        let new = Box::into_raw(Box::<Shared>::default());
        match SHARED.compare_exchange(
            std::ptr::null_mut(),
            new,
            Ordering::AcqRel,
            Ordering::Acquire,
        ) {
            Ok(_) => pointer = new,
            Err(other) => {
                // SAFETY: made above and seen by nobody.
                drop(unsafe { Box::from_raw(new) });
                pointer = other;
            }
        }
    }
    // SAFETY: once stored it is never freed.
    unsafe { &*pointer }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins anew in a forked child.
fn forget() {
    SHARED.store(Box::into_raw(Box::<Shared>::default()), Ordering::Release);
}

/// Has this thread interrupted at `deadline` unless it [disarms](disarm) before; the
/// number to disarm with.
pub(super) fn arm(py: Python<'_>, deadline: Nanos) -> PyResult<u32> {
    let shared = shared();
    if !shared.lock().running {
        start(py, shared)?;
    }
    // SAFETY: asks for a number.
    let thread = unsafe { ffi::PyThread_get_thread_ident() } as std::ffi::c_long;
    let mut watch = shared.lock();
    watch.last = watch.last.wrapping_add(1).max(1);
    let number = watch.last;
    watch.calls.push(Watched { number, thread, deadline, interrupted: false });
    if deadline < watch.planned {
        watch.planned = deadline;
        shared.bell.notify_one();
    }
    Ok(number)
}

/// Ends the watch; whether the thread was interrupted. An interruption that has not
/// arrived yet is taken back: no instruction of Python runs between here and there.
pub(super) fn disarm(number: u32) -> bool {
    let mut watch = shared().lock();
    let Some(place) = watch.calls.iter().rposition(|call| call.number == number) else {
        return false;
    };
    let call = watch.calls.swap_remove(place);
    drop(watch);
    if call.interrupted {
        // SAFETY: a number and null; the GIL is held, as everywhere in a run.
        unsafe { ffi::PyThreadState_SetAsyncExc(call.thread, std::ptr::null_mut()) };
    }
    call.interrupted
}

static REGISTERED: Once = Once::new();

fn start(py: Python<'_>, shared: &'static Shared) -> PyResult<()> {
    {
        let mut watch = shared.lock();
        if watch.running {
            return Ok(());
        }
        watch.running = true;
        watch.planned = Nanos::MAX;
    }
    let mut registered = Ok(());
    REGISTERED.call_once(|| {
        registered = (|| {
            let hooks = PyDict::new(py);
            let forget = PyCFunction::new_closure(py, None, None, |_, _| forget())?;
            hooks.set_item("after_in_child", forget)?;
            PyModule::import(py, "os")?.call_method("register_at_fork", (), Some(&hooks)).map(drop)
        })();
    });
    let thread = std::thread::Builder::new().name("holdfast-watchdog".into());
    let started = thread.spawn(move || watch_over(shared)).map(drop).map_err(PyErr::from);
    let started = registered.and(started);
    shared.lock().running = started.is_ok();
    started
}

fn watch_over(shared: &'static Shared) {
    loop {
        let mut watch = shared.lock();
        let waiting = watch.calls.iter().filter(|call| !call.interrupted);
        watch.planned = waiting.map(|call| call.deadline).min().unwrap_or(Nanos::MAX);
        let left = watch.planned.saturating_sub(precise());
        if left > 0 {
            // A wait of an hour stands for one without end.
            let left = Duration::from_nanos(left.min(3_600_000_000_000));
            drop(shared.bell.wait_timeout(watch, left));
            continue;
        }
        drop(watch);
        // The GIL first, then the lock: `arm` and `disarm` take them in this order.
        if Python::try_attach(|py| interrupt(py, shared)).is_none() {
            return; // the interpreter is gone
        }
    }
}

fn interrupt(py: Python<'_>, shared: &'static Shared) {
    let kind = py.get_type::<DeadlineExceededError>();
    let now = precise();
    let mut watch = shared.lock();
    for call in &mut watch.calls {
        if !call.interrupted && call.deadline <= now {
            call.interrupted = true;
            // SAFETY: the GIL is held, and the call has not ended, for its end would have
            // needed the lock: so the thread is there.
            unsafe { ffi::PyThreadState_SetAsyncExc(call.thread, kind.as_ptr()) };
        }
    }
}
