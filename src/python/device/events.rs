//! Events as dictionaries: `event` is the variant's name, `now_ns` the time it came, the other
//! keys are its fields.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::device::client::Event;
use holdfast_agent::gguf::ElementType;
use holdfast_agent::protocol::capability;

macro_rules! dict {
    ($py:ident, $name:literal $(, $key:ident = $value:expr)* $(,)?) => {{
        let dict = PyDict::new($py);
        dict.set_item("event", $name)?;
        $(dict.set_item(stringify!($key), $value)?;)*
        dict
    }};
}

pub(super) fn events(
    py: Python<'_>,
    events: Vec<Event>,
    now: u64,
) -> PyResult<Vec<Bound<'_, PyDict>>> {
    events.into_iter().map(|event| dict(py, event, now)).collect()
}

/// As [`events`], but tokens that follow one another are the columns of one event.
pub(super) fn batches(
    py: Python<'_>,
    events: Vec<Event>,
    now: u64,
) -> PyResult<Vec<Bound<'_, PyDict>>> {
    let mut out = Vec::new();
    let mut events = events.into_iter().peekable();
    while let Some(event) = events.next() {
        let Event::Token { request, index, id, ticks, piece } = event else {
            out.push(dict(py, event, now)?);
            continue;
        };
        let text = |piece: &[u8]| String::from_utf8_lossy(piece).into_owned();
        let (mut ids, mut times, mut pieces) = (vec![id], vec![ticks], vec![text(&piece)]);
        while let Some(Event::Token { id, ticks, piece, .. }) = events.next_if(
            |next| matches!(next, Event::Token { request: other, .. } if *other == request),
        ) {
            ids.push(id);
            times.push(ticks);
            pieces.push(text(&piece));
        }
        let made = dict!(
            py,
            "tokens",
            request = request,
            index = index,
            ids = ids,
            ticks = times,
            pieces = pieces,
        );
        made.set_item("now_ns", now)?;
        out.push(made);
    }
    Ok(out)
}

pub(super) fn command_word(kind: u8) -> &'static str {
    match kind {
        0x01 => "hello",
        0x02 => "ping",
        0x03 => "generate",
        0x04 => "cancel",
        0x05 => "resume",
        0x06 => "memory",
        0x07 => "power",
        0x08 => "set_baud",
        0x09 => "confirm_baud",
        0x0a => "model_begin",
        0x0b => "model_chunk",
        0x0c => "model_end",
        0x0d => "model_info",
        _ => "reboot",
    }
}

#[allow(clippy::too_many_lines)] // a table
fn dict(py: Python<'_>, event: Event, now: u64) -> PyResult<Bound<'_, PyDict>> {
    let dict = match event {
        Event::Hello {
            protocol,
            boot_id,
            clock_hz,
            clock_bits,
            ram_bytes,
            flash_bytes,
            capabilities,
            ring_records,
            baud_rates,
            board,
            firmware,
        } => dict!(
            py,
            "hello",
            protocol = protocol,
            boot_id = boot_id,
            clock_hz = clock_hz,
            clock_bits = clock_bits,
            ram_bytes = ram_bytes,
            flash_bytes = flash_bytes,
            capabilities = capabilities,
            ring_records = ring_records,
            baud_rates = baud_rates,
            board = board,
            firmware = firmware,
            deterministic = capabilities & capability::DETERMINISTIC != 0,
        ),
        Event::Reboot { boot_id, previous_boot_id, lost_requests } => dict!(
            py,
            "reboot",
            boot_id = boot_id,
            previous_boot_id = previous_boot_id,
            lost_requests = lost_requests,
        ),
        Event::Pong { sequence, sent_ns, repeated, device_received, device_sent, boot_id } => {
            dict!(
                py,
                "pong",
                sequence = sequence,
                sent_ns = sent_ns,
                repeated = repeated,
                device_received = device_received,
                device_sent = device_sent,
                boot_id = boot_id,
            )
        }
        Event::Started { request, ticks, prompt_tokens } => {
            dict!(py, "started", request = request, ticks = ticks, prompt_tokens = prompt_tokens)
        }
        Event::Token { request, index, id, ticks, piece } => dict!(
            py,
            "token",
            request = request,
            index = index,
            id = id,
            ticks = ticks,
            piece = PyBytes::new(py, &piece),
        ),
        Event::End { record, digest_matches } => dict!(
            py,
            "end",
            request = record.request,
            reason = record.reason.word(),
            tokens = record.tokens,
            prompt_tokens = record.prompt_tokens,
            start_ticks = record.start_ticks,
            prefill_ticks = record.prefill_ticks,
            end_ticks = record.end_ticks,
            digest = format!("{:016x}", record.digest),
            digest_matches = digest_matches,
            cycles = record.cycles,
            instructions = record.instructions,
        ),
        Event::Memory(memory) => dict!(
            py,
            "memory",
            static_bytes = memory.static_bytes,
            stack_high_water_bytes = memory.stack_high_water_bytes,
            arena_used_bytes = memory.arena_used_bytes,
            arena_bytes = memory.arena_bytes,
            kv_bytes = memory.kv_bytes,
            model_bytes = memory.model_bytes,
            flash_used_bytes = memory.flash_used_bytes,
            ram_bytes = memory.ram_bytes,
            flash_bytes = memory.flash_bytes,
        ),
        Event::Power { sequence, ticks, microwatts } => {
            dict!(py, "power", sequence = sequence, ticks = ticks, microwatts = microwatts)
        }
        Event::Model {
            name,
            parameters,
            vocabulary,
            context,
            layers,
            dimension,
            quantisation,
            model_bytes,
            arena_bytes,
        } => dict!(
            py,
            "model",
            name = name,
            parameters = parameters,
            vocabulary = vocabulary,
            context = context,
            layers = layers,
            dimension = dimension,
            quantisation = ElementType::from_code(quantisation).map(ElementType::name),
            model_bytes = model_bytes,
            arena_bytes = arena_bytes,
        ),
        Event::Acknowledged { sequence } => dict!(py, "acknowledged", sequence = sequence),
        Event::UploadProgress { sent, total } => {
            dict!(py, "upload_progress", sent = sent, total = total)
        }
        Event::BaudSwitch { rate } => dict!(py, "baud_switch", rate = rate),
        Event::BaudKept { rate } => dict!(py, "baud_kept", rate = rate),
        Event::BaudFallback { rate } => dict!(py, "baud_fallback", rate = rate),
        Event::Error { sequence, command, code, value, text } => dict!(
            py,
            "error",
            sequence = sequence,
            command = command.map(command_word),
            code = code,
            value = value,
            text = text,
        ),
        Event::Timeout { sequence, command } => {
            dict!(py, "timeout", sequence = sequence, command = command_word(command))
        }
        Event::Log { level, text } => dict!(py, "log", level = level, text = text),
    };
    dict.set_item("now_ns", now)?;
    Ok(dict)
}
