use holdfast_agent::engine::PromptError;
use holdfast_agent::gguf::FileError;
use thiserror::Error;

use crate::task::Stopped;

/// Why an engine or a device on this machine cannot do what it was asked.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum DeviceError {
    /// The model file.
    #[error("{0}")]
    File(#[from] FileError),
    /// The prompt.
    #[error("{0}")]
    Prompt(#[from] PromptError),
    /// Whoever started it.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}
