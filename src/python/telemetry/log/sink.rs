//! Where lines go. What cannot be written is counted by the caller, never raised.

#![allow(unsafe_code)] // taking over a file descriptor

use std::fs::{File, OpenOptions, rename};
use std::io::{self, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::telemetry::log::Rotation;

/// After a refused rotation, how long the file grows on before the next attempt.
const PAUSE: Duration = Duration::from_secs(10);

/// After so many bytes it is looked up whether the path still names the open file.
const GLANCE: u64 = 64 << 10;

pub(super) enum Sink {
    /// `sys.stderr`, whatever that is at the time.
    Stderr,
    /// Anything with `write`, and perhaps `flush`.
    Stream(Py<PyAny>),
    /// A terminal, a pipe or a socket: written without the GIL, since it may block.
    Descriptor(File),
    /// A regular file, written with the GIL held: its lock is then never held while
    /// another thread forks.
    File(Mutex<RotatedFile>),
}

impl Sink {
    /// Takes over a descriptor that nobody else closes.
    pub(super) fn descriptor(fd: i32) -> Self {
        // SAFETY: the Python side passes the result of `os.dup`, which it forgets.
        Self::Descriptor(unsafe { OwnedFd::from_raw_fd(fd) }.into())
    }

    pub(super) fn write(&self, py: Python<'_>, lines: &[u8]) -> PyResult<()> {
        match self {
            Self::Stderr => {
                let stderr = py.import(intern!(py, "sys"))?.getattr(intern!(py, "stderr"))?;
                // There is none under pythonw.
                if stderr.is_none() { Ok(()) } else { write_stream(&stderr, lines) }
            }
            Self::Stream(stream) => write_stream(stream.bind(py), lines),
            Self::Descriptor(file) => {
                let mut file: &File = file;
                Ok(py.detach(|| file.write_all(lines))?)
            }
            Self::File(file) => {
                Ok(file.lock().unwrap_or_else(PoisonError::into_inner).write(lines)?)
            }
        }
    }

    /// Lines after this are lost, and counted.
    pub(super) fn close(&self) {
        if let Self::File(file) = self {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.file = None;
            file.closed = true;
        }
    }

    /// Opens the path anew, as after `logrotate`.
    pub(super) fn reopen(&self) -> io::Result<()> {
        match self {
            Self::File(file) => file.lock().unwrap_or_else(PoisonError::into_inner).open(),
            _ => Ok(()),
        }
    }
}

fn write_stream(stream: &Bound<'_, PyAny>, lines: &[u8]) -> PyResult<()> {
    let py = stream.py();
    let text = PyString::new(py, &String::from_utf8_lossy(lines));
    stream.call_method1(intern!(py, "write"), (text,))?;
    if let Ok(flush) = stream.getattr(intern!(py, "flush")) {
        flush.call0()?;
    }
    Ok(())
}

pub(super) struct RotatedFile {
    path: String,
    mode: u32,
    rotation: Rotation,
    file: Option<File>,
    size: u64,
    opened: Instant,
    refused: Option<Instant>,
    /// Bytes written since the last look.
    unseen: u64,
    /// The last write ended inside a line.
    torn: bool,
    closed: bool,
}

impl RotatedFile {
    pub(super) fn open_at(path: String, mode: u32, rotation: Rotation) -> io::Result<Self> {
        let mut file = Self {
            path,
            mode,
            rotation,
            file: None,
            size: 0,
            opened: Instant::now(),
            refused: None,
            unseen: 0,
            torn: false,
            closed: false,
        };
        file.open()?;
        Ok(file)
    }

    fn open(&mut self) -> io::Result<()> {
        let file = OpenOptions::new().append(true).create(true).mode(self.mode).open(&self.path)?;
        self.size = file.metadata()?.len();
        self.file = Some(file);
        self.opened = Instant::now();
        self.closed = false;
        Ok(())
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.closed {
            return Err(io::Error::other("the log was closed"));
        }
        if self.rotation.is_due(self.size, lines.len() as u64, || self.opened.elapsed())
            && self.refused.is_none_or(|since| since.elapsed() >= PAUSE)
        {
            // A full directory must not stop the log: the old file grows on for a while.
            self.refused = self.rotate().err().map(|_| Instant::now());
        }
        if self.unseen >= GLANCE {
            self.unseen = 0;
            if !self.is_current().unwrap_or(true) {
                // It was moved, or removed with what was in it.
                (self.file, self.torn) = (None, false);
            }
        }
        if self.file.is_none() {
            self.open()?;
        }
        self.unseen += lines.len() as u64;
        if self.torn {
            self.append(b"\n")?;
            self.torn = false;
        }
        self.append(lines)
    }

    fn append(&mut self, mut rest: &[u8]) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Err(io::ErrorKind::NotFound.into()) };
        while !rest.is_empty() {
            match file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.size += written as u64;
                    rest = &rest[written..];
                    self.torn = !rest.is_empty();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    // The descriptor may be gone for good; a full disk is found again.
                    self.file = None;
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        // A process that shares the file may have moved it already.
        if self.is_current()? {
            let moves = self.rotation.moves(&self.path);
            if moves.is_empty() {
                std::fs::remove_file(&self.path)?;
            }
            for (from, to) in moves {
                match rename(from, to) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
        self.open()
    }

    fn is_current(&self) -> io::Result<bool> {
        let Some(file) = &self.file else { return Ok(false) };
        let ours = file.metadata()?;
        match std::fs::metadata(&self.path) {
            Ok(named) => Ok((named.dev(), named.ino()) == (ours.dev(), ours.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}
