//! Choosing the next token, and summing up the chosen ones.

use super::exponential::{LOG2_E, exp2_negative};

/// Picks tokens: the likeliest one at temperature zero, else by chance from a seed.
/// Integer sums, so a seed gives the same text on every target.
#[derive(Clone, Copy, Debug)]
pub struct Sampler {
    scale: f32,
    state: u64,
}

impl Sampler {
    /// `temperature_milli` in thousandths.
    pub fn new(temperature_milli: u16, seed: u32) -> Self {
        let scale = match temperature_milli {
            0 => 0.0,
            t => 1000.0 / f32::from(t) * (LOG2_E * 65_536.0),
        };
        Self { scale, state: u64::from(seed) }
    }

    /// The next token.
    pub fn pick(&mut self, logits: &[f32]) -> u32 {
        let mut best = 0;
        for (id, logit) in logits.iter().enumerate() {
            if *logit > logits[best] {
                best = id;
            }
        }
        if self.scale == 0.0 {
            return best as u32;
        }
        let peak = logits[best];
        let weight = |logit: &f32| -> u64 {
            u64::from(exp2_negative(((peak - logit) * self.scale) as u32) >> 14)
        };
        let sum: u64 = logits.iter().map(weight).sum();
        let mut left = ((self.state_after() >> 40) * sum) >> 24;
        let mut chosen = best;
        for (id, logit) in logits.iter().enumerate() {
            let weight = weight(logit);
            if left < weight {
                chosen = id;
                break;
            }
            left -= weight;
        }
        self.state = self.state.wrapping_add(GOLDEN);
        chosen as u32
    }

    /// `SplitMix64` (Steele, Lea and Flood 2014).
    fn state_after(&self) -> u64 {
        let mut z = self.state.wrapping_add(GOLDEN);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// FNV-1a over token ids as four little-endian bytes each: equal texts, equal digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(pub u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    /// With one more token.
    #[must_use]
    pub fn with(self, id: u32) -> Self {
        let step =
            |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        Self(id.to_le_bytes().into_iter().fold(self.0, step))
    }
}
