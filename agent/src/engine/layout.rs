//! The working set: one block of words, cut the same way every time, so that what a model
//! takes is known to the byte before it runs.

use super::Config;
use super::config::MOST_LAYERS;
use crate::gguf::{ElementType, File, FileError, Role, Tensor};

/// Sizes of the buffers, in 32-bit words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    table: usize,
    positions: usize,
    order: usize,
    prompt: usize,
    frequencies: usize,
    rotation: usize,
    residual: usize,
    normed: usize,
    query: usize,
    integers: usize,
    gate: usize,
    up: usize,
    scores: usize,
    sums: usize,
    logits: usize,
    kv_scales: usize,
    kv: usize,
}

/// Bytes of the working set by purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Where each tensor lies.
    pub tensor_table: usize,
    /// Where each token's text lies, and the tokens in sorted order.
    pub vocabulary_index: usize,
    /// The prompt's token ids.
    pub prompt: usize,
    /// Activations.
    pub activations: usize,
    /// Logits.
    pub logits: usize,
    /// Keys, values and their scales.
    pub key_value_cache: usize,
}

pub(super) struct Buffers<'a> {
    pub(super) table: &'a mut [u32],
    pub(super) positions: &'a mut [u32],
    pub(super) order: &'a mut [u32],
    pub(super) prompt: &'a mut [u32],
    pub(super) frequencies: &'a mut [f32],
    pub(super) rotation: &'a mut [f32],
    pub(super) residual: &'a mut [f32],
    pub(super) normed: &'a mut [f32],
    pub(super) query: &'a mut [f32],
    pub(super) integers: &'a mut [i16],
    pub(super) gate: &'a mut [f32],
    pub(super) up: &'a mut [f32],
    pub(super) scores: &'a mut [i32],
    pub(super) sums: &'a mut [i32],
    pub(super) logits: &'a mut [f32],
    pub(super) key_scales: &'a mut [f32],
    pub(super) value_scales: &'a mut [f32],
    pub(super) keys: &'a mut [i16],
    pub(super) values: &'a mut [i16],
}

impl Layout {
    pub(super) fn new(config: &Config) -> Self {
        let cells = config.layers * config.context;
        Self {
            table: 2 * (3 + 9 * config.layers),
            positions: config.vocabulary,
            order: config.vocabulary,
            prompt: config.context,
            frequencies: config.head / 2,
            rotation: config.head,
            residual: config.dimension,
            normed: config.dimension,
            query: config.dimension,
            integers: config.dimension.max(config.hidden) / 2,
            gate: config.hidden,
            up: config.hidden,
            scores: config.context,
            sums: config.head,
            logits: config.vocabulary,
            kv_scales: 2 * cells * config.kv_heads,
            kv: cells * config.kv_dimension(),
        }
    }

    /// Words of the whole working set.
    pub fn words(&self) -> usize {
        self.before_cache() + self.kv_scales + self.kv
    }

    fn before_cache(&self) -> usize {
        let index = self.table + self.positions + self.order + self.prompt;
        index + self.activation_words() + self.logits
    }

    fn activation_words(&self) -> usize {
        let rope = self.frequencies + self.rotation;
        let stream = self.residual + self.normed + self.query + self.integers;
        rope + stream + self.gate + self.up + self.scores + self.sums
    }

    /// Bytes of the working set by purpose.
    pub fn usage(&self) -> Usage {
        Usage {
            tensor_table: 4 * self.table,
            vocabulary_index: 4 * (self.positions + self.order),
            prompt: 4 * self.prompt,
            activations: 4 * self.activation_words(),
            logits: 4 * self.logits,
            key_value_cache: 4 * (self.kv_scales + self.kv),
        }
    }

    pub(super) fn split<'a>(&self, arena: &'a mut [u32]) -> Buffers<'a> {
        let mut rest = arena;
        let mut cut = |words: usize| -> &'a mut [u32] {
            let (front, back) = core::mem::take(&mut rest).split_at_mut(words);
            rest = back;
            front
        };
        Buffers {
            table: cut(self.table),
            positions: cut(self.positions),
            order: cut(self.order),
            prompt: cut(self.prompt),
            frequencies: bytemuck::cast_slice_mut(cut(self.frequencies)),
            rotation: bytemuck::cast_slice_mut(cut(self.rotation)),
            residual: bytemuck::cast_slice_mut(cut(self.residual)),
            normed: bytemuck::cast_slice_mut(cut(self.normed)),
            query: bytemuck::cast_slice_mut(cut(self.query)),
            integers: bytemuck::cast_slice_mut(cut(self.integers)),
            gate: bytemuck::cast_slice_mut(cut(self.gate)),
            up: bytemuck::cast_slice_mut(cut(self.up)),
            scores: bytemuck::cast_slice_mut(cut(self.scores)),
            sums: bytemuck::cast_slice_mut(cut(self.sums)),
            logits: bytemuck::cast_slice_mut(cut(self.logits)),
            key_scales: bytemuck::cast_slice_mut(cut(self.kv_scales / 2)),
            value_scales: bytemuck::cast_slice_mut(cut(self.kv_scales / 2)),
            keys: bytemuck::cast_slice_mut(cut(self.kv / 2)),
            values: bytemuck::cast_slice_mut(cut(self.kv / 2)),
        }
    }

    /// The cache as scratch memory, and the rest without a cache.
    pub(super) fn split_scratch<'a>(&self, arena: &'a mut [u32]) -> (&'a mut [u32], Buffers<'a>) {
        let (front, cache) = arena.split_at_mut(self.before_cache());
        let bare = Self { kv_scales: 0, kv: 0, ..*self };
        (cache, bare.split(front))
    }
}

/// Which tensor a slot of the table is for; global ones first, then nine per layer.
#[derive(Clone, Copy)]
pub(super) enum Slot {
    Embedding,
    OutputNorm,
    Output,
    Layer(usize, Part),
}

#[derive(Clone, Copy)]
pub(super) enum Part {
    AttentionNorm,
    Query,
    Key,
    Value,
    AttentionOutput,
    FeedForwardNorm,
    Gate,
    Up,
    Down,
}

const GLOBAL: [&str; 3] = ["token_embd", "output_norm", "output"];
const PARTS: [&str; 9] = [
    "attn_norm",
    "attn_q",
    "attn_k",
    "attn_v",
    "attn_output",
    "ffn_norm",
    "ffn_gate",
    "ffn_up",
    "ffn_down",
];
const ABSENT: u32 = u32::MAX;

impl Slot {
    fn index(self) -> usize {
        match self {
            Self::Embedding => 0,
            Self::OutputNorm => 1,
            Self::Output => 2,
            Self::Layer(layer, part) => 3 + 9 * layer + part as usize,
        }
    }
}

pub(super) struct Summary {
    pub(super) parameters: u64,
    pub(super) quantisation: ElementType,
}

/// A matrix of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Position of its first byte.
    pub at: usize,
    /// How its elements are stored.
    pub element: ElementType,
    /// Rows, one after the other.
    pub rows: usize,
    /// Elements of a row.
    pub columns: usize,
}

impl Place {
    /// Where its bytes are.
    pub fn bytes(&self) -> core::ops::Range<usize> {
        self.at..self.at + self.rows * self.element.row_bytes(self.columns).unwrap_or(0)
    }
}

/// Where each tensor lies: position and element type, two words a slot.
pub(super) struct Table<'a>(pub(super) &'a [u32]);

impl Table<'_> {
    /// Position in the file and type, if the tensor is there.
    pub(super) fn get(&self, slot: Slot) -> Option<(usize, ElementType)> {
        let index = 2 * slot.index();
        let at = self.0[index];
        let element = ElementType::from_code(self.0[index + 1])?;
        (at != ABSENT).then_some((at as usize, element))
    }

    pub(super) fn slots(&self) -> usize {
        self.0.len() / 2
    }

    /// The matrix of a slot, if it is one and there.
    pub(super) fn matrix(&self, index: usize, config: &Config) -> Option<Place> {
        let [at, code] = [self.0[2 * index], self.0[2 * index + 1]];
        if at == ABSENT || is_norm(index) {
            return None;
        }
        let (columns, rows) = shape(index, config);
        let element = ElementType::from_code(code)?;
        Some(Place { at: at as usize, element, rows, columns })
    }

    /// Whether the file has what the model needs, before anyone makes room for it.
    pub(super) fn verify(file: &File<'_>, config: &Config, length: usize) -> Result<(), FileError> {
        // One bit a slot, for as many as a model can have: one walk whatever is missing.
        let mut found = [0_u32; (3 + 9 * MOST_LAYERS).div_ceil(32)];
        scan(file, config, length, |index, _| found[index / 32] |= 1 << (index % 32))?;
        let missing = (0..3 + 9 * config.layers)
            .find(|index| *index != 2 && found[index / 32] >> (index % 32) & 1 == 0);
        missing.map_or(Ok(()), |index| Err(FileError::MissingTensor(role(index))))
    }

    pub(super) fn fill(
        table: &mut [u32],
        file: &File<'_>,
        config: &Config,
        length: usize,
    ) -> Result<Summary, FileError> {
        table.fill(ABSENT);
        let mut parameters = 0_u64;
        scan(file, config, length, |index, tensor| {
            parameters += tensor.sizes.iter().product::<u64>();
            table[2 * index] = tensor.at as u32;
            table[2 * index + 1] = tensor.code;
        })?;
        for index in (0..table.len() / 2).filter(|index| *index != 2) {
            if table[2 * index] == ABSENT {
                return Err(FileError::MissingTensor(role(index)));
            }
        }
        let query = Table(table).get(Slot::Layer(0, Part::Query));
        let quantisation = query.map_or(ElementType::F32, |(_, element)| element);
        Ok(Summary { parameters, quantisation })
    }
}

fn scan(
    file: &File<'_>,
    config: &Config,
    length: usize,
    mut each: impl FnMut(usize, &Tensor<'_>),
) -> Result<(), FileError> {
    for tensor in file.tensors() {
        let tensor = tensor?;
        match slot_of(tensor.name, config.layers) {
            Some((index, role)) => {
                check(&tensor, index, role, config, length)?;
                each(index, &tensor);
            }
            // Rotary factors change the result; leaving them out would be a wrong answer.
            None if tensor.name == b"rope_freqs.weight" => {
                return Err(FileError::Unsupported("rope_freqs.weight"));
            }
            None => {}
        }
    }
    Ok(())
}

fn check(
    tensor: &Tensor<'_>,
    index: usize,
    role: Role,
    config: &Config,
    length: usize,
) -> Result<(), FileError> {
    let element = ElementType::from_code(tensor.code);
    let element = element.ok_or(FileError::ElementType { role, code: tensor.code })?;
    let (columns, rows) = shape(index, config);
    if tensor.sizes != [columns as u64, rows as u64, 1, 1] {
        return Err(FileError::WrongShape(role));
    }
    if is_norm(index) && element != ElementType::F32 {
        return Err(FileError::ElementType { role, code: tensor.code });
    }
    if element.row_bytes(columns).is_none() {
        return Err(FileError::WrongShape(role));
    }
    tensor.byte_count(length).map(|_| ()).ok_or(FileError::Truncated { at: tensor.at })
}

fn is_norm(index: usize) -> bool {
    index == 1 || index >= 3 && matches!((index - 3) % 9, 0 | 5)
}

fn shape(index: usize, config: &Config) -> (usize, usize) {
    let (d, h, kv) = (config.dimension, config.hidden, config.kv_dimension());
    match index {
        0 | 2 => (d, config.vocabulary),
        1 => (d, 1),
        _ => match (index - 3) % 9 {
            0 | 5 => (d, 1),
            1 | 4 => (d, d),
            2 | 3 => (d, kv),
            6 | 7 => (d, h),
            _ => (h, d),
        },
    }
}

fn role(index: usize) -> Role {
    match index.checked_sub(3) {
        None => Role { layer: None, name: GLOBAL[index] },
        Some(rest) => Role { layer: Some((rest / 9) as u32), name: PARTS[rest % 9] },
    }
}

fn slot_of(name: &[u8], layers: usize) -> Option<(usize, Role)> {
    let name = name.strip_suffix(b".weight")?;
    let index = match name.strip_prefix(b"blk.") {
        None => GLOBAL.iter().position(|known| known.as_bytes() == name)?,
        Some(rest) => {
            let dot = rest.iter().position(|byte| *byte == b'.')?;
            let layer: usize = core::str::from_utf8(&rest[..dot]).ok()?.parse().ok()?;
            let part = PARTS.iter().position(|known| known.as_bytes() == &rest[dot + 1..])?;
            (layer < layers).then_some(3 + 9 * layer + part)?
        }
    };
    Some((index, role(index)))
}
