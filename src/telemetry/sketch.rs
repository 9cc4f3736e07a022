//! Quantiles with a bounded relative error: `DDSketch` (Masson, Rim & Lee, 2019).

use std::collections::VecDeque;

/// Relative error of a quantile.
const ACCURACY: f64 = 0.01;
/// Beyond this many buckets those nearest to zero are merged; at 1 % it spans 17 decades.
const MOST_BINS: usize = 2048;

/// Counts per bucket of logarithmic width; bucket `i` holds `(γ^(i-1), γ^i]`.
#[derive(Clone, Debug, Default)]
struct Bins {
    first: i32,
    counts: VecDeque<u64>,
}

impl Bins {
    fn add(&mut self, index: i32, count: u64) {
        if self.counts.is_empty() {
            self.first = index;
        }
        while index < self.first && self.counts.len() < MOST_BINS {
            self.counts.push_front(0);
            self.first -= 1;
        }
        let at = usize::try_from(index - self.first).unwrap_or(0);
        if at >= self.counts.len() + MOST_BINS {
            // Everything held lies below the new window: it collapses into its first bin.
            let total = self.counts.drain(..).sum();
            self.first = index - (MOST_BINS as i32 - 1);
            self.counts.push_back(total);
            return self.add(index, count);
        }
        while at >= self.counts.len() {
            self.counts.push_back(0);
        }
        self.counts[at] += count;
        while self.counts.len() > MOST_BINS {
            let lowest = self.counts.pop_front().unwrap_or(0);
            self.counts[0] += lowest;
            self.first += 1;
        }
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = (i32, u64)> {
        self.counts.iter().enumerate().map(|(i, &count)| (self.first + i as i32, count))
    }
}

/// A summary of a stream from which any quantile can be had within 1 %.
#[derive(Clone, Debug)]
pub struct Sketch {
    positive: Bins,
    negative: Bins,
    zero: u64,
    count: u64,
    least: f64,
    most: f64,
}

impl Default for Sketch {
    fn default() -> Self {
        Self {
            positive: Bins::default(),
            negative: Bins::default(),
            zero: 0,
            count: 0,
            least: f64::INFINITY,
            most: f64::NEG_INFINITY,
        }
    }
}

fn growth() -> f64 {
    (1.0 + ACCURACY) / (1.0 - ACCURACY)
}

fn index(magnitude: f64) -> i32 {
    (magnitude.ln() / growth().ln()).ceil() as i32
}

fn middle(index: i32) -> f64 {
    2.0 * growth().powi(index) / (growth() + 1.0)
}

impl Sketch {
    /// Takes a finite value in.
    pub fn observe(&mut self, value: f64) {
        self.count += 1;
        self.least = self.least.min(value);
        self.most = self.most.max(value);
        if value.abs() < f64::MIN_POSITIVE {
            self.zero += 1;
        } else if value > 0.0 {
            self.positive.add(index(value), 1);
        } else {
            self.negative.add(index(-value), 1);
        }
    }

    /// Takes in what `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.zero += other.zero;
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
        for (mine, theirs) in
            [(&mut self.positive, &other.positive), (&mut self.negative, &other.negative)]
        {
            for (index, count) in theirs.iter().filter(|(_, count)| *count > 0) {
                mine.add(index, count);
            }
        }
    }

    /// How many values it has seen.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// NaN when nothing was seen or `q` is outside `[0, 1]`.
    pub fn quantile(&self, q: f64) -> f64 {
        if self.count == 0 || !(0.0..=1.0).contains(&q) {
            return f64::NAN;
        }
        let rank = (q * (self.count - 1) as f64) as u64;
        let negative = self.negative.iter().rev().map(|(i, count)| (-middle(i), count));
        let positive = self.positive.iter().map(|(i, count)| (middle(i), count));
        let mut seen = 0;
        for (value, count) in negative.chain([(0.0, self.zero)]).chain(positive) {
            seen += count;
            if seen > rank {
                return value.clamp(self.least, self.most);
            }
        }
        self.most
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_quantile_is_within_one_percent(
            mut values in prop::collection::vec(
                prop_oneof![-1e6..1e6_f64, Just(0.0), 1e-3..1e-1_f64], 1..300),
            q in 0.0..=1.0_f64,
            split in 0..300_usize,
        ) {
            let (mut sketch, mut rest) = (Sketch::default(), Sketch::default());
            for (i, value) in values.iter().enumerate() {
                if i < split { sketch.observe(*value) } else { rest.observe(*value) }
            }
            sketch.merge(&rest);
            values.sort_by(f64::total_cmp);
            let exact = values[(q * (values.len() - 1) as f64) as usize];
            prop_assert!((sketch.quantile(q) - exact).abs() <= 0.0101 * exact.abs() + 1e-12);
        }
    }

    #[test]
    fn far_apart_values_use_bounded_memory_and_keep_the_upper_quantiles() {
        let mut sketch = Sketch::default();
        for value in [1e-300, 1e300, 1e-200, 1e299] {
            sketch.observe(value);
        }
        assert!(sketch.positive.counts.len() <= MOST_BINS);
        assert!((sketch.quantile(1.0) / 1e300 - 1.0).abs() < 0.011);
        assert_eq!(sketch.count(), 4);
    }
}
