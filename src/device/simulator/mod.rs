//! A microcontroller with an RV32IMC core that executes real firmware.
//!
//! What is executed is exact: instructions, memory touched, deepest stack, faults. How
//! long it takes is a model: a table of cycles per kind of instruction at the part's
//! clock, without caches, wait states or interrupts.

mod bus;
mod compressed;
mod decode;
mod elf;
mod error;
mod execute;
mod flow;
mod machine;
mod profile;
mod program;
mod report;

#[cfg(test)]
mod tests;

pub use error::{Fault, FaultKind, SimulatorError};
pub use machine::{Machine, Pause};
pub use profile::{CLASSES, Class, Cycles, PROFILES, Profile};
pub use report::Report;
