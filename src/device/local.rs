//! The agent on this machine: the in-process device, and what a Linux board serves.

use holdfast_agent::engine::Engine;
use holdfast_agent::protocol::{Agent, Board, Identity, capability};

use super::DeviceError;
use super::host::DEFAULT_CONTEXT;
use super::packed::PackedModel;

/// Room for an uploaded model and its working set, if no size is given.
const ARENA_BYTES: usize = 64 << 20;
const MODEL_LIMIT: usize = 1 << 31;

struct Machine {
    model: Vec<u8>,
    /// What [`Board::evaluate`] reads, made when it first does.
    packed: Option<PackedModel>,
    arena: Vec<u32>,
    wire: Vec<u8>,
    clock: Box<dyn FnMut() -> u64 + Send>,
    boot_id: u32,
    rebooted: bool,
}

impl Board for Machine {
    fn identity(&self) -> Identity<'_> {
        Identity {
            boot_id: self.boot_id,
            clock_hz: 1_000_000_000,
            clock_bits: 64,
            ram_bytes: 0,
            flash_bytes: 0,
            capabilities: capability::UPLOAD,
            baud_rates: &[],
            board: "host",
            firmware: concat!("holdfast-agent ", env!("CARGO_PKG_VERSION")),
        }
    }

    fn ticks(&mut self) -> u64 {
        (self.clock)()
    }

    fn send(&mut self, bytes: &[u8]) {
        self.wire.extend_from_slice(bytes);
    }

    fn workspace(&mut self) -> (&[u8], &mut [u32]) {
        (&self.model, &mut self.arena)
    }

    fn begin_model(&mut self, length: usize) -> bool {
        self.model.clear();
        self.packed = None;
        length <= MODEL_LIMIT
    }

    fn write_model(&mut self, offset: usize, bytes: &[u8]) -> bool {
        // In order, so that memory grows with what arrives, not with what is announced.
        let next = self.model.len() == offset;
        if next {
            self.model.extend_from_slice(bytes);
        }
        next
    }

    fn reboot(&mut self) {
        self.rebooted = true;
    }

    fn evaluate(&mut self, engine: &Engine, token: u32, position: usize, logits: bool) {
        let Self { model, packed, arena, .. } = self;
        let packed = packed.get_or_insert_with(|| PackedModel::new(engine, model, arena));
        packed.forward(engine, arena, token, position, logits);
    }
}

/// A device whose wire is two byte buffers.
pub struct LocalAgent {
    agent: Agent,
    machine: Machine,
}

impl LocalAgent {
    /// `clock` counts nanoseconds; `boot_id` should differ between starts.
    pub fn new(
        model: Vec<u8>,
        arena_bytes: Option<usize>,
        context: Option<usize>,
        boot_id: u32,
        clock: Box<dyn FnMut() -> u64 + Send>,
    ) -> Result<Self, DeviceError> {
        let words = match arena_bytes {
            Some(bytes) => bytes / 4,
            None if model.is_empty() => ARENA_BYTES / 4,
            None => Engine::plan(&model, Some(context.unwrap_or(DEFAULT_CONTEXT)))?.words(),
        };
        let arena = vec![0; words];
        let machine =
            Machine { model, packed: None, arena, wire: vec![], clock, boot_id, rebooted: false };
        let mut local = Self { agent: Agent::new(0), machine };
        local.agent.boot(&mut local.machine);
        Ok(local)
    }

    /// Bytes from the host.
    pub fn write(&mut self, bytes: &[u8]) {
        self.agent.receive(&mut self.machine, bytes);
        if self.machine.rebooted {
            self.reset();
        }
    }

    /// Bytes for the host.
    pub fn read(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.machine.wire)
    }

    /// Sends one record or evaluates one token; `false` if there is nothing to do.
    pub fn step(&mut self) -> bool {
        self.agent.step(&mut self.machine)
    }

    /// Starts anew: another boot id, no request.
    pub fn reset(&mut self) {
        self.machine.rebooted = false;
        self.machine.boot_id = self.machine.boot_id.wrapping_add(1);
        self.agent = Agent::new(0);
        self.agent.boot(&mut self.machine);
    }
}
