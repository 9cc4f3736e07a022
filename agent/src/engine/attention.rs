//! One head's look back over the cache.

use super::exponential::{LOG2_E, exp2_negative};
use super::matrix::quantise;

/// Keys, queries and values use 12 bits: sums over 256 of them then fit 32.
pub(super) const CACHE: f32 = 2_047.0;
/// Attention weights of one head add up to this in size, so that sums of values fit 32 bits.
const WEIGHT_SUM: f32 = 524_288.0;

/// The keys and values of one layer.
#[derive(Clone, Copy)]
pub(super) struct Cache<'a> {
    pub(super) keys: &'a [i16],
    pub(super) values: &'a [i16],
    pub(super) key_scales: &'a [f32],
    pub(super) value_scales: &'a [f32],
    /// Key and value heads.
    pub(super) heads: usize,
}

/// Room for one head's work.
pub(super) struct Work<'a> {
    pub(super) integers: &'a mut [i16],
    pub(super) scores: &'a mut [i32],
    pub(super) sums: &'a mut [i32],
}

impl Cache<'_> {
    /// Writes to `out` the values of the positions before `count`, weighted by how well
    /// their keys match `query`.
    #[cfg_attr(target_arch = "x86_64", inline(always))]
    pub(super) fn attend(
        &self,
        kv: usize,
        count: usize,
        query: &[f32],
        work: &mut Work<'_>,
        out: &mut [f32],
    ) {
        let head = query.len();
        let integers = &mut work.integers[..head];
        let scores = &mut work.scores[..count];
        let query_scale = quantise(query, CACHE, integers);
        let factor = query_scale * (LOG2_E * 65_536.0) / libm::sqrtf(head as f32);
        let mut peak = i32::MIN;
        for (at, score) in scores.iter_mut().enumerate() {
            let cell = at * self.heads + kv;
            let mut dot = 0_i32;
            for (q, k) in integers.iter().zip(&self.keys[cell * head..][..head]) {
                dot += i32::from(*q) * i32::from(*k);
            }
            *score = (dot as f32 * (factor * self.key_scales[cell])) as i32;
            peak = peak.max(*score);
        }
        // The sum of the exponentials divides; the size of the scaled weights only chooses
        // how many bits they are rounded to.
        let (mut sum, mut size) = (0_u64, 0.0_f32);
        for (at, score) in scores.iter_mut().enumerate() {
            let e = exp2_negative(peak.wrapping_sub(*score) as u32);
            *score = e as i32;
            sum += u64::from(e);
            size += e as f32 * self.value_scales[at * self.heads + kv];
        }
        let inverse = if size > 0.0 { WEIGHT_SUM / size } else { 0.0 };
        let sums = &mut work.sums[..head];
        sums.fill(0);
        for (at, score) in scores.iter().enumerate() {
            let cell = at * self.heads + kv;
            let weight = (*score as f32 * self.value_scales[cell] * inverse) as i32;
            for (sum, value) in sums.iter_mut().zip(&self.values[cell * head..][..head]) {
                *sum = sum.wrapping_add(weight.wrapping_mul(i32::from(*value)));
            }
        }
        let unit = size / WEIGHT_SUM / sum as f32;
        for (out, sum) in out.iter_mut().zip(sums.iter()) {
            *out = *sum as f32 * unit;
        }
    }
}
