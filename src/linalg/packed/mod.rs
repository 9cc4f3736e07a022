//! Products of matrices whose rows lie side by side in panels.
//!
//! A panel holds [`Real::PANEL`](super::real::Real::PANEL) rows, dimension-major: a register
//! holds the same dimension of neighbouring rows. The innermost loop keeps a tile of six
//! numbers by two or four registers. Each entry of a result is one chain of additions over
//! the dimensions, so it depends on its own two rows alone.

mod gram;
mod nearest;
mod pages;
mod panel;
mod products;
mod quantised;
mod rounding;
mod strips;
mod tile;

#[cfg(test)]
mod tests;

pub use gram::gram;
pub use nearest::{Centres, nearest, nearest_in_panel, nearest_two_in_panel};
pub use pages::zeros;
pub use panel::{pack, pack_rows};
pub use products::{dots_in_panel, products};
pub use quantised::{LANES, Quantised, QuantisedCentres, Ranking};
pub use strips::Strips;
