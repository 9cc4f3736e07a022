//! The device's side: commands in, records out, one token per step.

use core::fmt::{Display, Write};

use sha2::{Digest as _, Sha256};

use super::board::{Board, capability};
use super::frame::{Decoder, FrameError, Header, MAX_ENCODED, MAX_PAYLOAD, VERSION, encode};
use super::generation::{Generation, Phase, RING, Record};
use super::message::{Command, EndRecord, ErrorCode, MemoryRecord, ModelRecord, Reply};
use super::wire::Writer;
use super::{BAUD_FALLBACK_MS, Malformed};
use crate::engine::{Digest, Engine, PromptError, Sampler};
use crate::gguf::{File, FileError, Value};

/// Contexts are halved to fit the memory, down to this.
const SMALLEST_CONTEXT: usize = 16;

#[derive(Clone, Copy, Debug)]
struct Upload {
    length: usize,
    sha256: [u8; 32],
    next: usize,
}

#[derive(Clone, Copy, Debug)]
struct BaudTrial {
    rate: u32,
    token: u32,
    previous: u32,
    deadline: u64,
}

/// A device's state machine. The caller feeds it bytes and calls [`Agent::step`] until it
/// has nothing to do.
#[derive(Clone, Debug)]
pub struct Agent {
    decoder: Decoder<MAX_ENCODED>,
    sequence: u16,
    engine: Option<Engine>,
    load_error: Option<FileError>,
    ring: [Record; RING],
    generation: Option<Generation>,
    upload: Option<Upload>,
    baud: u32,
    trial: Option<BaudTrial>,
    kept: Option<(u32, u32)>,
    power_records: u32,
}

impl Agent {
    /// A device that has just started at `baud`.
    pub const fn new(baud: u32) -> Self {
        Self {
            decoder: Decoder::new(),
            sequence: 0,
            engine: None,
            load_error: None,
            ring: [Record { id: 0, ticks: 0 }; RING],
            generation: None,
            upload: None,
            baud,
            trial: None,
            kept: None,
            power_records: 0,
        }
    }

    /// The model that runs, if any.
    pub fn engine(&self) -> Option<&Engine> {
        self.engine.as_ref()
    }

    /// Loads the stored model and says hello.
    pub fn boot(&mut self, board: &mut impl Board) {
        self.load(board);
        self.hello(board, 0);
        if let Some(error) = self.load_error {
            self.say(board, 0, 2, &error);
        }
    }

    fn load(&mut self, board: &mut impl Board) {
        (self.engine, self.load_error, self.generation) = (None, None, None);
        let (model, arena) = board.workspace();
        if model.is_empty() {
            return;
        }
        let mut context = None;
        loop {
            match Engine::load(model, context, arena) {
                Ok(engine) => {
                    self.engine = Some(engine);
                    return;
                }
                Err(error) => {
                    // What was trained is only an upper bound of what fits.
                    let trained = File::parse(model)
                        .ok()
                        .and_then(|file| file.get("llama.context_length")?.unsigned());
                    let half = context.unwrap_or(trained.unwrap_or(0) as usize) / 2;
                    let memory = matches!(error, FileError::OutOfMemory { .. });
                    if !memory || half < SMALLEST_CONTEXT {
                        self.load_error = Some(error);
                        return;
                    }
                    context = Some(half);
                }
            }
        }
    }

    /// Bytes from the wire.
    pub fn receive(&mut self, board: &mut impl Board, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'%' && self.decoder.pending() == b"name" {
                // A person with a terminal; frames cannot begin like this.
                self.decoder.clear();
                board.send(b"m-name-dut-[holdfast]\r\nm-ready\r\n");
                continue;
            }
            let Some(frame) = self.decoder.push(*byte) else { continue };
            // The payload is copied out because answering needs all of `self`.
            let mut payload = [0; MAX_PAYLOAD];
            let frame = frame.map(|(header, body)| {
                payload[..body.len()].copy_from_slice(body);
                (header, body.len())
            });
            match frame {
                Ok((header, length)) => self.command(board, header, &payload[..length]),
                Err(FrameError::Version(version)) => {
                    self.fail(board, 0, ErrorCode::VERSION, version.into(), &"speak version 1");
                }
                // Noise: the host notices that no answer comes.
                Err(_) => {}
            }
        }
    }

    fn command(&mut self, board: &mut impl Board, header: Header, payload: &[u8]) {
        let to = header.sequence;
        let received = board.ticks();
        let command = match Command::decode(header.kind, payload) {
            Some(Ok(command)) => command,
            Some(Err(Malformed)) => {
                return self.fail(board, to, ErrorCode::MALFORMED, 0, &"the payload is too short");
            }
            None => {
                let kind = header.kind.into();
                return self.fail(board, to, ErrorCode::UNKNOWN_COMMAND, kind, &"unknown command");
            }
        };
        match command {
            Command::Hello => self.hello(board, to),
            Command::Ping { nonce } => {
                let boot_id = board.identity().boot_id;
                let sent = board.ticks();
                self.send(board, to, &Reply::Pong { nonce, received, sent, boot_id });
            }
            Command::Generate { .. } => self.generate(board, to, command, received),
            Command::Cancel { request } => {
                let Some(mut generation) = self.known(request) else {
                    return self.unknown(board, to, request);
                };
                if !matches!(generation.phase, Phase::Ended(_)) {
                    generation.end(super::Reason::Cancelled, board);
                    self.generation = Some(generation);
                }
                self.send(board, to, &Reply::Acknowledge { value: request });
            }
            Command::Resume { request, from } => self.resume(board, to, request, from),
            Command::Memory => self.memory(board, to),
            Command::Power => match board.microwatts() {
                Some(microwatts) => {
                    self.power_records += 1;
                    let (sequence, ticks) = (self.power_records, board.ticks());
                    self.send(board, to, &Reply::Power { sequence, ticks, microwatts });
                }
                None => self.fail(board, to, ErrorCode::UNSUPPORTED, 0, &"there is no power meter"),
            },
            Command::SetBaud { rate, token } => self.set_baud(board, to, rate, token),
            Command::ConfirmBaud { token } => self.confirm_baud(board, to, token),
            Command::ModelBegin { length, sha256 } => self.begin(board, to, length, sha256),
            Command::ModelChunk { offset, data } => self.chunk(board, to, offset as usize, data),
            Command::ModelEnd => self.finish(board, to),
            Command::ModelInfo => self.model(board, to),
            Command::Reboot => {
                self.send(board, to, &Reply::Acknowledge { value: 0 });
                board.reboot();
            }
        }
    }

    /// Sends one record or evaluates one token; `false` if there is nothing to do.
    pub fn step(&mut self, board: &mut impl Board) -> bool {
        if let Some(trial) = self.trial
            && board.ticks() >= trial.deadline
        {
            self.trial = None;
            self.baud = trial.previous;
            board.set_baud(trial.previous);
        }
        let (Some(mut generation), Some(engine)) = (self.generation, self.engine) else {
            return false;
        };
        let to = generation.command;
        if generation.cursor < generation.tokens {
            let index = generation.cursor;
            let Record { id, ticks } = self.ring[usize::from(index) % RING];
            generation.cursor += 1;
            let mut piece = [0; 64];
            let (model, arena) = board.workspace();
            let length = engine.piece(model, arena, id, &mut piece);
            let (request, piece) = (generation.request, &piece[..length]);
            self.generation = Some(generation);
            self.send(board, to, &Reply::Token { request, index, id, ticks, piece });
            return true;
        }
        if let Phase::Ended(reason) = generation.phase {
            if generation.end_sent {
                return false;
            }
            generation.end_sent = true;
            self.generation = Some(generation);
            let end = EndRecord {
                request: generation.request,
                reason,
                prompt_tokens: generation.prompt_tokens,
                tokens: generation.tokens,
                start_ticks: generation.start_ticks,
                prefill_ticks: generation.prefill_ticks,
                end_ticks: generation.end_ticks,
                digest: generation.digest.0,
                cycles: generation.counters.0,
                instructions: generation.counters.1,
            };
            self.send(board, to, &Reply::End(end));
            return true;
        }
        generation.advance(&engine, board, &mut self.ring);
        self.generation = Some(generation);
        true
    }

    /// Whether [`Agent::step`] waits for the clock although it has nothing to do.
    pub fn waits_for_clock(&self) -> bool {
        self.trial.is_some()
    }

    fn busy(&self) -> bool {
        self.generation.is_some_and(|generation| !matches!(generation.phase, Phase::Ended(_)))
    }

    fn known(&self, request: u32) -> Option<Generation> {
        self.generation.filter(|generation| generation.request == request)
    }

    fn unknown(&mut self, board: &mut impl Board, to: u16, request: u32) {
        self.fail(board, to, ErrorCode::UNKNOWN_REQUEST, request, &"no such request");
    }

    fn generate(&mut self, board: &mut impl Board, to: u16, command: Command<'_>, ticks: u64) {
        let Command::Generate {
            request,
            max_tokens,
            ignore_eos,
            token_ids,
            add_bos,
            temperature_milli,
            seed,
            prompt,
        } = command
        else {
            return;
        };
        if let Some(mut same) = self.known(request) {
            // A repeated command starts nothing; only its answer was lost.
            same.end_sent = false;
            self.generation = Some(same);
            return self.started(board, to, &same);
        }
        if self.busy() || self.upload.is_some() {
            return self.fail(board, to, ErrorCode::BUSY, 0, &"another request or upload runs");
        }
        let Some(engine) = self.engine else { return self.no_model(board, to) };
        let (model, arena) = board.workspace();
        let counted = if token_ids {
            let (ids, rest) = prompt.as_chunks::<4>();
            match rest {
                [] => engine.take_tokens(arena, ids.iter().map(|id| u32::from_le_bytes(*id))),
                _ => Err(PromptError::Empty),
            }
        } else {
            engine.tokenize(model, arena, prompt, add_bos)
        };
        let prompt_tokens = match counted {
            Ok(0) => Err(PromptError::Empty),
            Ok(count) => u16::try_from(count).map_err(|_| PromptError::TooLong),
            Err(error) => Err(error),
        };
        let prompt_tokens = match prompt_tokens {
            Ok(count) => count,
            Err(error) => return self.fail(board, to, ErrorCode::BAD_PROMPT, 0, &error),
        };
        let generation = Generation {
            request,
            command: to,
            prompt_tokens,
            tokens: 0,
            max_tokens,
            ignore_eos,
            sampler: Sampler::new(temperature_milli, seed),
            digest: Digest::default(),
            phase: Phase::Prompt,
            position: 0,
            start_ticks: ticks,
            prefill_ticks: ticks,
            end_ticks: ticks,
            counters: board.counters(),
            cursor: 0,
            end_sent: false,
        };
        self.generation = Some(generation);
        self.started(board, to, &generation);
    }

    fn started(&mut self, board: &mut impl Board, to: u16, generation: &Generation) {
        let Generation { request, start_ticks, prompt_tokens, .. } = *generation;
        self.send(board, to, &Reply::Started { request, ticks: start_ticks, prompt_tokens });
    }

    fn resume(&mut self, board: &mut impl Board, to: u16, request: u32, from: u16) {
        let Some(mut generation) = self.known(request) else {
            return self.unknown(board, to, request);
        };
        let oldest = generation.oldest();
        if from < oldest {
            let text = "those records were overwritten; value is the oldest left";
            return self.fail(board, to, ErrorCode::RING_LOST, oldest.into(), &text);
        }
        generation.cursor = from.min(generation.tokens);
        generation.end_sent = false;
        self.generation = Some(generation);
        self.send(board, to, &Reply::Acknowledge { value: from.into() });
    }

    fn memory(&mut self, board: &mut impl Board, to: u16) {
        let known = board.memory();
        let (ram, flash) = (board.identity().ram_bytes, board.identity().flash_bytes);
        let (model, arena) = board.workspace();
        let (model_bytes, arena_bytes) = (model.len() as u32, 4 * arena.len() as u32);
        let engine = self.engine.as_ref();
        let record = MemoryRecord {
            static_bytes: known.static_bytes,
            stack_high_water_bytes: known.stack_high_water_bytes,
            arena_used_bytes: Some(engine.map_or(0, |e| 4 * e.layout().words() as u32)),
            arena_bytes: Some(arena_bytes),
            kv_bytes: Some(engine.map_or(0, |e| e.layout().usage().key_value_cache as u32)),
            model_bytes: Some(model_bytes),
            flash_used_bytes: known.flash_used_bytes,
            ram_bytes: (ram != 0).then_some(ram),
            flash_bytes: (flash != 0).then_some(flash),
        };
        self.send(board, to, &Reply::Memory(record));
    }

    fn set_baud(&mut self, board: &mut impl Board, to: u16, rate: u32, token: u32) {
        if !board.identity().baud_rates.contains(&rate) {
            let text = "not among the rates of the hello";
            return self.fail(board, to, ErrorCode::UNSUPPORTED, rate, &text);
        }
        self.send(board, to, &Reply::BaudOffer { rate, token });
        let previous = self.trial.map_or(self.baud, |trial| trial.previous);
        if board.set_baud(rate) {
            let wait = u64::from(board.identity().clock_hz) * BAUD_FALLBACK_MS / 1000;
            let deadline = board.ticks().saturating_add(wait);
            self.trial = Some(BaudTrial { rate, token, previous, deadline });
        }
    }

    fn confirm_baud(&mut self, board: &mut impl Board, to: u16, token: u32) {
        if let Some(trial) = self.trial.filter(|trial| trial.token == token) {
            self.trial = None;
            self.baud = trial.rate;
            self.kept = Some((trial.rate, token));
        }
        match self.kept.filter(|kept| kept.1 == token) {
            Some((rate, token)) => self.send(board, to, &Reply::BaudKept { rate, token }),
            None => {
                self.fail(board, to, ErrorCode::UNKNOWN_REQUEST, token, &"no such baud change");
            }
        }
    }

    fn begin(&mut self, board: &mut impl Board, to: u16, length: u32, sha256: [u8; 32]) {
        if self.busy() {
            return self.fail(board, to, ErrorCode::BUSY, 0, &"a request runs");
        }
        let length = length as usize;
        let same = |upload: &Upload| upload.length == length && upload.sha256 == sha256;
        if let Some(upload) = self.upload.filter(same) {
            return self.send(board, to, &Reply::Acknowledge { value: upload.next as u32 });
        }
        (self.engine, self.load_error, self.generation, self.upload) = (None, None, None, None);
        if !board.begin_model(length) {
            let text = "no room for a model of this size";
            return self.fail(board, to, ErrorCode::TOO_LARGE, length as u32, &text);
        }
        self.upload = Some(Upload { length, sha256, next: 0 });
        self.send(board, to, &Reply::Acknowledge { value: 0 });
    }

    fn chunk(&mut self, board: &mut impl Board, to: u16, offset: usize, data: &[u8]) {
        let Some(mut upload) = self.upload else {
            return self.fail(board, to, ErrorCode::UNKNOWN_REQUEST, 0, &"no upload has begun");
        };
        let end = offset.saturating_add(data.len());
        if end > upload.length {
            let text = "the chunk ends behind the announced length";
            return self.fail(board, to, ErrorCode::TOO_LARGE, end as u32, &text);
        }
        // Anything but the next chunk is answered by where to go on.
        if offset == upload.next {
            if !board.write_model(offset, data) {
                self.upload = None;
                let text = "the model store failed";
                return self.fail(board, to, ErrorCode::WRITE_FAILED, offset as u32, &text);
            }
            upload.next = end;
            self.upload = Some(upload);
        }
        self.send(board, to, &Reply::Acknowledge { value: upload.next as u32 });
    }

    fn finish(&mut self, board: &mut impl Board, to: u16) {
        if let Some(upload) = self.upload {
            if upload.next != upload.length {
                let next = upload.next as u32;
                return self.fail(board, to, ErrorCode::MALFORMED, next, &"chunks are missing");
            }
            self.upload = None;
            // Of what was stored, not of what was received: bad flash shows too.
            let stored: [u8; 32] = Sha256::digest(board.workspace().0).into();
            if stored != upload.sha256 {
                board.begin_model(0);
                let text = "the stored model differs from the announced hash";
                return self.fail(board, to, ErrorCode::HASH_MISMATCH, 0, &text);
            }
            self.load(board);
        }
        self.model(board, to);
    }

    fn model(&mut self, board: &mut impl Board, to: u16) {
        let Some(engine) = self.engine else { return self.no_model(board, to) };
        let config = engine.config();
        let mut name = [0; 64];
        let model = board.workspace().0;
        let mut length = 0;
        if let Ok(file) = File::parse(model)
            && let Some(Value::String(text)) = file.get("general.name")
        {
            length = text.len().min(name.len());
            name[..length].copy_from_slice(&text[..length]);
        }
        let record = ModelRecord {
            parameters: engine.parameters(),
            vocabulary: config.vocabulary as u32,
            context: config.context as u32,
            layers: config.layers as u32,
            dimension: config.dimension as u32,
            quantisation: engine.quantisation() as u32,
            model_bytes: engine.model_bytes() as u32,
            arena_bytes: 4 * engine.layout().words() as u32,
            name: &name[..length],
        };
        self.send(board, to, &Reply::Model(record));
    }

    fn no_model(&mut self, board: &mut impl Board, to: u16) {
        match self.load_error {
            Some(error @ FileError::OutOfMemory { needed, .. }) => {
                let needed = u32::try_from(needed).unwrap_or(u32::MAX);
                self.fail(board, to, ErrorCode::OUT_OF_MEMORY, needed, &error);
            }
            Some(error) => self.fail(board, to, ErrorCode::BAD_MODEL, 0, &error),
            None => self.fail(board, to, ErrorCode::NO_MODEL, 0, &"no model is stored"),
        }
    }

    fn hello(&mut self, board: &mut impl Board, to: u16) {
        let identity = board.identity();
        let mut rates = [0; 64];
        let mut w = Writer::new(&mut rates);
        identity.baud_rates.iter().take(16).for_each(|rate| {
            w.u32(*rate);
        });
        let length = w.used();
        let (mut board_name, mut firmware) = ([0; 48], [0; 48]);
        let cut = |from: &str, to: &mut [u8; 48]| {
            let length = from.len().min(to.len());
            to[..length].copy_from_slice(&from.as_bytes()[..length]);
            length
        };
        let board_length = cut(identity.board, &mut board_name);
        let firmware_length = cut(identity.firmware, &mut firmware);
        let reply = Reply::Hello {
            protocol: VERSION,
            clock_bits: identity.clock_bits,
            boot_id: identity.boot_id,
            clock_hz: identity.clock_hz,
            ram_bytes: identity.ram_bytes,
            flash_bytes: identity.flash_bytes,
            capabilities: identity.capabilities
                | if rates[..length].is_empty() { 0 } else { capability::BAUD },
            ring_records: RING as u16,
            baud_rates: &rates[..length],
            board: &board_name[..board_length],
            firmware: &firmware[..firmware_length],
        };
        self.send(board, to, &reply);
    }

    fn say(&mut self, board: &mut impl Board, to: u16, level: u8, text: &dyn Display) {
        let mut buffer = [0; 160];
        let length = format(&mut buffer, text);
        self.send(board, to, &Reply::Log { level, text: &buffer[..length] });
    }

    fn fail(
        &mut self,
        board: &mut impl Board,
        to: u16,
        code: ErrorCode,
        value: u32,
        text: &dyn Display,
    ) {
        let mut buffer = [0; 160];
        let length = format(&mut buffer, text);
        self.send(board, to, &Reply::Error { code, value, text: &buffer[..length] });
    }

    fn send(&mut self, board: &mut impl Board, reply_to: u16, reply: &Reply<'_>) {
        let mut payload = [0; 320];
        let length = reply.encode(&mut payload);
        let header = Header { kind: reply.kind(), sequence: self.sequence, reply_to };
        self.sequence = self.sequence.wrapping_add(1);
        let mut wire = [0; 352];
        // Replies are at most 320 bytes long, so that they always fit.
        if let Some(length) = encode(header, &payload[..length], &mut wire) {
            board.send(&wire[..length]);
        }
    }
}

fn format(buffer: &mut [u8], text: &dyn Display) -> usize {
    let mut w = Writer::new(buffer);
    // The writer cuts instead of failing.
    let _ = write!(w, "{text}");
    w.used()
}
