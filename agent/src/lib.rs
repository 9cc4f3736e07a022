//! The part of Holdfast that runs on devices. No allocator, no clock, no I/O, no `unsafe`:
//! memory, time and wires come in through [`protocol::Board`], so the same code runs in
//! bare-metal firmware, in the instruction-set simulator and inside the Python package.
//!
//! | module       | holds                                                        |
//! |--------------|--------------------------------------------------------------|
//! | [`gguf`]     | reader of model files that trusts nothing in them            |
//! | [`engine`]   | llama architecture in integer arithmetic, tokenizer, sampler |
//! | [`protocol`] | frames, messages and the device's state machine              |

#![cfg_attr(not(any(test, feature = "fixture")), no_std)]

pub mod engine;
pub mod gguf;
pub mod protocol;

#[cfg(any(test, feature = "fixture"))]
pub mod fixture;
