//! What can be wrong with a model file, in words for the person who made it.

use core::fmt;

/// Why a file cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FileError {
    /// The first four bytes are not `GGUF`.
    NotGguf,
    /// A version this reader does not know.
    Version(u32),
    /// A length or an offset points past the end.
    Truncated {
        /// Byte position of the read.
        at: usize,
    },
    /// A metadata value type outside the specification, or an array of arrays.
    ValueType {
        /// Its code.
        code: u32,
    },
    /// A key whose value has the wrong type or lies outside its domain.
    BadValue(&'static str),
    /// A key every model of this architecture has.
    MissingKey(&'static str),
    /// `general.architecture` is not `llama`.
    Architecture,
    /// Something of the architecture family that the engine does not compute.
    Unsupported(&'static str),
    /// More than four dimensions, or a dimension product that overflows.
    TensorShape {
        /// Position of the tensor in the file's table.
        index: u64,
    },
    /// A tensor the model needs is absent.
    MissingTensor(Role),
    /// A tensor does not have the shape its role demands.
    WrongShape(Role),
    /// A tensor is stored in a type the engine does not read.
    ElementType {
        /// Which tensor.
        role: Role,
        /// The type's code in the file.
        code: u32,
    },
    /// The file is larger than 4 GiB.
    TooLarge,
    /// The device's memory does not hold the model's working set.
    OutOfMemory {
        /// Bytes the working set takes.
        needed: u64,
        /// Bytes there are.
        available: u64,
    },
}

/// What a tensor is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Role {
    /// Layer, if it belongs to one.
    pub layer: Option<u32>,
    /// Name without `blk.N.` and `.weight`.
    pub name: &'static str,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layer {
            Some(layer) => write!(f, "blk.{layer}.{}.weight", self.name),
            None => write!(f, "{}.weight", self.name),
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGguf => write!(f, "not a GGUF file: it does not start with 'GGUF'"),
            Self::Version(version) => write!(f, "GGUF version must be 2 or 3, got {version}"),
            Self::Truncated { at } => {
                write!(f, "the file ends before what byte {at} announces")
            }
            Self::ValueType { code } => {
                write!(f, "metadata value type must be 0 to 12 and not nested, got {code}")
            }
            Self::BadValue(key) => write!(f, "{key} has a value no llama model can have"),
            Self::MissingKey(key) => write!(f, "metadata lacks {key}"),
            Self::Architecture => write!(f, "general.architecture must be 'llama'"),
            Self::Unsupported(what) => write!(f, "{what} is not supported"),
            Self::TensorShape { index } => {
                write!(f, "tensor {index} has more than 4 dimensions or an impossible size")
            }
            Self::MissingTensor(role) => write!(f, "tensor {role} is missing"),
            Self::WrongShape(role) => write!(f, "tensor {role} does not have its role's shape"),
            Self::ElementType { role, code } => {
                write!(f, "tensor {role} must be F32, F16, Q8_0 or Q4_0, got type {code}")
            }
            Self::TooLarge => write!(f, "models of 4 GiB and more are not supported"),
            Self::OutOfMemory { needed, available } => {
                write!(f, "the model needs {needed} bytes of working memory, there are {available}")
            }
        }
    }
}

impl core::error::Error for FileError {}
