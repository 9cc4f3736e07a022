//! What the device says.

use holdfast_agent::protocol::{EndRecord, FrameError, Header, HelloRecord, Reply};

use super::{Client, Event, Pending};

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Client {
    /// Takes bytes that arrived; returns what they mean.
    pub fn feed(&mut self, bytes: &[u8], now: u64) -> Vec<Event> {
        let mut events = Vec::new();
        self.statistics.bytes_in += bytes.len() as u64;
        // Taken out so that a frame can be read while the rest of the client changes.
        let mut decoder = std::mem::take(&mut self.decoder);
        for byte in bytes {
            match decoder.push(*byte) {
                None => {}
                Some(Ok((header, payload))) => self.frame(header, payload, now, &mut events),
                Some(Err(FrameError::Checksum)) => self.statistics.crc_errors += 1,
                Some(Err(_)) => self.statistics.malformed += 1,
            }
        }
        self.decoder = decoder;
        events
    }

    fn frame(&mut self, header: Header, payload: &[u8], now: u64, events: &mut Vec<Event>) {
        let Some(Ok(reply)) = Reply::decode(header.kind, payload) else {
            self.statistics.malformed += 1;
            return;
        };
        self.statistics.frames_in += 1;
        let lost = header.sequence.wrapping_sub(self.next_frame.unwrap_or(header.sequence));
        if lost < 0x8000 {
            self.statistics.lost_frames += u64::from(lost);
            self.next_frame = Some(header.sequence.wrapping_add(1));
        }
        let answered = self.answered(header.reply_to, &reply);
        self.reply(header, &reply, answered, now, events);
    }

    /// Removes the command this answers.
    fn answered(&mut self, reply_to: u16, reply: &Reply<'_>) -> Option<Pending> {
        let index = self.pending.iter().position(|pending| pending.sequence == reply_to)?;
        // The first token says that the request was accepted, but not when.
        let partial = matches!(reply, Reply::Token { .. } | Reply::End(_));
        (!partial).then(|| self.pending.remove(index))
    }

    fn reply(
        &mut self,
        header: Header,
        reply: &Reply<'_>,
        answered: Option<Pending>,
        now: u64,
        events: &mut Vec<Event>,
    ) {
        match *reply {
            Reply::Hello(ref hello) => self.hello_came(hello, events),
            Reply::Started { request, ticks, prompt_tokens } => {
                let ticks = self.widen(ticks);
                if let Some(stream) = self.streams.get_mut(&request) {
                    stream.heard = now;
                    stream.accepted = true;
                    if !std::mem::replace(&mut stream.started, true) {
                        events.push(Event::Started { request, ticks, prompt_tokens });
                    }
                }
            }
            Reply::Token { request, index, id, ticks, piece } => {
                self.token(request, index, id, ticks, piece, now, events);
            }
            Reply::End(record) => self.end(record, now, events),
            Reply::Log { level, text } => events.push(Event::Log { level, text: words(text) }),
            Reply::Error { code, value, text } => {
                let command = answered.as_ref().map(|pending| pending.kind);
                if header.reply_to != 0 && answered.is_none() {
                    return;
                }
                match (&answered, code.word()) {
                    (Some(Pending { kind: 0x0a..=0x0c, .. }), _) => self.upload = None,
                    (Some(Pending { kind: 0x03, request: Some(request), .. }), _)
                    | (
                        Some(Pending { kind: 0x05, request: Some(request), .. }),
                        "unknown_request" | "ring_lost",
                    ) => {
                        self.streams.remove(request);
                    }
                    _ => {}
                }
                let (sequence, code) = (header.reply_to, code.word());
                events.push(Event::Error { sequence, command, code, value, text: words(text) });
            }
            _ => {
                // An answer to a command that was repeated comes twice; once is enough.
                if let Some(pending) = answered {
                    self.answer(&pending, reply, now, events);
                }
            }
        }
    }

    fn answer(&mut self, pending: &Pending, reply: &Reply<'_>, now: u64, events: &mut Vec<Event>) {
        match *reply {
            Reply::Pong { received, sent, boot_id, .. } => events.push(Event::Pong {
                sequence: pending.sequence,
                sent_ns: pending.first_sent,
                repeated: pending.attempts_left + 1 != self.settings.attempts,
                device_received: self.widen(received),
                device_sent: self.widen(sent),
                boot_id,
            }),
            Reply::Memory(record) => events.push(Event::Memory(record)),
            Reply::Power { sequence, ticks, microwatts } => {
                let ticks = self.widen(ticks);
                events.push(Event::Power { sequence, ticks, microwatts });
            }
            Reply::BaudOffer { rate, .. } => events.push(Event::BaudSwitch { rate }),
            Reply::BaudKept { rate, .. } => {
                self.baud = Some(rate);
                events.push(Event::BaudKept { rate });
            }
            Reply::Acknowledge { value } => match pending.kind {
                0x0a | 0x0b => {
                    let total = self.upload.as_ref().map_or(0, |upload| upload.model.len());
                    events.push(Event::UploadProgress { sent: value as usize, total });
                    self.upload_from(value as usize, now);
                }
                0x05 => {
                    if let Some(stream) =
                        pending.request.and_then(|request| self.streams.get_mut(&request))
                    {
                        stream.heard = now;
                    }
                }
                _ => {
                    let sequence = pending.sequence;
                    events.push(Event::Acknowledged { sequence });
                }
            },
            Reply::Model(ref model) => {
                if pending.kind == 0x0c {
                    self.upload = None;
                }
                events.push(Event::Model {
                    name: words(model.name),
                    parameters: model.parameters,
                    vocabulary: model.vocabulary,
                    context: model.context,
                    layers: model.layers,
                    dimension: model.dimension,
                    quantisation: model.quantisation,
                    model_bytes: model.model_bytes,
                    arena_bytes: model.arena_bytes,
                });
            }
            _ => {}
        }
    }

    fn hello_came(&mut self, hello: &HelloRecord<'_>, events: &mut Vec<Event>) {
        let boot_id = hello.boot_id;
        if let Some(previous_boot_id) = self.boot_id.filter(|previous| *previous != boot_id) {
            self.statistics.reboots += 1;
            // What was asked of the previous life will not be answered by this one.
            let lost_requests = std::mem::take(&mut self.streams).into_keys().collect();
            self.pending.retain(|pending| matches!(pending.kind, 0x01 | 0x02));
            self.upload = None;
            self.last_ticks = 0;
            self.next_frame = None;
            events.push(Event::Reboot { boot_id, previous_boot_id, lost_requests });
        }
        self.boot_id = Some(boot_id);
        self.clock_bits = hello.clock_bits.clamp(1, 64);
        let rates = hello.baud_rates.as_chunks::<4>().0;
        events.push(Event::Hello {
            protocol: hello.protocol,
            boot_id,
            clock_hz: hello.clock_hz,
            clock_bits: hello.clock_bits,
            ram_bytes: hello.ram_bytes,
            flash_bytes: hello.flash_bytes,
            capabilities: hello.capabilities,
            ring_records: hello.ring_records,
            baud_rates: rates.iter().map(|rate| u32::from_le_bytes(*rate)).collect(),
            board: words(hello.board),
            firmware: words(hello.firmware),
        });
    }

    fn token(
        &mut self,
        request: u32,
        index: u16,
        id: u32,
        ticks: u64,
        piece: &[u8],
        now: u64,
        events: &mut Vec<Event>,
    ) {
        let ticks = self.widen(ticks);
        let Some(stream) = self.streams.get_mut(&request) else {
            self.statistics.duplicate_records += 1;
            self.stray = Some(request);
            return;
        };
        stream.heard = now;
        stream.accepted = true;
        match index.cmp(&stream.next) {
            std::cmp::Ordering::Less => self.statistics.duplicate_records += 1,
            std::cmp::Ordering::Equal => {
                stream.next += 1;
                stream.digest = stream.digest.with(id);
                let piece = piece.to_vec();
                events.push(Event::Token { request, index, id, ticks, piece });
                // The gap closes, whether or not the answer to the resume got through.
                self.pending.retain(|p| p.kind != 0x05 || p.request != Some(request));
            }
            // The device goes back as a whole, so later records come again too.
            std::cmp::Ordering::Greater => self.close_gap(request, now),
        }
    }

    fn close_gap(&mut self, request: u32, now: u64) {
        let asked = |pending: &Pending| pending.kind == 0x05 && pending.request == Some(request);
        if let Some(stream) = self.streams.get(&request)
            && !self.pending.iter().any(asked)
        {
            self.resume(request, stream.next, now);
        }
    }

    fn end(&mut self, mut record: EndRecord, now: u64, events: &mut Vec<Event>) {
        let request = record.request;
        let Some(stream) = self.streams.get_mut(&request) else {
            self.statistics.duplicate_records += 1;
            return;
        };
        stream.heard = now;
        stream.accepted = true;
        if record.tokens > stream.next {
            return self.close_gap(request, now);
        }
        let digest_matches = stream.digest.0 == record.digest;
        let started = stream.started;
        self.streams.remove(&request);
        self.pending.retain(|pending| pending.request != Some(request));
        for ticks in [&mut record.start_ticks, &mut record.prefill_ticks, &mut record.end_ticks] {
            *ticks = self.widen(*ticks);
        }
        if !started {
            // Its own frame was lost; the account repeats what it said.
            let (ticks, prompt_tokens) = (record.start_ticks, record.prompt_tokens);
            events.push(Event::Started { request, ticks, prompt_tokens });
        }
        events.push(Event::End { record, digest_matches });
    }

    /// Device ticks in 64 bits: the value nearest to the last one that fits.
    pub(super) fn widen(&mut self, ticks: u64) -> u64 {
        if self.clock_bits >= 64 {
            return ticks;
        }
        let period = 1_u64 << self.clock_bits;
        let distance = ticks.wrapping_sub(self.last_ticks) & (period - 1);
        let wide = if distance < period / 2 {
            self.last_ticks.wrapping_add(distance)
        } else {
            // Before the last one, unless that would be before the clock began.
            let back = period - distance;
            self.last_ticks.checked_sub(back).unwrap_or(self.last_ticks + distance)
        };
        self.last_ticks = self.last_ticks.max(wide);
        wide
    }
}
