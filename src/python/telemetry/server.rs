//! The endpoint: a few threads of Rust that answer probes and scrapes without the GIL.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

use super::health::HealthBoard;
use super::http::{PATIENCE, Shared, answer};
use super::registry::{Loose, Registry, gather};
/// Connections answered at the same time; further ones are closed.
const MOST: usize = 32;

#[derive(Default)]
struct Door {
    /// Connections being answered.
    open: AtomicUsize,
    stopping: AtomicBool,
}

#[pyclass(frozen, module = "holdfast.telemetry")]
pub(in crate::python) struct Server {
    shared: Arc<Shared>,
    door: Arc<Door>,
    listener: Arc<TcpListener>,
    address: SocketAddr,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[pymethods]
impl Server {
    #[new]
    fn new(
        host: &str,
        port: u16,
        registry: &Registry,
        board: &HealthBoard,
        served: &Registry,
    ) -> PyResult<Self> {
        let failed = |error| PyOSError::new_err(format!("cannot serve at {host}:{port}: {error}"));
        let listener = Arc::new(TcpListener::bind((host, port)).map_err(failed)?);
        let address = listener.local_addr().map_err(failed)?;
        let (registry, served) = (registry.core.clone(), served.core.clone());
        let shared = Arc::new(Shared::new(registry, served, board.0.clone())?);
        let door = Arc::new(Door::default());
        let (sharing, opening, listening) = (shared.clone(), door.clone(), listener.clone());
        let thread = thread::Builder::new()
            .name("holdfast-serve".to_owned())
            .spawn(move || accept(&listening, &opening, &sharing))
            .map_err(failed)?;
        Ok(Self { shared, door, listener, address, thread: Mutex::new(Some(thread)) })
    }

    #[getter]
    fn address(&self) -> (String, u16) {
        (self.address.ip().to_string(), self.address.port())
    }

    fn refresh(&self, rows: Vec<Loose>) {
        self.shared.refresh(gather(rows));
    }

    fn stop(&self, py: Python<'_>) {
        self.door.stopping.store(true, SeqCst);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let mut address = self.address;
            if address.ip().is_unspecified() {
                address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
            }
            py.detach(|| {
                // The thread waits in `accept`; a connection makes it look up.
                if TcpStream::connect_timeout(&address, PATIENCE).is_ok() {
                    // It prints nothing and cannot fail but by a panic, which is not ours to hide.
                    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                }
            });
        }
    }

    /// In a forked child, where the thread is not: the descriptor to close.
    fn abandon(&self) -> i64 {
        // The lost thread's share of the listener is never dropped in this process.
        std::mem::forget(self.listener.clone());
        drop(self.thread.try_lock().map(|mut thread| std::mem::forget(thread.take())));
        descriptor(&self.listener)
    }
}

#[cfg(unix)]
fn descriptor(listener: &TcpListener) -> i64 {
    use std::os::fd::AsRawFd;
    i64::from(listener.as_raw_fd())
}

#[cfg(not(unix))]
fn descriptor(_: &TcpListener) -> i64 {
    -1
}

fn accept(listener: &TcpListener, door: &Arc<Door>, shared: &Arc<Shared>) {
    loop {
        let connection = listener.accept();
        if door.stopping.load(SeqCst) {
            return;
        }
        let Ok((stream, _)) = connection else {
            // Out of descriptors, most likely: others will be closed.
            thread::sleep(Duration::from_millis(20));
            continue;
        };
        if door.open.fetch_add(1, SeqCst) >= MOST {
            door.open.fetch_sub(1, SeqCst);
            continue;
        }
        let (opening, sharing) = (door.clone(), shared.clone());
        let answering = thread::Builder::new().name("holdfast-answer".to_owned());
        let started = answering.spawn(move || {
            // A client that goes away is its own affair.
            let _ = answer(stream, &sharing);
            opening.open.fetch_sub(1, SeqCst);
        });
        if started.is_err() {
            door.open.fetch_sub(1, SeqCst);
        }
    }
}
