use proptest::prelude::*;

use super::*;
use crate::fixture::tiny;

/// A device in memory whose clock moves by one at every look.
struct Bench {
    model: Vec<u8>,
    arena: Vec<u32>,
    wire: Vec<u8>,
    now: u64,
    baud: u32,
    room: usize,
}

impl Bench {
    fn new(model: Vec<u8>) -> Self {
        Self { model, arena: vec![0; 60_000], wire: vec![], now: 0, baud: 115_200, room: 1 << 20 }
    }
}

impl Board for Bench {
    fn identity(&self) -> Identity<'_> {
        Identity {
            boot_id: 7,
            clock_hz: 1000,
            clock_bits: 64,
            ram_bytes: 1,
            flash_bytes: 2,
            capabilities: 0,
            baud_rates: &[115_200, 921_600],
            board: "bench",
            firmware: "test",
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
    fn set_baud(&mut self, rate: u32) -> bool {
        self.baud = rate;
        true
    }
    fn begin_model(&mut self, length: usize) -> bool {
        self.model.clear();
        self.model.resize(length.min(self.room), 0);
        length <= self.room
    }
    fn write_model(&mut self, offset: usize, bytes: &[u8]) -> bool {
        self.model[offset..offset + bytes.len()].copy_from_slice(bytes);
        true
    }
}

struct Rig {
    agent: Agent,
    board: Bench,
    sequence: u16,
}

impl Rig {
    fn new(model: Vec<u8>) -> Self {
        let mut rig = Self { agent: Agent::new(115_200), board: Bench::new(model), sequence: 0 };
        rig.agent.boot(&mut rig.board);
        rig.board.wire.clear();
        rig
    }

    fn ask(&mut self, command: Command<'_>) -> Vec<String> {
        self.tell(command);
        while self.agent.step(&mut self.board) {}
        self.replies()
    }

    fn tell(&mut self, command: Command<'_>) {
        self.sequence += 1;
        let mut payload = [0; MAX_PAYLOAD];
        let length = command.encode(&mut payload);
        let header = Header { kind: command.kind(), sequence: self.sequence, reply_to: 0 };
        let mut wire = [0; MAX_ENCODED + 2];
        let used = encode(header, &payload[..length], &mut wire).unwrap();
        self.agent.receive(&mut self.board, &wire[..used]);
    }

    fn replies(&mut self) -> Vec<String> {
        let mut decoder = Decoder::<MAX_ENCODED>::new();
        let wire = std::mem::take(&mut self.board.wire);
        let mut found = vec![];
        for byte in wire {
            if let Some(frame) = decoder.push(byte) {
                let (header, payload) = frame.unwrap();
                let reply = Reply::decode(header.kind, payload).unwrap().unwrap();
                found.push(format!("{reply:?}"));
            }
        }
        found
    }
}

fn generate(request: u32, max_tokens: u16) -> Command<'static> {
    Command::Generate {
        request,
        max_tokens,
        ignore_eos: true,
        token_ids: false,
        add_bos: true,
        temperature_milli: 0,
        seed: 0,
        prompt: b"the",
    }
}

#[test]
fn a_generation_streams_its_tokens_and_its_account() {
    let mut rig = Rig::new(tiny(8, 1));
    let replies = rig.ask(generate(5, 6));
    assert!(replies[0].starts_with("Started { request: 5, ticks:"), "{}", replies[0]);
    assert_eq!(replies.len(), 8);
    for (index, reply) in replies[1..7].iter().enumerate() {
        assert!(reply.starts_with(&format!("Token {{ request: 5, index: {index}, ")), "{reply}");
    }
    assert!(replies[7].contains("reason: Length, prompt_tokens: 2, tokens: 6"), "{}", replies[7]);
}

#[test]
fn a_repeated_command_starts_nothing_and_repeats_the_answer() {
    let mut rig = Rig::new(tiny(8, 1));
    let first = rig.ask(generate(5, 3));
    let again = rig.ask(generate(5, 3));
    assert_eq!([&first[0], &first[4]], [&again[0], &again[1]]);
}

#[test]
fn resuming_repeats_records_bit_by_bit() {
    let mut rig = Rig::new(tiny(8, 1));
    let first = rig.ask(generate(5, 6));
    let again = rig.ask(Command::Resume { request: 5, from: 2 });
    assert_eq!(again[0], "Acknowledge { value: 2 }");
    assert_eq!(again[1..], first[3..]);
    assert!(rig.ask(Command::Resume { request: 6, from: 0 })[0].contains("ErrorCode(10)"));
}

#[test]
fn pings_are_answered_between_tokens() {
    let mut rig = Rig::new(tiny(8, 1));
    rig.tell(generate(5, 6));
    for _ in 0..5 {
        rig.agent.step(&mut rig.board);
    }
    rig.tell(Command::Ping { nonce: 99 });
    rig.agent.step(&mut rig.board);
    let replies = rig.replies();
    let pong = replies.iter().position(|reply| reply.starts_with("Pong { nonce: 99")).unwrap();
    assert!(pong > 1 && pong < replies.len());
}

#[test]
fn the_context_ends_a_text_and_a_second_request_has_to_wait() {
    let mut rig = Rig::new(tiny(8, 1));
    rig.tell(generate(1, 1000));
    rig.agent.step(&mut rig.board);
    rig.tell(generate(2, 1));
    assert!(rig.replies()[1].contains("ErrorCode(4)"));
    rig.tell(Command::Cancel { request: 1 });
    while rig.agent.step(&mut rig.board) {}
    assert!(rig.replies().last().unwrap().contains("Cancelled"));
    let replies = rig.ask(generate(3, 1000));
    assert!(replies.last().unwrap().contains("reason: Context, prompt_tokens: 2, tokens: 47"));
}

#[test]
fn an_unconfirmed_baud_rate_falls_back() {
    let mut rig = Rig::new(tiny(8, 1));
    let offer = rig.ask(Command::SetBaud { rate: 921_600, token: 3 });
    assert_eq!(offer, ["BaudOffer { rate: 921600, token: 3 }"]);
    assert_eq!(rig.board.baud, 921_600);
    rig.board.now += BAUD_FALLBACK_MS;
    rig.agent.step(&mut rig.board);
    assert_eq!(rig.board.baud, 115_200);
    rig.ask(Command::SetBaud { rate: 921_600, token: 4 });
    let kept = rig.ask(Command::ConfirmBaud { token: 4 });
    assert_eq!(kept, ["BaudKept { rate: 921600, token: 4 }"]);
    rig.board.now += BAUD_FALLBACK_MS;
    rig.agent.step(&mut rig.board);
    assert_eq!(rig.board.baud, 921_600);
    assert!(rig.ask(Command::SetBaud { rate: 1, token: 5 })[0].contains("ErrorCode(11)"));
}

#[test]
fn models_are_uploaded_in_order_and_checked() {
    use sha2::{Digest, Sha256};
    let model = tiny(2, 9);
    let sha256: [u8; 32] = Sha256::digest(&model).into();
    let mut rig = Rig::new(vec![]);
    assert!(rig.ask(generate(1, 1))[0].contains("ErrorCode(5)"));
    let length = model.len() as u32;
    rig.ask(Command::ModelBegin { length, sha256 });
    let late = rig.ask(Command::ModelChunk { offset: 512, data: &model[512..1024] });
    assert_eq!(late, ["Acknowledge { value: 0 }"]);
    for offset in (0..model.len()).step_by(512) {
        let data = &model[offset..model.len().min(offset + 512)];
        rig.ask(Command::ModelChunk { offset: offset as u32, data });
    }
    assert!(rig.ask(Command::ModelEnd)[0].starts_with("Model(ModelRecord { parameters:"));
    assert!(rig.ask(generate(2, 2)).last().unwrap().contains("tokens: 2"));

    rig.ask(Command::ModelBegin { length: 4, sha256 });
    rig.ask(Command::ModelChunk { offset: 0, data: b"GGUF" });
    assert!(rig.ask(Command::ModelEnd)[0].contains("ErrorCode(13)"));
    let length = 1 << 21;
    assert!(rig.ask(Command::ModelBegin { length, sha256 })[0].contains("ErrorCode(12)"));
}

#[test]
fn too_little_memory_is_said_with_the_amount() {
    let mut rig = Rig::new(vec![]);
    rig.board.model = tiny(8, 1);
    rig.board.arena.truncate(2000);
    rig.agent.boot(&mut rig.board);
    rig.replies();
    let reply = &rig.ask(generate(1, 1))[0];
    assert!(reply.contains("ErrorCode(7)"), "{reply}");
}

#[test]
fn a_person_with_a_terminal_gets_a_name() {
    let mut rig = Rig::new(tiny(8, 1));
    rig.agent.receive(&mut rig.board, b"name%");
    assert!(rig.board.wire.starts_with(b"m-name-dut-["));
}

proptest! {
    #[test]
    fn frames_survive_the_wire(
        payload in prop::collection::vec(prop_oneof![Just(0_u8), any::<u8>()], 0..=MAX_PAYLOAD),
        kind: u8, sequence: u16, reply_to: u16,
        noise in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let header = Header { kind, sequence, reply_to };
        let mut wire = [0; MAX_ENCODED + 2];
        let used = encode(header, &payload, &mut wire).unwrap();
        prop_assert!(wire[1..used - 1].iter().all(|byte| *byte != 0));
        let mut decoder = Decoder::<MAX_ENCODED>::new();
        for byte in noise {
            let _ = decoder.push(byte);
        }
        let mut found = None;
        for byte in &wire[..used] {
            if let Some(Ok((header, body))) = decoder.push(*byte) {
                found = Some((header, body.to_vec()));
            }
        }
        prop_assert_eq!(found, Some((header, payload)));
    }

    #[test]
    fn one_flipped_bit_never_passes(
        payload in prop::collection::vec(any::<u8>(), 0..200), at: prop::sample::Index, bit in 0_u8..8,
    ) {
        let header = Header { kind: 0x84, sequence: 1, reply_to: 2 };
        let mut wire = [0; MAX_ENCODED + 2];
        let used = encode(header, &payload, &mut wire).unwrap();
        wire[at.index(used)] ^= 1 << bit;
        let mut decoder = Decoder::<MAX_ENCODED>::new();
        for byte in &wire[..used] {
            if let Some(Ok((_, body))) = decoder.push(*byte) {
                // Only the zeros around the frame may change without harm.
                prop_assert_eq!(body, &payload[..]);
            }
        }
    }

    #[test]
    fn a_device_survives_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let mut rig = Rig::new(vec![]);
        rig.agent.receive(&mut rig.board, &bytes);
        prop_assert!(!rig.agent.step(&mut rig.board));
    }

    #[test]
    fn a_device_answers_any_sound_frame(
        kind: u8, payload in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let mut rig = Rig::new(tiny(8, 1));
        let mut wire = [0; MAX_ENCODED + 2];
        let header = Header { kind, sequence: 9, reply_to: 0 };
        let used = encode(header, &payload, &mut wire).unwrap();
        rig.agent.receive(&mut rig.board, &wire[..used]);
        for _ in 0..5 {
            rig.agent.step(&mut rig.board);
        }
        prop_assert!(!rig.replies().is_empty());
    }

    #[test]
    fn any_payload_decodes_or_is_refused(
        kind: u8, payload in prop::collection::vec(any::<u8>(), 0..120),
    ) {
        let mut out = [0; MAX_PAYLOAD];
        if let Some(Ok(command)) = Command::decode(kind, &payload) {
            let length = command.encode(&mut out);
            prop_assert_eq!(Command::decode(kind, &out[..length]), Some(Ok(command)));
        }
        let mut out = [0; MAX_PAYLOAD];
        if let Some(Ok(reply)) = Reply::decode(kind, &payload) {
            let length = reply.encode(&mut out);
            prop_assert_eq!(Reply::decode(kind, &out[..length]), Some(Ok(reply)));
        }
    }
}
