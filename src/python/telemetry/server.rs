//! The endpoint: a few threads of Rust that answer probes and scrapes without the GIL.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

use super::health::HealthBoard;
use super::registry::{Loose, Registry, gather};
use super::{gate, wall};
use crate::telemetry::{Board, Format, LooseFamily, Probe, Registry as Core, expose};

/// A request, its headers included, arrives within this time and this size.
const PATIENCE: Duration = Duration::from_secs(5);
const LONGEST: usize = 8192;
/// Connections answered at the same time; further ones are closed.
const MOST: usize = 32;

struct Shared {
    registry: Arc<Core>,
    board: Arc<Mutex<Board>>,
    /// What only Python can count, as of the last refresh.
    rows: Mutex<Vec<LooseFamily>>,
    open: AtomicUsize,
    stopping: AtomicBool,
}

#[pyclass(frozen, module = "holdfast.telemetry")]
pub(in crate::python) struct Server {
    shared: Arc<Shared>,
    listener: Arc<TcpListener>,
    address: SocketAddr,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[pymethods]
impl Server {
    #[new]
    fn new(host: &str, port: u16, registry: &Registry, board: &HealthBoard) -> PyResult<Self> {
        let failed = |error| PyOSError::new_err(format!("cannot serve at {host}:{port}: {error}"));
        let listener = Arc::new(TcpListener::bind((host, port)).map_err(failed)?);
        let address = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared {
            registry: registry.core.clone(),
            board: board.0.clone(),
            rows: Mutex::default(),
            open: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
        });
        let (sharing, listening) = (shared.clone(), listener.clone());
        let thread = thread::Builder::new()
            .name("holdfast-serve".to_owned())
            .spawn(move || accept(&listening, &sharing))
            .map_err(failed)?;
        Ok(Self { shared, listener, address, thread: Mutex::new(Some(thread)) })
    }

    #[getter]
    fn address(&self) -> (String, u16) {
        (self.address.ip().to_string(), self.address.port())
    }

    fn refresh(&self, rows: Vec<Loose>) {
        let families = gather(rows);
        *self.shared.rows.lock().unwrap_or_else(PoisonError::into_inner) = families;
    }

    fn stop(&self, py: Python<'_>) {
        self.shared.stopping.store(true, SeqCst);
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

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    loop {
        let connection = listener.accept();
        if shared.stopping.load(SeqCst) {
            return;
        }
        let Ok((stream, _)) = connection else {
            // Out of descriptors, most likely: others will be closed.
            thread::sleep(Duration::from_millis(20));
            continue;
        };
        if shared.open.fetch_add(1, SeqCst) >= MOST {
            shared.open.fetch_sub(1, SeqCst);
            continue;
        }
        let sharing = shared.clone();
        let answering = thread::Builder::new().name("holdfast-answer".to_owned());
        let started = answering.spawn(move || {
            // A client that goes away is its own affair.
            let _ = answer(stream, &sharing);
            sharing.open.fetch_sub(1, SeqCst);
        });
        if started.is_err() {
            shared.open.fetch_sub(1, SeqCst);
        }
    }
}

fn answer(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let until = Instant::now() + PATIENCE;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut request = Vec::with_capacity(1024);
    let mut chunk = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || request.len() > LONGEST {
            return respond(&mut stream, 400, "text/plain", "bad request\n", true);
        }
        stream.set_read_timeout(Some(left))?;
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        request.extend_from_slice(&chunk[..read]);
    }
    let request = String::from_utf8_lossy(&request);
    let mut words = request.split_whitespace();
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let path = target.split('?').next().unwrap_or("");
    if !matches!(method, "GET" | "HEAD") {
        return respond(&mut stream, 405, "text/plain", "only GET and HEAD\n", true);
    }
    let probe = match path {
        "/health" => Probe::Summary,
        "/health/live" => Probe::Live,
        "/health/ready" => Probe::Ready,
        "/health/detailed" => Probe::Detailed,
        "/metrics" => {
            let format = accepted(&request);
            let body = gate::read(|| {
                let rows = shared.rows.lock().unwrap_or_else(PoisonError::into_inner);
                expose(&shared.registry, &rows, wall::now(), format)
            });
            return respond(&mut stream, 200, format.content_type(), &body, method == "GET");
        }
        _ => return respond(&mut stream, 404, "text/plain", "not found\n", method == "GET"),
    };
    let (good, body) = gate::read(|| {
        let board = shared.board.lock().unwrap_or_else(PoisonError::into_inner);
        board.render(probe, wall::now())
    });
    let status = if good { 200 } else { 503 };
    respond(&mut stream, status, "application/json", &body, method == "GET")
}

fn accepted(request: &str) -> Format {
    let header = request.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("accept").then_some(value)
    });
    match header {
        Some(value) if value.contains("application/openmetrics-text") => Format::OpenMetrics,
        Some(value) if value.trim().starts_with("application/json") => Format::Json,
        _ => Format::Prometheus,
    }
}

fn respond(
    stream: &mut TcpStream,
    status: u16,
    kind: &str,
    body: &str,
    with_body: bool,
) -> std::io::Result<()> {
    let reason = match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        _ => "Service Unavailable",
    };
    let mut response = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    if with_body {
        response.push_str(body);
    }
    stream.write_all(response.as_bytes())
}
