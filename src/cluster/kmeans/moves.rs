use super::distances::Between;
use crate::linalg::packed::Centres;
use crate::linalg::real::Real;
use crate::linalg::simd::{Level, dispatch};

/// How far the centres went, and what else a bound needs to know of them.
pub(super) struct Moves<T> {
    /// Of each centre, rounded up.
    pub(super) own: Vec<T>,
    /// The largest of all others, rounded up.
    pub(super) others: Vec<T>,
    /// Half the way to the nearest other centre, rounded down.
    pub(super) half_gap: Vec<T>,
}

impl<T: Real> Moves<T> {
    /// The gaps cost `k * k` distances: without `gaps` they count as zero.
    pub(super) fn new(before: &Centres<T>, after: &Centres<T>, gaps: bool, level: Level) -> Self {
        const UP: f64 = 1.0 + 1e-6;
        let k = after.len();
        let zeros = vec![T::default(); after.dim()];
        let distance =
            |a: &[T], b: &[T]| dispatch(level, Between { a, b, zeros: &zeros }).wide().sqrt();
        let own: Vec<f64> = (0..k).map(|c| UP * distance(before.row(c), after.row(c))).collect();
        let others = (0..k).map(|c| {
            (0..k).filter(|other| *other != c).map(|other| own[other]).fold(0.0, f64::max)
        });
        let half_gap = (0..k).map(|c| {
            if !gaps {
                return 0.0;
            }
            let gaps = (0..k).filter(|o| *o != c).map(|o| distance(after.row(c), after.row(o)));
            gaps.fold(f64::INFINITY, f64::min) / 2.0 / UP
        });
        Self {
            others: others.map(|m| T::rounded(UP * m)).collect(),
            half_gap: half_gap.map(T::rounded).collect(),
            own: own.iter().map(|m| T::rounded(UP * *m)).collect(),
        }
    }
}
