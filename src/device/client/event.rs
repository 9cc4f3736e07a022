//! What a client tells its caller.

use holdfast_agent::protocol::{EndRecord, MemoryRecord};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // fields as in docs/protocol.md
pub enum Event {
    Hello {
        protocol: u8,
        boot_id: u32,
        clock_hz: u32,
        clock_bits: u8,
        ram_bytes: u32,
        flash_bytes: u32,
        capabilities: u32,
        ring_records: u16,
        baud_rates: Vec<u32>,
        board: String,
        firmware: String,
    },
    Reboot {
        boot_id: u32,
        previous_boot_id: u32,
        lost_requests: Vec<u32>,
    },
    Pong {
        sequence: u16,
        sent_ns: u64,
        repeated: bool,
        device_received: u64,
        device_sent: u64,
        boot_id: u32,
    },
    Started {
        request: u32,
        ticks: u64,
        prompt_tokens: u16,
    },
    Token {
        request: u32,
        index: u16,
        id: u32,
        ticks: u64,
        piece: Vec<u8>,
    },
    /// `digest_matches`: of the tokens delivered, against the device's own.
    End {
        record: EndRecord,
        digest_matches: bool,
    },
    Memory(MemoryRecord),
    Power {
        sequence: u32,
        ticks: u64,
        microwatts: u32,
    },
    Model {
        name: String,
        parameters: u64,
        vocabulary: u32,
        context: u32,
        layers: u32,
        dimension: u32,
        quantisation: u32,
        model_bytes: u32,
        arena_bytes: u32,
    },
    /// Of a cancellation or a reboot.
    Acknowledged {
        sequence: u16,
    },
    UploadProgress {
        sent: usize,
        total: usize,
    },
    /// The caller's port must change to `rate` now.
    BaudSwitch {
        rate: u32,
    },
    BaudKept {
        rate: u32,
    },
    /// `rate`: the last one that was kept, if any was.
    BaudFallback {
        rate: Option<u32>,
    },
    Error {
        sequence: u16,
        command: Option<u8>,
        code: &'static str,
        value: u32,
        text: String,
    },
    Timeout {
        sequence: u16,
        command: u8,
    },
    Log {
        level: u8,
        text: String,
    },
}

/// Counters of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it
pub struct Statistics {
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub frames_in: u64,
    pub frames_out: u64,
    pub crc_errors: u64,
    pub malformed: u64,
    pub lost_frames: u64,
    pub duplicate_records: u64,
    pub repeated_commands: u64,
    pub resumes: u64,
    pub reboots: u64,
    pub timeouts: u64,
}
