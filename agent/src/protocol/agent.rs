//! The device's side: commands in, records out, one token per step.

use core::fmt::{Display, Write};

use super::Malformed;
use super::baud::BaudTrial;
use super::board::Board;
use super::command::Command;
use super::error_code::ErrorCode;
use super::frame::{Decoder, FrameError, Header, MAX_ENCODED, MAX_PAYLOAD, encode};
use super::generation::{Generation, Phase, RING, Record};
use super::record::EndRecord;
use super::reply::Reply;
use super::upload::Upload;
use super::wire::Writer;
use crate::engine::{Digest, Engine, PromptError, Sampler};
use crate::gguf::{File, FileError};

/// Contexts are halved to fit the memory, down to this.
const SMALLEST_CONTEXT: usize = 16;

/// A device's state machine. The caller feeds it bytes and calls [`Agent::step`] until it
/// has nothing to do.
#[derive(Clone, Debug)]
pub struct Agent {
    pub(super) decoder: Decoder<MAX_ENCODED>,
    pub(super) sequence: u16,
    pub(super) engine: Option<Engine>,
    pub(super) load_error: Option<FileError>,
    pub(super) ring: [Record; RING],
    pub(super) generation: Option<Generation>,
    pub(super) upload: Option<Upload>,
    pub(super) baud: u32,
    pub(super) trial: Option<BaudTrial>,
    pub(super) kept: Option<(u32, u32)>,
    pub(super) power_records: u32,
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

    pub(super) fn load(&mut self, board: &mut impl Board) {
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

    pub(super) fn busy(&self) -> bool {
        self.generation.is_some_and(|generation| !matches!(generation.phase, Phase::Ended(_)))
    }

    pub(super) fn known(&self, request: u32) -> Option<Generation> {
        self.generation.filter(|generation| generation.request == request)
    }

    pub(super) fn unknown(&mut self, board: &mut impl Board, to: u16, request: u32) {
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

    pub(super) fn say(&mut self, board: &mut impl Board, to: u16, level: u8, text: &dyn Display) {
        let mut buffer = [0; 160];
        let length = format(&mut buffer, text);
        self.send(board, to, &Reply::Log { level, text: &buffer[..length] });
    }

    pub(super) fn fail(
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

    pub(super) fn send(&mut self, board: &mut impl Board, reply_to: u16, reply: &Reply<'_>) {
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
