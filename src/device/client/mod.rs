//! The host's side of the wire protocol.
//!
//! Bytes and times go in, bytes and events come out. A command is repeated until it is
//! answered; records that were lost on the way are asked for again, so that every token
//! reaches the caller once and in order, or the caller learns that it cannot.

mod commands;
mod event;
mod receive;
mod stream;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use holdfast_agent::protocol::{Decoder, MAX_ENCODED};

pub use commands::{Generation, MAX_PROMPT, Prompt};
pub use event::{Event, Statistics};
use stream::Stream;

/// When to repeat and when to give up; nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// A command not answered for this long is repeated.
    pub reply_timeout: u64,
    /// How often a command is sent altogether.
    pub attempts: u32,
    /// A stream silent for this long is asked to go on.
    pub stall: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { reply_timeout: 1_000_000_000, attempts: 4, stall: 1_000_000_000 }
    }
}

/// A confirmation is repeated faster than the device falls back.
const CONFIRM_TIMEOUT: u64 = 100_000_000;

#[derive(Clone, Debug)]
struct Pending {
    sequence: u16,
    kind: u8,
    frame: Vec<u8>,
    timeout: u64,
    deadline: u64,
    attempts_left: u32,
    first_sent: u64,
    /// The stream a resume is for.
    request: Option<u32>,
}

#[derive(Clone, Debug)]
struct Upload {
    model: Vec<u8>,
}

/// The state machine. See the module.
#[derive(Clone, Debug)]
pub struct Client {
    settings: Settings,
    decoder: Decoder<MAX_ENCODED>,
    out: Vec<u8>,
    sequence: u16,
    pending: Vec<Pending>,
    streams: BTreeMap<u32, Stream>,
    boot_id: Option<u32>,
    clock_bits: u8,
    last_ticks: u64,
    next_frame: Option<u16>,
    upload: Option<Upload>,
    stray: Option<u32>,
    baud: Option<u32>,
    baud_token: u32,
    statistics: Statistics,
}

impl Client {
    /// A client that has heard nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            decoder: Decoder::new(),
            out: Vec::new(),
            sequence: 0,
            pending: Vec::new(),
            streams: BTreeMap::new(),
            boot_id: None,
            clock_bits: 64,
            last_ticks: 0,
            next_frame: None,
            upload: None,
            stray: None,
            baud: None,
            baud_token: 0,
            statistics: Statistics::default(),
        }
    }

    /// Bytes to send now.
    pub fn take(&mut self) -> Vec<u8> {
        self.statistics.bytes_out += self.out.len() as u64;
        std::mem::take(&mut self.out)
    }

    /// What has happened so far, counted.
    pub fn statistics(&self) -> Statistics {
        self.statistics
    }

    /// The last request whose records came although nobody here asked for it; told once.
    pub fn stray(&mut self) -> Option<u32> {
        self.stray.take()
    }

    /// When [`Client::poll`] next has something to do.
    pub fn deadline(&self) -> Option<u64> {
        let commands = self.pending.iter().map(|pending| pending.deadline);
        let streams = self.streams.iter().filter(|(id, _)| !self.is_asked(**id));
        let streams = streams.map(|(_, stream)| stream.heard.saturating_add(self.settings.stall));
        commands.chain(streams).min()
    }

    /// Whether a command about this stream waits for its answer.
    fn is_asked(&self, request: u32) -> bool {
        self.pending.iter().any(|pending| pending.request == Some(request))
    }

    /// Repeats what was not answered, gives up what never was, revives silent streams.
    pub fn poll(&mut self, now: u64) -> Vec<Event> {
        let mut events = Vec::new();
        let mut index = 0;
        while let Some(pending) = self.pending.get_mut(index) {
            if pending.deadline > now {
                index += 1;
            } else if pending.attempts_left > 0 {
                pending.attempts_left -= 1;
                pending.deadline = now.saturating_add(pending.timeout);
                self.out.extend_from_slice(&pending.frame);
                self.statistics.repeated_commands += 1;
                self.statistics.frames_out += 1;
                index += 1;
            } else {
                let pending = self.pending.remove(index);
                self.give_up(&pending, &mut events);
            }
        }
        let stall = self.settings.stall;
        let silent = |(id, stream): (&u32, &Stream)| {
            (stream.heard.saturating_add(stall) <= now).then_some((*id, stream.next))
        };
        let silent: Vec<_> = self.streams.iter().filter_map(silent).collect();
        for (request, next) in silent {
            if !self.is_asked(request) {
                self.resume(request, next, now);
            }
        }
        events
    }

    fn give_up(&mut self, pending: &Pending, events: &mut Vec<Event>) {
        self.statistics.timeouts += 1;
        match pending.kind {
            0x03 => {
                // A request the device never accepted has no records to wait for.
                let request = pending.request.unwrap_or_default();
                if self.streams.get(&request).is_some_and(|stream| stream.accepted) {
                    // Its tokens arrive; only the answer to the command never did.
                    return;
                }
                self.streams.remove(&request);
            }
            0x05 => {
                if let Some(stream) = pending.request.and_then(|id| self.streams.get_mut(&id)) {
                    stream.heard = pending.deadline;
                }
            }
            0x09 => {
                events.push(Event::BaudFallback { rate: self.baud });
                return;
            }
            0x0a..=0x0c => self.upload = None,
            _ => {}
        }
        events.push(Event::Timeout { sequence: pending.sequence, command: pending.kind });
    }
}
