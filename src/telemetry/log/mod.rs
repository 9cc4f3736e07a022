//! One record as a line of JSON or as a line to read, with secrets left out.

mod json;
mod line;
mod redact;
mod rotation;
mod timestamp;

pub use line::{Line, Style};
pub use redact::{HIDDEN, Redactor};
pub use rotation::Rotation;
