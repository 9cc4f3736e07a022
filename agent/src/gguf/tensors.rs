//! The tensor table.

use super::FileError;
use super::cursor::Cursor;

/// How a tensor's elements are stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum ElementType {
    /// IEEE binary32.
    F32 = 0,
    /// IEEE binary16.
    F16 = 1,
    /// 32 values of 4 bits and a binary16 scale.
    Q4_0 = 2,
    /// 32 values of 8 bits and a binary16 scale.
    Q8_0 = 8,
}

impl ElementType {
    /// The type a file's code stands for.
    pub fn from_code(code: u32) -> Option<Self> {
        match code {
            0 => Some(Self::F32),
            1 => Some(Self::F16),
            2 => Some(Self::Q4_0),
            8 => Some(Self::Q8_0),
            _ => None,
        }
    }

    /// Bytes of a row, if `columns` fills whole blocks.
    pub fn row_bytes(self, columns: usize) -> Option<usize> {
        let (block, bytes) = match self {
            Self::F32 => (1, 4),
            Self::F16 => (1, 2),
            Self::Q4_0 => (32, 18),
            Self::Q8_0 => (32, 34),
        };
        if columns.is_multiple_of(block) { (columns / block).checked_mul(bytes) } else { None }
    }

    /// Its name in ggml.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Q4_0 => "Q4_0",
            Self::Q8_0 => "Q8_0",
        }
    }
}

/// One entry of the table.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    /// Its name, not necessarily UTF-8.
    pub name: &'a [u8],
    /// Sizes, fastest first, ones behind.
    pub sizes: [u64; 4],
    /// The file's code of the element type.
    pub code: u32,
    /// Position of its data in the file.
    pub at: usize,
}

impl Tensor<'_> {
    /// Its bytes, if the type is known, rows are whole blocks and the file holds them all.
    pub fn byte_count(&self, file_length: usize) -> Option<usize> {
        let columns = usize::try_from(self.sizes[0]).ok()?;
        let row = ElementType::from_code(self.code)?.row_bytes(columns)?;
        let rows = self.sizes[1].checked_mul(self.sizes[2])?.checked_mul(self.sizes[3])?;
        let bytes = usize::try_from(rows).ok()?.checked_mul(row)?;
        (self.at.checked_add(bytes)? <= file_length).then_some(bytes)
    }
}

/// Iterator over the table of a file that was walked before.
#[derive(Clone, Debug)]
pub struct Tensors<'a> {
    cursor: Cursor<'a>,
    left: u64,
    index: u64,
    data_at: usize,
}

impl<'a> Tensors<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize, left: u64, data_at: usize) -> Self {
        Self { cursor: Cursor::from(bytes, at), left, index: 0, data_at }
    }
}

impl<'a> Iterator for Tensors<'a> {
    type Item = Result<Tensor<'a>, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let index = self.index;
        self.index += 1;
        Some(entry(&mut self.cursor).and_then(|(name, sizes, code, offset)| {
            let offset = usize::try_from(offset).ok();
            let at = offset.and_then(|offset| self.data_at.checked_add(offset));
            let at = at.ok_or(FileError::TensorShape { index })?;
            Ok(Tensor { name, sizes, code, at })
        }))
    }
}

pub(super) fn skip(cursor: &mut Cursor<'_>) -> Result<(), FileError> {
    entry(cursor).map(|_| ())
}

type Entry<'a> = (&'a [u8], [u64; 4], u32, u64);

fn entry<'a>(cursor: &mut Cursor<'a>) -> Result<Entry<'a>, FileError> {
    let name = cursor.string()?;
    let dimensions = cursor.u32()? as usize;
    if dimensions > 4 {
        return Err(FileError::TensorShape { index: 0 });
    }
    let mut sizes = [1; 4];
    for size in &mut sizes[..dimensions] {
        *size = cursor.u64()?;
    }
    Ok((name, sizes, cursor.u32()?, cursor.u64()?))
}
