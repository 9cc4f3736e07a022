//! Throws damaged models and damaged frames at the agent until the time is up.
//!
//! ```console
//! cargo run --release -p holdfast-agent --features fixture --example fuzz -- 3600 [seed]
//! ```
//!
//! A panic ends it with the seed of the input; the last line says how much was tried and
//! which input took longest.

#![allow(clippy::print_stdout)] // it is a program

use std::time::{Duration, Instant};

use holdfast_agent::engine::{Engine, Plain};
use holdfast_agent::fixture::tiny;
use holdfast_agent::gguf::File;
use holdfast_agent::protocol::{
    Agent, Board, Command, Decoder, Header, Identity, MAX_ENCODED, Reply, capability, encode,
};

struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let x = (self.0 >> 32) ^ self.0;
        x.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 8
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// Changes `bytes` in a few places: bits, numbers at their limits, pieces moved or lost.
    fn harm(&mut self, bytes: &mut Vec<u8>, front: usize) {
        for _ in 0..=self.below(4) {
            // Most of what can be wrong in a model stands at its front.
            let region = if self.below(4) > 0 { front.min(bytes.len()) } else { bytes.len() };
            let at = self.below(region);
            match self.below(6) {
                0 => bytes.truncate(at),
                1 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                2 if at + 8 <= bytes.len() => {
                    let limits = [0, 1, u64::MAX, 1 << 63, 0xffff_ffff, 1 << 31, 1 << 20];
                    let value = limits[self.below(limits.len())].wrapping_add(self.next() % 3);
                    let length = if self.below(2) == 0 { 4 } else { 8 };
                    bytes[at..at + length].copy_from_slice(&value.to_le_bytes()[..length]);
                }
                3 => {
                    let length = self.below(64).min(bytes.len() - at);
                    let piece = bytes[at..at + length].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, piece);
                }
                4 => drop(bytes.splice(at..(at + self.below(16)).min(bytes.len()), [])),
                _ => bytes.insert(at, self.next() as u8),
            }
        }
    }
}

#[derive(Default)]
struct Bench {
    model: Vec<u8>,
    arena: Vec<u32>,
    wire: Vec<u8>,
    now: u64,
}

impl Board for Bench {
    fn identity(&self) -> Identity<'_> {
        Identity {
            boot_id: 1,
            clock_hz: 1000,
            clock_bits: 32,
            ram_bytes: 0,
            flash_bytes: 0,
            capabilities: capability::UPLOAD,
            baud_rates: &[115_200],
            board: "bench",
            firmware: "fuzz",
        }
    }
    fn ticks(&mut self) -> u64 {
        self.now += 1;
        self.now
    }
    fn send(&mut self, bytes: &[u8]) {
        self.wire.extend(bytes);
    }
    fn workspace(&mut self) -> (&[u8], &mut [u32]) {
        (&self.model, &mut self.arena)
    }
    fn set_baud(&mut self, _rate: u32) -> bool {
        true
    }
    fn begin_model(&mut self, length: usize) -> bool {
        self.model.clear();
        length < 1 << 20
    }
    fn write_model(&mut self, offset: usize, bytes: &[u8]) -> bool {
        self.model.resize(offset, 0);
        self.model.extend(bytes);
        true
    }
}

/// A damaged model: an error, or an engine that works.
fn model(chance: &mut Chance) {
    let mut model = tiny([8, 2, 0, 1][chance.below(4)], chance.next() % 4);
    chance.harm(&mut model, 9000);
    if let Ok(file) = File::parse(&model) {
        for tensor in file.tensors().filter_map(Result::ok) {
            std::hint::black_box(tensor.byte_count(model.len()));
        }
    }
    let Ok(layout) = Engine::plan(&model, Some(8)) else { return };
    // What a file can make us ask for is bounded; only small ones are tried.
    if layout.words() > 1 << 22 {
        return;
    }
    let mut arena = vec![0; layout.words()];
    if let Ok(engine) = Engine::load(&model, Some(8), &mut arena) {
        let _ = engine.tokenize(&model, &mut arena, b"the \xff the a", true);
        engine.forward(Plain, &model, &mut arena, 0, 0, true);
        let mut piece = [0; 8];
        for id in 0..engine.config().vocabulary.min(300) as u32 {
            engine.piece(&model, &mut arena, id, &mut piece);
        }
    }
}

/// Frames, sound or damaged, with payloads of any content.
fn frames(chance: &mut Chance, agent: &mut Agent, board: &mut Bench) {
    let mut stream = Vec::new();
    for sequence in 0..=chance.below(6) {
        let mut payload = [0; 1024];
        let mut length = chance.below(64);
        payload[..length].fill_with(|| chance.next() as u8);
        let mut kind = chance.next() as u8 % 20;
        if chance.below(2) == 0 {
            let prompt = b"the the \xe9 a";
            let command = Command::Generate {
                request: chance.below(3) as u32,
                max_tokens: chance.below(40) as u16,
                ignore_eos: true,
                token_ids: chance.below(2) == 0,
                add_bos: true,
                temperature_milli: chance.below(3000) as u16,
                seed: 1,
                prompt: &prompt[..chance.below(prompt.len())],
            };
            (kind, length) = (command.kind(), command.encode(&mut payload));
        }
        let mut wire = [0; MAX_ENCODED + 2];
        let header = Header { kind, sequence: sequence as u16, reply_to: 0 };
        if let Some(length) = encode(header, &payload[..length], &mut wire) {
            stream.extend_from_slice(&wire[..length]);
        }
    }
    if chance.below(2) == 0 {
        chance.harm(&mut stream, usize::MAX);
    }
    agent.receive(board, &stream);
    for _ in 0..chance.below(60) {
        agent.step(board);
    }
    let mut decoder = Decoder::<MAX_ENCODED>::new();
    for byte in std::mem::take(&mut board.wire) {
        if let Some(frame) = decoder.push(byte) {
            let (header, payload) = frame.expect("a device sends sound frames");
            let reply = Reply::decode(header.kind, payload).expect("of known kinds");
            reply.expect("with whole payloads");
        }
    }
    // A host's reader takes what any device may send.
    for kind in 0x80..=0x90 {
        let _ = Reply::decode(kind, &stream[..stream.len().min(chance.below(80))]);
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|word| word.parse::<u64>());
    let seconds = arguments.next().and_then(Result::ok).unwrap_or(60);
    let first = arguments.next().and_then(Result::ok).unwrap_or(1);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut board = Bench { model: tiny(8, 1), arena: vec![0; 60_000], ..Bench::default() };
    let mut agent = Agent::new(115_200);
    agent.boot(&mut board);
    board.wire.clear();
    let (mut seed, mut slowest) = (first, (Duration::ZERO, 0));
    while Instant::now() < end {
        std::panic::set_hook(Box::new(move |panic| println!("seed {seed}: {panic}")));
        let (mut chance, start) = (Chance(seed.wrapping_mul(0x9e37_79b9)), Instant::now());
        if seed % 2 == 0 {
            model(&mut chance);
        } else {
            if agent.engine().is_none() {
                // An upload took its place.
                (board.model, agent) = (tiny(8, 1), Agent::new(115_200));
                agent.boot(&mut board);
                board.wire.clear();
            }
            frames(&mut chance, &mut agent, &mut board);
        }
        slowest = slowest.max((start.elapsed(), seed));
        seed += 1;
    }
    println!("{} inputs, slowest {:?} (seed {})", seed - first, slowest.0, slowest.1);
}
