//! Partition observations (rows) into groups.

pub mod density;
pub mod kmeans;
pub mod mixture;

mod consensus;
mod population;
mod silhouette;
mod subspace;

pub use consensus::{Consensus, ConsensusParameters, Member, locate};
pub use population::population_code;
pub use silhouette::silhouettes;
pub use subspace::Subspace;
