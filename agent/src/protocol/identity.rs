//! Who the device is, what it runs and where its memory goes.

use super::agent::Agent;
use super::board::{Board, capability};
use super::error_code::ErrorCode;
use super::frame::VERSION;
use super::generation::RING;
use super::record::{HelloRecord, MemoryRecord, ModelRecord};
use super::reply::Reply;
use super::wire::Writer;
use crate::gguf::{File, FileError, Value};

impl Agent {
    pub(super) fn model(&mut self, board: &mut impl Board, to: u16) {
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

    pub(super) fn no_model(&mut self, board: &mut impl Board, to: u16) {
        match self.load_error {
            Some(error @ FileError::OutOfMemory { needed, .. }) => {
                let needed = u32::try_from(needed).unwrap_or(u32::MAX);
                self.fail(board, to, ErrorCode::OUT_OF_MEMORY, needed, &error);
            }
            Some(error) => self.fail(board, to, ErrorCode::BAD_MODEL, 0, &error),
            None => self.fail(board, to, ErrorCode::NO_MODEL, 0, &"no model is stored"),
        }
    }

    pub(super) fn hello(&mut self, board: &mut impl Board, to: u16) {
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
        let reply = Reply::Hello(HelloRecord {
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
        });
        self.send(board, to, &reply);
    }

    pub(super) fn memory(&mut self, board: &mut impl Board, to: u16) {
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
}
