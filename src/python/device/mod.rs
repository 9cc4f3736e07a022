//! Devices that run language models.

mod client;
mod engine;
mod events;
mod gguf;
mod local;
mod simulator;

pub(super) use client::ProtocolClient;
pub(super) use engine::HostEngine;
pub(super) use gguf::inspect_gguf;
pub(super) use local::LocalAgent;
pub(super) use simulator::{SimulatedDevice, simulated_profiles};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A panic in another thread left nothing half-written that the next call could not bear.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
