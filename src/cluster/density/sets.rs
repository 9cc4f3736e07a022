//! Disjoint sets that many threads unite at once.

use std::sync::atomic::{AtomicU32, Ordering};

/// Sets of `0..n`; a set goes by its least member, so the result does not depend on the order
/// of the unions (Anderson and Woll, 1991, "Wait-free parallel algorithms for the union-find
/// problem", with linking by index).
#[derive(Debug)]
pub(super) struct Sets {
    parents: Vec<AtomicU32>,
}

impl Sets {
    /// Every member on its own.
    pub(super) fn new(n: usize) -> Self {
        Self { parents: (0..n as u32).map(AtomicU32::new).collect() }
    }

    /// The least member known of the set of `x`; final once all unions are done.
    pub(super) fn find(&self, mut x: u32) -> u32 {
        // Relaxed: nothing but the parents themselves is read through them.
        loop {
            let parent = self.parents[x as usize].load(Ordering::Relaxed);
            if parent == x {
                return x;
            }
            let above = self.parents[parent as usize].load(Ordering::Relaxed);
            if above != parent {
                // Parents only ever fall, so an old one is a detour at worst.
                self.parents[x as usize].fetch_min(above, Ordering::Relaxed);
            }
            x = above;
        }
    }

    /// Makes one set of those of `a` and `b`.
    pub(super) fn unite(&self, a: u32, b: u32) {
        loop {
            let (a, b) = (self.find(a), self.find(b));
            if a == b {
                return;
            }
            let (low, high) = (a.min(b), a.max(b));
            let (free, done) = (Ordering::Relaxed, Ordering::Relaxed);
            if self.parents[high as usize].compare_exchange(high, low, free, done).is_ok() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;

    #[test]
    fn sets_united_from_many_threads_go_by_their_least_member() {
        let sets = Sets::new(10_000);
        (0..9_990_u32).into_par_iter().rev().for_each(|i| sets.unite(i + 10, i));
        for i in 0..10_000 {
            assert_eq!(sets.find(i), i % 10);
        }
    }
}
