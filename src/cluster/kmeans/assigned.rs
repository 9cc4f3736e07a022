use std::ops::Range;

use super::pause::Pause;
use super::sums::Sums;
use crate::linalg::packed::LANES;
use crate::linalg::real::Real;

/// Where the rows of one range are, and how surely.
pub(super) struct Assigned<T> {
    pub(super) range: Range<usize>,
    /// One per lane, as all that follows.
    pub(super) labels: Vec<u32>,
    /// Labels of the step before.
    pub(super) before: Vec<u32>,
    /// At least the distance to the own centre.
    pub(super) upper: Vec<T>,
    /// At most the distance to any other centre.
    pub(super) lower: Vec<T>,
    /// Whether these two hold.
    pub(super) bounded: bool,
    /// What changed since it was last absorbed.
    pub(super) delta: Sums,
    pub(super) changed: usize,
    pub(super) placed: bool,
    pub(super) without_bounds: Pause,
    pub(super) without_tightening: Pause,
    pub(super) without_ranking: Pause,
}

impl<T: Real> Assigned<T> {
    pub(super) fn new(range: Range<usize>, k: usize, dim: usize) -> Self {
        let lanes = range.len().next_multiple_of(LANES);
        Self {
            range,
            labels: vec![0; lanes],
            before: vec![0; lanes],
            upper: vec![T::default(); lanes],
            lower: vec![T::default(); lanes],
            bounded: false,
            delta: Sums::new(k, dim),
            changed: 0,
            placed: false,
            without_bounds: Pause::default(),
            without_tightening: Pause::default(),
            without_ranking: Pause::default(),
        }
    }

    pub(super) fn labels(&self) -> &[u32] {
        &self.labels[..self.range.len()]
    }
}
