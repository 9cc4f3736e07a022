//! `SentencePiece`'s merging with byte fall-back, over the vocabulary in the file
//! (`tokenizer.ggml.model` = `llama`). Text never becomes a control token.

use core::cmp::Ordering;

use super::layout::Buffers;
use super::{Config, PromptError};
use crate::gguf::{Array, File, FileError, Value};

/// Where the vocabulary lies and what it calls its special tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vocabulary {
    count: usize,
    scores_at: Option<usize>,
    types_at: Option<usize>,
    bos: Option<u32>,
    pub(super) eos: Option<u32>,
    unknown: Option<u32>,
    space_prefix: bool,
    merges_text: bool,
}

/// U+2581, which stands for a space in vocabularies.
const SPACE: &[u8] = "\u{2581}".as_bytes();
const CONTROL: u32 = 3;
const BYTE: u32 = 6;
const NONE: u32 = u32::MAX;

fn word(model: &[u8], at: usize) -> u32 {
    model[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn text<'a>(model: &'a [u8], positions: &[u32], id: u32) -> &'a [u8] {
    let at = positions[id as usize] as usize;
    // Lengths were checked against the file when it was parsed.
    &model[at + 8..][..word(model, at) as usize]
}

impl Vocabulary {
    pub(super) fn read(
        file: &File<'_>,
        config: &Config,
        model: &[u8],
        buffers: &mut Buffers<'_>,
    ) -> Result<Self, FileError> {
        let count = config.vocabulary;
        let tokens = array(file, "tokenizer.ggml.tokens", count, &[8])?;
        let tokens = tokens.ok_or(FileError::MissingKey("tokenizer.ggml.tokens"))?;
        for (position, at) in buffers.positions.iter_mut().zip(tokens.positions()) {
            *position = at as u32;
        }
        for (id, slot) in buffers.order.iter_mut().enumerate() {
            *slot = id as u32;
        }
        let positions = &*buffers.positions;
        buffers.order.sort_unstable_by(|a, b| {
            text(model, positions, *a).cmp(text(model, positions, *b)).then(a.cmp(b))
        });
        let special = |key: &'static str| match file.get(key) {
            None => Ok(None),
            Some(value) => match value.unsigned() {
                Some(id) if id < count as u64 => Ok(Some(id as u32)),
                _ => Err(FileError::BadValue(key)),
            },
        };
        let flag = |key| !matches!(file.get(key), Some(Value::Bool(false)));
        let at = |array: Option<Array<'_>>| array.map(|array| array.at);
        Ok(Self {
            count,
            scores_at: at(array(file, "tokenizer.ggml.scores", count, &[6])?),
            types_at: at(array(file, "tokenizer.ggml.token_type", count, &[4, 5])?),
            bos: special("tokenizer.ggml.bos_token_id")?,
            eos: special("tokenizer.ggml.eos_token_id")?,
            unknown: special("tokenizer.ggml.unknown_token_id")?,
            space_prefix: flag("tokenizer.ggml.add_space_prefix"),
            merges_text: matches!(file.get("tokenizer.ggml.model"), Some(Value::String(b"llama"))),
        })
    }

    fn kind(&self, model: &[u8], id: u32) -> u32 {
        self.types_at.map_or(1, |at| word(model, at + 4 * id as usize))
    }

    fn score(&self, model: &[u8], id: u32) -> f32 {
        self.scores_at.map_or(0.0, |at| f32::from_bits(word(model, at + 4 * id as usize)))
    }

    pub(super) fn piece(&self, model: &[u8], positions: &[u32], id: u32, out: &mut [u8]) -> usize {
        if id as usize >= self.count {
            return 0;
        }
        let mut rest = text(model, positions, id);
        match self.kind(model, id) {
            CONTROL => return 0,
            BYTE => {
                if let Some(byte) = byte_value(rest) {
                    out[..1].fill(byte);
                    return 1.min(out.len());
                }
            }
            _ => {}
        }
        let mut used = 0;
        while let Some((first, after)) = rest.split_first() {
            let (byte, after) = match rest.strip_prefix(SPACE) {
                Some(after) => (b' ', after),
                None => (*first, after),
            };
            let Some(slot) = out.get_mut(used) else { break };
            *slot = byte;
            used += 1;
            rest = after;
        }
        used
    }

    /// Writes the ids of `prompt` to the prompt buffer and returns how many. Symbols start
    /// as characters; the adjacent pair whose union has the best score merges, the left
    /// one of equals, until no union is in the vocabulary.
    pub(super) fn encode(
        &self,
        model: &[u8],
        buffers: &mut Buffers<'_>,
        scratch: &mut [u32],
        prompt: &[u8],
        add_bos: bool,
    ) -> Result<usize, PromptError> {
        if !self.merges_text {
            return Err(PromptError::NoTokenizer);
        }
        let mut used = 0;
        let mut push = |id: u32| {
            *buffers.prompt.get_mut(used).ok_or(PromptError::TooLong)? = id;
            used += 1;
            Ok(used)
        };
        if let Some(bos) = self.bos.filter(|_| add_bos) {
            push(bos)?;
        }
        let spaces = prompt.split(|byte| *byte == b' ').count();
        let words = (prompt.len() + spaces * SPACE.len()).div_ceil(4);
        let (spelt, symbols) = scratch.split_at_mut_checked(words).ok_or(PromptError::TooLong)?;
        let spelt = self.spell(prompt, bytemuck::cast_slice_mut(spelt));
        let (positions, order) = (&*buffers.positions, &*buffers.order);
        let lookup = Lookup { vocabulary: self, model, positions, order, spelt };
        let symbols = bytemuck::cast_slice_mut(symbols.as_chunks_mut::<4>().0.as_flattened_mut());
        for symbol in lookup.merge(symbols)? {
            let wanted = &spelt[symbol.start as usize..][..symbol.length as usize];
            if let Some(id) = lookup.find(wanted) {
                push(id)?;
                continue;
            }
            for byte in wanted {
                let digit = |value: u8| b"0123456789ABCDEF"[usize::from(value & 15)];
                let name = [b'<', b'0', b'x', digit(byte >> 4), digit(*byte), b'>'];
                if let Some(id) = lookup.find(&name).or(self.unknown) {
                    push(id)?;
                }
            }
        }
        Ok(used)
    }

    /// The text with the vocabulary's spaces.
    fn spell<'a>(&self, prompt: &[u8], out: &'a mut [u8]) -> &'a [u8] {
        let mut used = 0;
        let mut put = |bytes: &[u8]| {
            out[used..used + bytes.len()].copy_from_slice(bytes);
            used += bytes.len();
        };
        if self.space_prefix && !prompt.is_empty() {
            put(SPACE);
        }
        for byte in prompt {
            put(if *byte == b' ' { SPACE } else { core::slice::from_ref(byte) });
        }
        &out[..used]
    }
}

/// A stretch of the text, and what it would merge to with the next one.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct Symbol {
    start: u32,
    length: u32,
    union: u32,
    score: f32,
}

struct Lookup<'a> {
    vocabulary: &'a Vocabulary,
    model: &'a [u8],
    positions: &'a [u32],
    order: &'a [u32],
    spelt: &'a [u8],
}

impl Lookup<'_> {
    fn find(&self, wanted: &[u8]) -> Option<u32> {
        let compare = |id: &u32| text(self.model, self.positions, *id).cmp(wanted);
        let first = self.order.partition_point(|id| compare(id) == Ordering::Less);
        let id = *self.order.get(first)?;
        let ordinary = || self.vocabulary.kind(self.model, id) != CONTROL;
        (compare(&id) == Ordering::Equal && ordinary()).then_some(id)
    }

    fn look_ahead(&self, symbols: &mut [Symbol], at: usize) {
        let next = symbols.get(at + 1).map_or(0, |next| next.length);
        let Some(symbol) = symbols.get_mut(at) else { return };
        let union = &self.spelt[symbol.start as usize..][..(symbol.length + next) as usize];
        symbol.union = if next == 0 { NONE } else { self.find(union).unwrap_or(NONE) };
        if symbol.union != NONE {
            symbol.score = self.vocabulary.score(self.model, symbol.union);
        }
    }

    fn merge<'s>(&self, room: &'s mut [Symbol]) -> Result<&'s [Symbol], PromptError> {
        let (mut count, mut start) = (0, 0);
        while start < self.spelt.len() {
            let lead = self.spelt[start];
            let length = match lead {
                0xf0.. => 4,
                0xe0.. => 3,
                0xc0.. => 2,
                _ => 1,
            };
            let length = length.min(self.spelt.len() - start);
            let symbol = room.get_mut(count).ok_or(PromptError::TooLong)?;
            *symbol =
                Symbol { start: start as u32, length: length as u32, union: NONE, score: 0.0 };
            count += 1;
            start += length;
        }
        for at in 0..count {
            self.look_ahead(&mut room[..count], at);
        }
        loop {
            let mut best: Option<usize> = None;
            for (at, symbol) in room[..count].iter().enumerate() {
                if symbol.union != NONE && best.is_none_or(|best| symbol.score > room[best].score) {
                    best = Some(at);
                }
            }
            let Some(at) = best else { break };
            room[at].length += room[at + 1].length;
            room.copy_within(at + 2..count, at + 1);
            count -= 1;
            self.look_ahead(&mut room[..count], at);
            if at > 0 {
                self.look_ahead(&mut room[..count], at - 1);
            }
        }
        Ok(&room[..count])
    }
}

fn array<'a>(
    file: &File<'a>,
    key: &'static str,
    count: usize,
    elements: &[u32],
) -> Result<Option<Array<'a>>, FileError> {
    match file.get(key) {
        None => Ok(None),
        Some(Value::Array(array)) if array.count == count && elements.contains(&array.element) => {
            Ok(Some(array))
        }
        Some(_) => Err(FileError::BadValue(key)),
    }
}

/// The byte a token like `<0x0A>` stands for.
fn byte_value(name: &[u8]) -> Option<u8> {
    let digits = name.strip_prefix(b"<0x")?.strip_suffix(b">")?;
    u8::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()
}
