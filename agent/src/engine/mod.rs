//! The llama architecture over GGUF weights, in memory the caller brings.
//!
//! Weights stay where they are (flash, a mapped file). Activations are 16-bit integers
//! with one scale, keys and values 12-bit integers with one scale per head and position;
//! products with `Q8_0` and `Q4_0` weights are exact integer sums, so their order does not
//! matter and vector units give the same bits as a microcontroller. What is left in
//! floating point (norms, scales, the residual stream) uses only operations IEEE 754
//! rounds exactly, in a fixed order and never fused: results are equal on every target.

mod attention;
mod config;
mod error;
mod exponential;
mod forward;
mod layout;
mod matrix;
mod sampler;
mod tokenizer;

#[cfg(test)]
mod tests;

pub use config::Config;
pub use error::PromptError;
pub use layout::{Layout, Place, Usage};
pub use matrix::{Plain, Products, add_lanes, half, half_fixed};
pub use sampler::{Digest, Sampler};

use crate::gguf::{ElementType, File, FileError};
use layout::Table;
use tokenizer::Vocabulary;

/// A model that was checked and has its working set laid out in an arena.
///
/// It holds positions, not references: the model's bytes and the arena are given to each
/// call, and must be the ones it was loaded with.
#[derive(Clone, Copy, Debug)]
pub struct Engine {
    config: Config,
    layout: Layout,
    vocabulary: Vocabulary,
    parameters: u64,
    quantisation: ElementType,
    model_bytes: usize,
}

impl Engine {
    /// How much working memory `model` takes, by buffer.
    pub fn plan(model: &[u8], context: Option<usize>) -> Result<Layout, FileError> {
        let file = File::parse(model)?;
        let config = Config::read(&file, context)?;
        Table::verify(&file, &config, model.len())?;
        Ok(Layout::new(&config))
    }

    /// Checks `model` and prepares `arena`. `context` lowers the model's own context.
    pub fn load(
        model: &[u8],
        context: Option<usize>,
        arena: &mut [u32],
    ) -> Result<Self, FileError> {
        if u32::try_from(model.len()).is_err() {
            return Err(FileError::TooLarge);
        }
        let file = File::parse(model)?;
        let config = Config::read(&file, context)?;
        let layout = Layout::new(&config);
        if layout.words() > arena.len() {
            let (needed, available) = (layout.words() as u64 * 4, arena.len() as u64 * 4);
            return Err(FileError::OutOfMemory { needed, available });
        }
        let mut buffers = layout.split(arena);
        let summary = Table::fill(buffers.table, &file, &config, model.len())?;
        let vocabulary = Vocabulary::read(&file, &config, model, &mut buffers)?;
        for (pair, frequency) in buffers.frequencies.iter_mut().enumerate() {
            let exponent = -2.0 * pair as f32 / config.head as f32;
            *frequency = libm::powf(config.rope_base, exponent);
        }
        Ok(Self {
            config,
            layout,
            vocabulary,
            parameters: summary.parameters,
            quantisation: summary.quantisation,
            model_bytes: model.len(),
        })
    }

    /// The model's hyperparameters.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The working set, by buffer.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The file's matrices, for a host that lays them out as its vector units like them:
    /// [`Products`] is then all that must know the layout.
    pub fn matrices<'a>(&'a self, arena: &'a mut [u32]) -> impl Iterator<Item = Place> + 'a {
        let table = Table(self.layout.split(arena).table);
        (0..table.slots()).filter_map(move |index| table.matrix(index, &self.config))
    }

    /// Weights, counted.
    pub fn parameters(&self) -> u64 {
        self.parameters
    }

    /// How the first layer's matrices are stored.
    pub fn quantisation(&self) -> ElementType {
        self.quantisation
    }

    /// Length of the model file.
    pub fn model_bytes(&self) -> usize {
        self.model_bytes
    }

    /// The token that ends a text, if the vocabulary names one.
    pub fn end_of_text(&self) -> Option<u32> {
        self.vocabulary.eos
    }

    /// Turns text into token ids, which [`Self::prompt`] then holds; returns how many.
    /// Uses the key-value cache as scratch: a running generation is lost.
    pub fn tokenize(
        &self,
        model: &[u8],
        arena: &mut [u32],
        text: &[u8],
        add_bos: bool,
    ) -> Result<usize, PromptError> {
        let (words, mut buffers) = self.layout.split_scratch(arena);
        self.vocabulary.encode(model, &mut buffers, words, text, add_bos)
    }

    /// Takes token ids as the prompt; returns how many.
    pub fn take_tokens(
        &self,
        arena: &mut [u32],
        ids: impl Iterator<Item = u32>,
    ) -> Result<usize, PromptError> {
        let prompt = self.layout.split(arena).prompt;
        let mut count = 0;
        for id in ids {
            if id as usize >= self.config.vocabulary {
                return Err(PromptError::UnknownToken(id));
            }
            *prompt.get_mut(count).ok_or(PromptError::TooLong)? = id;
            count += 1;
        }
        Ok(count)
    }

    /// The prompt's token ids; only as many as the last call counted are meaningful.
    pub fn prompt<'a>(&self, arena: &'a mut [u32]) -> &'a [u32] {
        self.layout.split(arena).prompt
    }

    /// Writes the text of `id` to `out`; returns the bytes written.
    pub fn piece(&self, model: &[u8], arena: &mut [u32], id: u32, out: &mut [u8]) -> usize {
        let buffers = self.layout.split(arena);
        self.vocabulary.piece(model, buffers.positions, id, out)
    }

    /// Logits of the last [`Self::forward`] that was asked for them.
    pub fn logits<'a>(&self, arena: &'a mut [u32]) -> &'a [f32] {
        self.layout.split(arena).logits
    }
}
