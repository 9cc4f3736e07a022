//! Density clustering.

mod dbscan;
mod sets;
mod tree;

pub use dbscan::{Dbscan, dbscan};
