//! What the endpoint answers to a request, and what it counts of it.

use std::io::{Error, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{gate, wall};
use crate::telemetry::{
    Board, DEFAULT_BOUNDS, Declaration, Family, Format, Histogram, Kind, LooseFamily, Probe,
    Registry, State, TelemetryError, expose,
};

/// A request, its headers included, arrives within this time and this size.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
const LONGEST: usize = 8192;

/// What answers are made of.
pub(super) struct Shared {
    registry: Arc<Registry>,
    /// What is counted here; apart, so that a program may declare the same names itself.
    served: Arc<Registry>,
    board: Arc<Mutex<Board>>,
    /// What only Python can count, as of the last refresh.
    rows: Mutex<Vec<LooseFamily>>,
    requests: Arc<Family>,
    seconds: Arc<Family>,
}

impl Shared {
    pub(super) fn new(
        registry: Arc<Registry>,
        served: Arc<Registry>,
        board: Arc<Mutex<Board>>,
    ) -> Result<Self, TelemetryError> {
        let declare = |name: &str, help: &str, labels: &[&str], kind| {
            let labels = labels.iter().map(ToString::to_string).collect();
            let (name, help) = (name.to_owned(), help.to_owned());
            served.declare(Declaration { name, help, labels, kind, limit: 100 })
        };
        let help = "Requests to the endpoint of probes and scrapes.";
        let requests =
            declare("http_requests", help, &["method", "handler", "code"], Kind::Counter)?;
        let help = "From a request that is read to an answer that is made.";
        let kind = Kind::Histogram(Histogram::checked_bounds(&DEFAULT_BOUNDS)?);
        let seconds = declare("http_request_duration_seconds", help, &["handler"], kind)?;
        Ok(Self { registry, served, board, rows: Mutex::default(), requests, seconds })
    }

    pub(super) fn refresh(&self, rows: Vec<LooseFamily>) {
        *self.rows.lock().unwrap_or_else(PoisonError::into_inner) = rows;
    }

    /// Counts an answer that is made and not sent yet: whoever reads it finds it counted.
    fn count(&self, method: &str, handler: &str, status: u16, took: Duration) {
        let method = if matches!(method, "GET" | "HEAD") { method } else { "other" };
        gate::read(|| {
            if let Ok((series, _)) = self.requests.series(&[method, handler, &status.to_string()])
                && let State::Number(number) = series.state()
            {
                number.add(1.0);
            }
            if let Ok((series, _)) = self.seconds.series(&[handler])
                && let State::Histogram(histogram) = series.state()
            {
                // A duration is a number.
                let _ = histogram.observe(took.as_secs_f64());
            }
        });
    }

    fn metrics(&self, format: Format) -> String {
        gate::read(|| {
            let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
            expose(&[&self.registry, &self.served], &rows, wall::now(), format)
        })
    }

    fn probe(&self, probe: Probe) -> Reply {
        let (good, body) = gate::read(|| {
            let board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
            board.render(probe, wall::now())
        });
        Reply { status: if good { 200 } else { 503 }, kind: "application/json", body }
    }
}

struct Reply {
    status: u16,
    kind: &'static str,
    body: String,
}

impl Reply {
    fn plain(status: u16, body: &str) -> Self {
        Self { status, kind: "text/plain", body: body.to_owned() }
    }
}

pub(super) fn answer(mut stream: TcpStream, shared: &Shared) -> Result<(), Error> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let Some(received) = receive(&mut stream)? else { return Ok(()) };
    let began = Instant::now();
    let mut words = received.split_whitespace();
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let path = target.split('?').next().unwrap_or("");
    let (handler, probe) = match path {
        "/health" => (path, Some(Probe::Summary)),
        "/health/live" => (path, Some(Probe::Live)),
        "/health/ready" => (path, Some(Probe::Ready)),
        "/health/detailed" => (path, Some(Probe::Detailed)),
        "/metrics" => (path, None),
        _ => ("other", None),
    };
    let reply = match (method, handler, probe) {
        ("", ..) => Reply::plain(400, "bad request\n"),
        ("GET" | "HEAD", _, Some(probe)) => shared.probe(probe),
        ("GET" | "HEAD", "other", None) => Reply::plain(404, "not found\n"),
        ("GET" | "HEAD", ..) => {
            let format = accepted(&received);
            Reply { status: 200, kind: format.content_type(), body: shared.metrics(format) }
        }
        _ => Reply::plain(405, "only GET and HEAD\n"),
    };
    shared.count(method, handler, reply.status, began.elapsed());
    respond(&mut stream, &reply, method != "HEAD")
}

/// The text of a request, empty for what is none; None when the peer has gone.
fn receive(stream: &mut TcpStream) -> Result<Option<String>, Error> {
    let until = Instant::now() + PATIENCE;
    let mut request = Vec::with_capacity(1024);
    let mut chunk = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || request.len() > LONGEST {
            return Ok(Some(String::new()));
        }
        stream.set_read_timeout(Some(left))?;
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Ok(None);
        }
        request.extend_from_slice(&chunk[..read]);
    }
    Ok(Some(String::from_utf8_lossy(&request).into_owned()))
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

fn respond(stream: &mut TcpStream, reply: &Reply, with_body: bool) -> Result<(), Error> {
    let Reply { status, kind, body } = reply;
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
