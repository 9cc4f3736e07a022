//! One generation at a time, and the ring of its token records.

use super::board::Board;
use super::record::Reason;
use crate::engine::{Digest, Engine, Sampler};

/// Token records a device remembers.
pub const RING: usize = 256;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Record {
    pub(super) id: u32,
    pub(super) ticks: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Evaluating the prompt's token at `position`.
    Prompt,
    /// Evaluating `token` at `position`.
    Text {
        token: u32,
    },
    Ended(Reason),
}

/// A generation, running or ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Generation {
    pub(super) request: u32,
    /// Sequence number of the command that asked for it.
    pub(super) command: u16,
    pub(super) prompt_tokens: u16,
    pub(super) tokens: u16,
    pub(super) max_tokens: u16,
    pub(super) ignore_eos: bool,
    pub(super) sampler: Sampler,
    pub(super) digest: Digest,
    pub(super) phase: Phase,
    pub(super) position: usize,
    pub(super) start_ticks: u64,
    pub(super) prefill_ticks: u64,
    pub(super) end_ticks: u64,
    /// Counters at the start, then what the generation took.
    pub(super) counters: (Option<u64>, Option<u64>),
    /// The next record to send.
    pub(super) cursor: u16,
    pub(super) end_sent: bool,
}

impl Generation {
    /// The oldest record the ring still has.
    pub(super) fn oldest(&self) -> u16 {
        self.tokens.saturating_sub(RING as u16)
    }

    pub(super) fn end(&mut self, reason: Reason, board: &mut impl Board) {
        self.phase = Phase::Ended(reason);
        self.end_ticks = board.ticks();
        let (cycles, instructions) = board.counters();
        let since = |now: Option<u64>, then: Option<u64>| Some(now?.wrapping_sub(then?));
        self.counters = (since(cycles, self.counters.0), since(instructions, self.counters.1));
    }

    /// Evaluates one token; a token that comes out goes into the ring.
    pub(super) fn advance(
        &mut self,
        engine: &Engine,
        board: &mut impl Board,
        ring: &mut [Record; RING],
    ) {
        let last_of_prompt = self.position + 1 == usize::from(self.prompt_tokens);
        let (token, logits) = match self.phase {
            Phase::Ended(_) => return,
            Phase::Prompt => {
                let arena = board.workspace().1;
                (engine.prompt(arena)[self.position], last_of_prompt)
            }
            Phase::Text { token } => (token, true),
        };
        board.evaluate(engine, token, self.position, logits);
        self.position += 1;
        if self.phase == Phase::Prompt && last_of_prompt {
            self.prefill_ticks = board.ticks();
            if self.max_tokens == 0 {
                return self.end(Reason::Length, board);
            }
        }
        if !logits {
            return;
        }
        let id = self.sampler.pick(engine.logits(board.workspace().1));
        if !self.ignore_eos && engine.end_of_text() == Some(id) {
            return self.end(Reason::EndOfText, board);
        }
        ring[usize::from(self.tokens) % RING] = Record { id, ticks: board.ticks() };
        self.tokens += 1;
        self.digest = self.digest.with(id);
        if self.tokens == self.max_tokens {
            self.end(Reason::Length, board);
        } else if self.position == engine.config().context {
            self.end(Reason::Context, board);
        } else {
            self.phase = Phase::Text { token: id };
        }
    }
}
