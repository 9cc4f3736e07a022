//! Ids of traces and spans (W3C Trace Context): unique, and telling nothing of their order.

use std::sync::atomic::{AtomicU64, Ordering};

/// A stream of ids that repeats after 2⁶⁴ spans; two processes differ by their seeds.
#[derive(Debug, Default)]
pub struct Ids {
    key: AtomicU64,
    tweak: AtomicU64,
    count: AtomicU64,
}

/// A bijection that leaves no pattern (`SplitMix64`; Steele, Lea & Flood, 2014).
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

impl Ids {
    /// Ids that need a seed.
    pub const fn new() -> Self {
        Self { key: AtomicU64::new(0), tweak: AtomicU64::new(0), count: AtomicU64::new(0) }
    }

    /// Before the first id, and again in a forked child.
    pub fn seed(&self, key: u64, tweak: u64) {
        self.key.store(key, Ordering::Relaxed);
        self.tweak.store(tweak, Ordering::Relaxed);
    }

    fn draw(&self) -> u64 {
        let at = self.count.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let bits = mix(at ^ self.key.load(Ordering::Relaxed));
        mix(bits.wrapping_add(self.tweak.load(Ordering::Relaxed)))
    }

    /// Eight bytes, not all of them zero.
    pub fn span(&self) -> u64 {
        loop {
            let id = self.draw();
            if id != 0 {
                return id;
            }
        }
    }

    /// Sixteen bytes, not all of them zero.
    pub fn trace(&self) -> u128 {
        (u128::from(self.span()) << 64) | u128::from(self.draw())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_id_comes_twice() {
        let ids = Ids::default();
        ids.seed(1, 2);
        let seen: HashSet<u64> = (0..100_000).map(|_| ids.span()).collect();
        assert_eq!(seen.len(), 100_000);
        assert!(!seen.contains(&0));
    }

    #[test]
    fn another_seed_is_another_stream_and_bits_are_even() {
        let draw = |key| {
            let ids = Ids::default();
            ids.seed(key, 7);
            (0..1000).map(|_| ids.trace()).collect::<Vec<_>>()
        };
        let (a, b) = (draw(1), draw(2));
        assert!(a.iter().all(|id| !b.contains(id)));
        let ones: u32 = a.iter().map(|id| id.count_ones()).sum();
        assert!((63_000..65_000).contains(&ones), "{ones}");
    }
}
