//! GGUF, versions 2 and 3 (<https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>),
//! read in place. Every length and offset is checked against the file before it is used,
//! and nothing is allocated, so a hostile file costs time proportional to its size at most.

mod cursor;
mod error;
mod metadata;
mod tensors;

pub use error::{FileError, Role};
pub use metadata::{Array, Metadata, Value};
pub use tensors::{ElementType, Tensor, Tensors};

use cursor::Cursor;

/// A file whose header and metadata have been walked once.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    bytes: &'a [u8],
    version: u32,
    metadata_count: u64,
    metadata_at: usize,
    tensor_count: u64,
    tensors_at: usize,
    data_at: usize,
}

impl<'a> File<'a> {
    /// Walks metadata and tensor table once; afterwards both iterate without errors.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FileError> {
        let mut cursor = Cursor::new(bytes);
        if bytes.len() < 4 || &bytes[..4] != b"GGUF" {
            return Err(FileError::NotGguf);
        }
        cursor.skip(4)?;
        let version = cursor.u32()?;
        if !(2..=3).contains(&version) {
            return Err(FileError::Version(version));
        }
        let tensor_count = cursor.u64()?;
        let metadata_count = cursor.u64()?;
        let metadata_at = cursor.at();
        let mut alignment = 32;
        for _ in 0..metadata_count {
            let (key, value) = metadata::entry(&mut cursor)?;
            if key == b"general.alignment" {
                alignment = match value {
                    Value::Unsigned(n @ 1..=65_536) if n.is_power_of_two() => n as usize,
                    _ => return Err(FileError::BadValue("general.alignment")),
                };
            }
        }
        let tensors_at = cursor.at();
        for _ in 0..tensor_count {
            tensors::skip(&mut cursor)?;
        }
        let data_at = cursor.at().next_multiple_of(alignment).min(bytes.len());
        let file =
            Self { bytes, version, metadata_count, metadata_at, tensor_count, tensors_at, data_at };
        Ok(file)
    }

    /// The format's version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// All key-value pairs, in the file's order.
    pub fn metadata(&self) -> Metadata<'a> {
        Metadata::new(self.bytes, self.metadata_at, self.metadata_count)
    }

    /// All tensors, in the file's order, each checked against the file's length.
    pub fn tensors(&self) -> Tensors<'a> {
        Tensors::new(self.bytes, self.tensors_at, self.tensor_count, self.data_at)
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        self.metadata().find(|(name, _)| *name == key.as_bytes()).map(|(_, value)| value)
    }
}
