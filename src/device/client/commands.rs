//! What the caller asks for.

use holdfast_agent::protocol::{Command, Header, MAX_ENCODED, MAX_PAYLOAD, encode};
use sha2::{Digest as _, Sha256};

use super::{CONFIRM_TIMEOUT, Client, Pending, Stream, Upload};

/// Longest prompt in bytes: a payload less the other fields.
pub const MAX_PROMPT: usize = MAX_PAYLOAD - 13;
const CHUNK: usize = 1000;

/// Text, or token ids.
#[derive(Clone, Copy, Debug)]
pub enum Prompt<'a> {
    /// The device tokenizes it.
    Text(&'a str),
    /// Taken as they are.
    Ids(&'a [u32]),
}

/// How to continue a prompt.
#[derive(Clone, Copy, Debug)]
pub struct Generation<'a> {
    /// The caller's id, never reused within one boot of the device.
    pub request: u32,
    /// What to continue.
    pub prompt: Prompt<'a>,
    /// Tokens at most.
    pub max_tokens: u16,
    /// Thousandths; zero takes the likeliest token.
    pub temperature_milli: u16,
    /// Seed of the device's sampler.
    pub seed: u32,
    /// Go on when the model ends the text.
    pub ignore_eos: bool,
    /// Begin with the vocabulary's first token.
    pub add_bos: bool,
}

impl Client {
    pub(super) fn ask(&mut self, command: &Command<'_>, now: u64, request: Option<u32>) -> u16 {
        // Zero means "no command" in a reply.
        self.sequence = self.sequence.checked_add(1).unwrap_or(1);
        let mut payload = [0; MAX_PAYLOAD];
        let length = command.encode(&mut payload);
        let header = Header { kind: command.kind(), sequence: self.sequence, reply_to: 0 };
        let mut wire = [0; MAX_ENCODED + 2];
        let used = encode(header, &payload[..length], &mut wire).unwrap_or(0);
        let frame = wire[..used].to_vec();
        self.out.extend_from_slice(&frame);
        self.statistics.frames_out += 1;
        let confirm = matches!(command, Command::ConfirmBaud { .. });
        let timeout = if confirm { CONFIRM_TIMEOUT } else { self.settings.reply_timeout };
        self.pending.push(Pending {
            sequence: self.sequence,
            kind: command.kind(),
            frame,
            timeout,
            deadline: now.saturating_add(timeout),
            attempts_left: self.settings.attempts.saturating_sub(1),
            first_sent: now,
            request,
        });
        self.sequence
    }

    /// Who is there?
    pub fn hello(&mut self, now: u64) -> u16 {
        self.ask(&Command::Hello, now, None)
    }

    /// Answered between two tokens while a request runs.
    pub fn ping(&mut self, now: u64) -> u16 {
        self.ask(&Command::Ping { nonce: now }, now, None)
    }

    /// Starts a generation; `None` if the prompt exceeds [`MAX_PROMPT`].
    pub fn generate(&mut self, generation: &Generation<'_>, now: u64) -> Option<u16> {
        let bytes: Vec<u8> = match generation.prompt {
            Prompt::Text(text) => text.as_bytes().to_vec(),
            Prompt::Ids(ids) => ids.iter().flat_map(|id| id.to_le_bytes()).collect(),
        };
        if bytes.len() > MAX_PROMPT {
            return None;
        }
        let command = Command::Generate {
            request: generation.request,
            max_tokens: generation.max_tokens,
            ignore_eos: generation.ignore_eos,
            token_ids: matches!(generation.prompt, Prompt::Ids(_)),
            add_bos: generation.add_bos,
            temperature_milli: generation.temperature_milli,
            seed: generation.seed,
            prompt: &bytes,
        };
        self.streams.insert(generation.request, Stream::new(now));
        Some(self.ask(&command, now, Some(generation.request)))
    }

    /// Ends a generation; its account still comes.
    pub fn cancel(&mut self, request: u32, now: u64) -> u16 {
        self.ask(&Command::Cancel { request }, now, None)
    }

    /// Asks for the records of a request again, from one on.
    pub fn resume(&mut self, request: u32, from: u16, now: u64) -> u16 {
        self.statistics.resumes += 1;
        self.streams.entry(request).or_insert_with(|| {
            let mut stream = Stream::new(now);
            stream.next = from;
            stream.accepted = true;
            stream.started = true;
            stream
        });
        self.ask(&Command::Resume { request, from }, now, Some(request))
    }

    /// Stops waiting for a request's records.
    pub fn forget(&mut self, request: u32) {
        self.streams.remove(&request);
        self.pending.retain(|pending| pending.request != Some(request));
    }

    /// Where memory goes.
    pub fn memory(&mut self, now: u64) -> u16 {
        self.ask(&Command::Memory, now, None)
    }

    /// One reading of the power meter.
    pub fn power(&mut self, now: u64) -> u16 {
        self.ask(&Command::Power, now, None)
    }

    /// Which model runs.
    pub fn model_info(&mut self, now: u64) -> u16 {
        self.ask(&Command::ModelInfo, now, None)
    }

    /// Starts the device anew.
    pub fn reboot(&mut self, now: u64) -> u16 {
        self.ask(&Command::Reboot, now, None)
    }

    /// Sends a model with its hash, chunk by chunk.
    pub fn upload(&mut self, model: Vec<u8>, now: u64) -> u16 {
        let sha256 = Sha256::digest(&model).into();
        let length = u32::try_from(model.len()).unwrap_or(u32::MAX);
        self.upload = Some(Upload { model });
        self.ask(&Command::ModelBegin { length, sha256 }, now, None)
    }

    /// Sends the chunk at `offset`, or the end.
    pub(super) fn upload_from(&mut self, offset: usize, now: u64) {
        let Some(upload) = self.upload.take() else { return };
        if offset >= upload.model.len() {
            self.ask(&Command::ModelEnd, now, None);
        } else {
            let data = &upload.model[offset..upload.model.len().min(offset + CHUNK)];
            self.ask(&Command::ModelChunk { offset: offset as u32, data }, now, None);
        }
        self.upload = Some(upload);
    }

    /// Proposes a baud rate. The event that answers says when to change the port.
    pub fn set_baud(&mut self, rate: u32, now: u64) -> u16 {
        self.baud_token = self.baud_token.wrapping_add(1);
        self.ask(&Command::SetBaud { rate, token: self.baud_token }, now, None)
    }

    /// The port runs at the new rate.
    pub fn baud_switched(&mut self, now: u64) -> u16 {
        self.ask(&Command::ConfirmBaud { token: self.baud_token }, now, None)
    }

    /// The link was opened again: half a frame is gone for good, everything else goes on.
    pub fn reconnected(&mut self, now: u64) {
        self.decoder.clear();
        self.out.clear();
        self.next_frame = None;
        // What was asked over the old link for its own sake is of no use on the new one.
        self.pending.retain(|pending| !matches!(pending.kind, 0x01 | 0x02 | 0x04));
        self.hello(now);
        for index in 0..self.pending.len() {
            let again = matches!(self.pending[index].kind, 0x03 | 0x05 | 0x0a..=0x0c);
            if again {
                self.pending[index].deadline = now.saturating_add(self.pending[index].timeout);
                self.pending[index].attempts_left = self.settings.attempts.saturating_sub(1);
                self.out.extend_from_slice(&self.pending[index].frame);
                self.statistics.repeated_commands += 1;
            }
        }
        let running: Vec<_> = self.streams.iter().map(|(id, s)| (*id, s.next)).collect();
        for (request, next) in running {
            if !self.is_asked(request) {
                self.resume(request, next, now);
            }
        }
    }
}
