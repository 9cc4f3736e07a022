//! The engine on this machine, with its vector units.

use holdfast_agent::engine::{Digest, Engine, PromptError, Sampler};
use holdfast_agent::protocol::Reason;

use crate::task::Task;

use super::DeviceError;
use super::packed::PackedModel;

/// Contexts are cut to this unless more is asked for, as most models are trained with far
/// more than a small text takes and the cache is laid out at once.
pub const DEFAULT_CONTEXT: usize = 4096;

/// A model with its working memory.
#[derive(Clone, Debug)]
pub struct HostModel {
    model: PackedModel,
    arena: Vec<u32>,
    engine: Engine,
}

/// What a generation gave.
#[derive(Clone, Debug)]
pub struct Generated {
    /// Token ids.
    pub tokens: Vec<u32>,
    /// When each was known.
    pub ticks: Vec<u64>,
    /// When the generation began.
    pub start: u64,
    /// When the prompt had been evaluated.
    pub prefill: u64,
    /// When it ended.
    pub end: u64,
    /// Why it ended.
    pub reason: Reason,
    /// Of the tokens.
    pub digest: Digest,
}

impl HostModel {
    /// Checks `model`, then makes room for it.
    pub fn new(model: Vec<u8>, context: Option<usize>) -> Result<Self, DeviceError> {
        let context = Some(context.unwrap_or(DEFAULT_CONTEXT));
        let layout = Engine::plan(&model, context)?;
        let mut arena = vec![0; layout.words()];
        let engine = Engine::load(&model, context, &mut arena)?;
        let model = PackedModel::new(&engine, &model, &mut arena);
        Ok(Self { model, arena, engine })
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The file; its matrices are laid out for this machine's vector units.
    pub fn model(&self) -> &[u8] {
        self.model.file()
    }

    /// Token ids of `text`.
    pub fn tokenize(&mut self, text: &[u8], add_bos: bool) -> Result<Vec<u32>, DeviceError> {
        let count = self.engine.tokenize(self.model.file(), &mut self.arena, text, add_bos)?;
        Ok(self.engine.prompt(&mut self.arena)[..count].to_vec())
    }

    /// The text of one token.
    pub fn piece(&mut self, id: u32) -> Vec<u8> {
        let mut piece = [0; 256];
        let length = self.engine.piece(self.model.file(), &mut self.arena, id, &mut piece);
        piece[..length].to_vec()
    }

    fn check(&self, ids: &[u32]) -> Result<(), PromptError> {
        let vocabulary = self.engine.config().vocabulary;
        match ids.iter().find(|id| **id as usize >= vocabulary) {
            Some(id) => Err(PromptError::UnknownToken(*id)),
            None if ids.is_empty() => Err(PromptError::Empty),
            None if ids.len() > self.engine.config().context => Err(PromptError::TooLong),
            None => Ok(()),
        }
    }

    /// Evaluates `ids` from an empty context; logits of the last one.
    pub fn evaluate(&mut self, ids: &[u32]) -> Result<&[f32], DeviceError> {
        self.check(ids)?;
        for (position, id) in ids.iter().enumerate() {
            let last = position + 1 == ids.len();
            self.model.forward(&self.engine, &mut self.arena, *id, position, last);
        }
        Ok(self.engine.logits(&mut self.arena))
    }

    /// Continues `prompt`. `now` is read once per token; `task` may stop it in between.
    pub fn generate(
        &mut self,
        prompt: &[u32],
        max_tokens: usize,
        mut sampler: Sampler,
        ignore_eos: bool,
        now: impl Fn() -> u64,
        task: &Task,
    ) -> Result<Generated, DeviceError> {
        self.check(prompt)?;
        let start = now();
        let mut made = Generated {
            tokens: Vec::new(),
            ticks: Vec::new(),
            start,
            prefill: start,
            end: start,
            reason: Reason::Length,
            digest: Digest::default(),
        };
        let mut position = 0;
        for id in prompt {
            task.check()?;
            let last = position + 1 == prompt.len();
            self.model.forward(&self.engine, &mut self.arena, *id, position, last);
            position += 1;
        }
        made.prefill = now();
        while made.tokens.len() < max_tokens {
            task.check()?;
            let id = sampler.pick(self.engine.logits(&mut self.arena));
            if !ignore_eos && self.engine.end_of_text() == Some(id) {
                made.reason = Reason::EndOfText;
                break;
            }
            made.tokens.push(id);
            made.ticks.push(now());
            made.digest = made.digest.with(id);
            if made.tokens.len() == max_tokens {
                break;
            }
            if position == self.engine.config().context {
                made.reason = Reason::Context;
                break;
            }
            self.model.forward(&self.engine, &mut self.arena, id, position, true);
            position += 1;
        }
        made.end = now();
        Ok(made)
    }
}
