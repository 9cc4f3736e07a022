//! Partition observations (rows) into groups.

mod consensus;
mod error;
mod init;
mod kmeans;
mod population;
mod subspace;

pub use consensus::{Consensus, ConsensusParameters, Member, locate};
pub use error::ClusterError;
pub use kmeans::{FittedKMeans, KMeans, assign};
pub use population::population_code;
pub use subspace::Subspace;
