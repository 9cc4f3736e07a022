//! K-means: rows grouped around their means.
//!
//! Lloyd's iteration (1982) from seeds by k-means++ (Arthur and Vassilvitskii 2007), with
//! Hamerly's bounds (2010) to leave out rows that provably stay where they are.

mod bounds;
mod distances;
mod error;
mod init;
mod lloyd;
mod order;
mod parameters;
mod pause;
mod sums;
mod table;

#[cfg(test)]
mod tests;

pub use distances::distances;
pub use error::KMeansError;
pub use parameters::{Fitted, Init, KMeans, predict};
