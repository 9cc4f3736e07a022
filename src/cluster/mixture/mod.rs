//! Mixtures of normal distributions.

mod error;
mod expectation;
mod fit;
mod gaussians;

#[cfg(test)]
mod tests;

pub use error::MixtureError;
pub use expectation::log_probabilities;
pub use fit::{Fitted, Mixture};
pub use gaussians::Gaussians;
