//! K-means: rows grouped around their means.
//!
//! Lloyd's iteration (1982) from seeds by k-means++ (Arthur and Vassilvitskii 2007), with
//! Hamerly's bounds (2010) to leave out rows that provably stay where they are, and scores
//! in 16-bit whole numbers that decide most of the others.

mod assign;
mod assigned;
mod distances;
mod error;
mod fit;
mod fitted;
mod frame;
mod init;
mod lloyd;
mod moments;
mod moves;
mod order;
mod parameters;
mod pause;
mod ranges;
mod search;
mod sums;
mod table;

#[cfg(test)]
mod tests;

pub use distances::distances;
pub use error::KMeansError;
pub use fitted::{Fitted, predict};
pub use frame::Frame;
pub use parameters::{Init, KMeans};
