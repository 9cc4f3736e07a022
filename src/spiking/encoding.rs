//! Numbers as spike times.

use crate::random::Random;

/// Spikes per second of an input of 1.
const RATE: f64 = 100.0;
/// Spikes per second of an input of 0.
const REST: f64 = 0.1;

/// Spike times in ms, sorted, one train per number: as many as a rate of 100 Hz per unit
/// (at least 0.1 Hz) gives in `duration` ms, rounded down, at uniform times.
///
/// The times depend on `seed`, `energy` and `duration` alone, not on earlier calls.
pub fn encode(energy: &[f64], duration: f64, seed: u64) -> Vec<Vec<f64>> {
    let mut random = Random::new(seed, fingerprint(energy, duration));
    let train = |energy: &f64| {
        let rate = (RATE * energy).max(REST);
        let count = (rate * duration / 1000.0) as usize;
        let mut times: Vec<f64> = (0..count).map(|_| random.between(0.0, duration)).collect();
        times.sort_unstable_by(f64::total_cmp);
        times
    };
    energy.iter().map(train).collect()
}

/// A number that differs between inputs; rounds of `SplitMix64`.
fn fingerprint(energy: &[f64], duration: f64) -> u64 {
    energy.iter().chain([&duration]).fold(energy.len() as u64, |hash, value| {
        // Both zeros are one number.
        let mut z = hash.wrapping_add((value + 0.0).to_bits()).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_follow_the_rate() {
        let trains = encode(&[0.0, 0.55, 1.0, -3.0], 100.0, 7);
        assert_eq!(trains.iter().map(Vec::len).collect::<Vec<_>>(), [0, 5, 10, 0]);
        assert!(trains.iter().flatten().all(|t| (0.0..100.0).contains(t)));
        assert!(trains.iter().all(|train| train.is_sorted()));
    }

    #[test]
    fn times_depend_on_seed_and_content_alone() {
        assert_eq!(encode(&[0.5, -0.0], 100.0, 1), encode(&[0.5, 0.0], 100.0, 1));
        assert_ne!(encode(&[0.5, 0.5], 100.0, 1), encode(&[0.5, 0.6], 100.0, 1));
        assert_ne!(encode(&[0.5], 100.0, 1), encode(&[0.5], 100.0, 2));
    }
}
