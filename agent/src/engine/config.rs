//! Hyperparameters, checked so that nothing later can overflow.

use crate::gguf::{File, FileError, Value};

/// Layers a model can have.
pub(super) const MOST_LAYERS: usize = 512;

/// What the metadata says about the model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// Width of the residual stream.
    pub dimension: usize,
    /// Width of the feed-forward layer.
    pub hidden: usize,
    /// Number of layers.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads.
    pub kv_heads: usize,
    /// Width of one head.
    pub head: usize,
    /// Number of tokens.
    pub vocabulary: usize,
    /// Positions the cache holds.
    pub context: usize,
    /// Added to the mean square in norms.
    pub epsilon: f32,
    /// Base of the rotary frequencies.
    pub rope_base: f32,
}

impl Config {
    pub(super) fn read(file: &File<'_>, context: Option<usize>) -> Result<Self, FileError> {
        if !matches!(file.get("general.architecture"), Some(Value::String(b"llama"))) {
            return Err(FileError::Architecture);
        }
        let dimension = count(file, "llama.embedding_length", 1..=16_384)?;
        let hidden = count(file, "llama.feed_forward_length", 1..=65_536)?;
        let layers = count(file, "llama.block_count", 1..=MOST_LAYERS as u64)?;
        let heads = count(file, "llama.attention.head_count", 1..=512)?;
        let kv_heads = match file.get("llama.attention.head_count_kv") {
            Some(_) => count(file, "llama.attention.head_count_kv", 1..=512)?,
            None => heads,
        };
        if !dimension.is_multiple_of(heads) || !heads.is_multiple_of(kv_heads) {
            return Err(FileError::BadValue("llama.attention.head_count"));
        }
        let head = dimension / heads;
        if !head.is_multiple_of(2) || head > 256 {
            return Err(FileError::Unsupported("a head width that is odd or above 256"));
        }
        if !hidden.is_multiple_of(2) {
            return Err(FileError::Unsupported("an odd llama.feed_forward_length"));
        }
        for key in [
            "llama.rope.dimension_count",
            "llama.attention.key_length",
            "llama.attention.value_length",
        ] {
            if file.get(key).is_some_and(|value| value.unsigned() != Some(head as u64)) {
                return Err(FileError::Unsupported("a head width other than dimension / heads"));
            }
        }
        if file.get("llama.expert_count").is_some_and(|value| value.unsigned() != Some(0)) {
            return Err(FileError::Unsupported("a mixture of experts"));
        }
        match file.get("llama.rope.scaling.type") {
            None | Some(Value::String(b"none")) => {}
            Some(_) => return Err(FileError::Unsupported("llama.rope.scaling.type")),
        }
        let trained = count(file, "llama.context_length", 1..=1 << 20)?;
        let Some(Value::Array(tokens)) = file.get("tokenizer.ggml.tokens") else {
            return Err(FileError::MissingKey("tokenizer.ggml.tokens"));
        };
        if tokens.count == 0 || tokens.count > 1 << 20 {
            return Err(FileError::BadValue("tokenizer.ggml.tokens"));
        }
        let context = context.map_or(trained, |asked| asked.clamp(1, trained));
        let cache = (layers * kv_heads * head) as u64 * context as u64 * 4;
        if cache > 1 << 30 {
            return Err(FileError::Unsupported(
                "a key-value cache above 1 GiB (lower the context)",
            ));
        }
        Ok(Self {
            dimension,
            hidden,
            layers,
            heads,
            kv_heads,
            head,
            vocabulary: tokens.count,
            context,
            epsilon: real(file, "llama.attention.layer_norm_rms_epsilon", 1e-5)?,
            rope_base: real(file, "llama.rope.freq_base", 10_000.0)?,
        })
    }

    /// Width of all keys of one position.
    pub fn kv_dimension(&self) -> usize {
        self.kv_heads * self.head
    }
}

fn count(
    file: &File<'_>,
    key: &'static str,
    domain: core::ops::RangeInclusive<u64>,
) -> Result<usize, FileError> {
    let value = file.get(key).ok_or(FileError::MissingKey(key))?;
    let value = value.unsigned().filter(|value| domain.contains(value));
    value.map(|value| value as usize).ok_or(FileError::BadValue(key))
}

fn real(file: &File<'_>, key: &'static str, default: f32) -> Result<f32, FileError> {
    let Some(value) = file.get(key) else { return Ok(default) };
    let value = value.number().map(|value| value as f32);
    value.filter(|value| value.is_finite() && *value > 0.0).ok_or(FileError::BadValue(key))
}
