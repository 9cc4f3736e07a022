//! Key-value pairs.

use super::FileError;
use super::cursor::Cursor;

/// A metadata value. Integers of all widths are widened.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// `uint8` to `uint64`, and signed integers that are not negative.
    Unsigned(u64),
    /// A negative integer.
    Negative(i64),
    /// `float32` or `float64`.
    Float(f64),
    /// `bool`.
    Bool(bool),
    /// `string`, not necessarily UTF-8.
    String(&'a [u8]),
    /// Any array.
    Array(Array<'a>),
}

impl Value<'_> {
    /// The value as a count, if it is one.
    pub fn unsigned(&self) -> Option<u64> {
        if let Self::Unsigned(value) = self { Some(*value) } else { None }
    }

    /// The value as a number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Unsigned(value) => Some(*value as f64),
            Self::Negative(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }
}

/// An array, still in the file.
#[derive(Clone, Copy, Debug)]
pub struct Array<'a> {
    bytes: &'a [u8],
    /// Position of the first element in the file.
    pub at: usize,
    /// Number of elements.
    pub count: usize,
    /// GGUF value type of the elements.
    pub element: u32,
}

const STRING: u32 = 8;

impl<'a> Array<'a> {
    /// The elements in order.
    pub fn values(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let mut cursor = Cursor::from(self.bytes, self.at);
        let element = self.element;
        (0..self.count).map_while(move |_| scalar(&mut cursor, element).ok())
    }

    /// Positions of the elements in the file.
    pub fn positions(&self) -> impl Iterator<Item = usize> + use<'a> {
        let mut cursor = Cursor::from(self.bytes, self.at);
        let element = self.element;
        (0..self.count).map_while(move |_| {
            let at = cursor.at();
            scalar(&mut cursor, element).ok().map(|_| at)
        })
    }
}

/// Iterator over key-value pairs of a file that was walked before.
#[derive(Clone, Debug)]
pub struct Metadata<'a> {
    cursor: Cursor<'a>,
    left: u64,
}

impl<'a> Metadata<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize, left: u64) -> Self {
        Self { cursor: Cursor::from(bytes, at), left }
    }
}

impl<'a> Iterator for Metadata<'a> {
    type Item = (&'a [u8], Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        entry(&mut self.cursor).ok()
    }
}

pub(super) fn entry<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a [u8], Value<'a>), FileError> {
    let key = cursor.string()?;
    let code = cursor.u32()?;
    if code != 9 {
        return Ok((key, scalar(cursor, code)?));
    }
    let element = cursor.u32()?;
    let size = fixed_size(element).unwrap_or(8); // a string takes its length at least
    if element == 9 || element > 12 {
        return Err(FileError::ValueType { code: element });
    }
    let count = cursor.count(size)?;
    let at = cursor.at();
    let array = Array { bytes: cursor.file(), at, count, element };
    if element == STRING {
        for _ in 0..count {
            cursor.string()?;
        }
    } else {
        cursor.skip(count * size)?;
    }
    Ok((key, Value::Array(array)))
}

fn fixed_size(code: u32) -> Option<usize> {
    match code {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

fn scalar<'a>(cursor: &mut Cursor<'a>, code: u32) -> Result<Value<'a>, FileError> {
    let signed = |value: i64| u64::try_from(value).map_or(Value::Negative(value), Value::Unsigned);
    Ok(match code {
        0 => Value::Unsigned(u64::from(cursor.take(1)?[0])),
        1 => signed(i64::from(cursor.take(1)?[0] as i8)),
        2 | 3 => {
            let b = cursor.take(2)?;
            let value = u16::from_le_bytes([b[0], b[1]]);
            if code == 2 { Value::Unsigned(value.into()) } else { signed((value as i16).into()) }
        }
        4 => Value::Unsigned(cursor.u32()?.into()),
        5 => signed((cursor.u32()? as i32).into()),
        6 => Value::Float(f32::from_bits(cursor.u32()?).into()),
        7 => Value::Bool(cursor.take(1)?[0] != 0),
        STRING => Value::String(cursor.string()?),
        10 => Value::Unsigned(cursor.u64()?),
        11 => signed(cursor.u64()? as i64),
        12 => Value::Float(f64::from_bits(cursor.u64()?)),
        code => return Err(FileError::ValueType { code }),
    })
}
