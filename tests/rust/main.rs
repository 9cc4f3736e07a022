//! What a Rust user sees: only public paths, no Python.
#![allow(clippy::unwrap_used)]

mod cluster;
mod levels;
mod reservoir;
