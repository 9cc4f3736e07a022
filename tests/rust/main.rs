//! What a Rust user sees: only public paths, no Python.

mod cluster;
mod reservoir;
