use core::fmt;

/// Why a prompt cannot be evaluated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PromptError {
    /// No token at all.
    Empty,
    /// More tokens than the context holds, or text too long for the scratch memory.
    TooLong,
    /// A token id outside the vocabulary.
    UnknownToken(u32),
    /// The vocabulary is of a kind that only token ids can address here.
    NoTokenizer,
}

impl fmt::Display for PromptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the prompt must have at least one token"),
            Self::TooLong => write!(f, "the prompt does not fit the context"),
            Self::UnknownToken(id) => write!(f, "token id {id} is not in the vocabulary"),
            Self::NoTokenizer => {
                write!(f, "tokenizer.ggml.model is not 'llama': give token ids instead of text")
            }
        }
    }
}

impl core::error::Error for PromptError {}
