use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::{Number, TelemetryError, bucket_quantile};

/// Seconds, for requests to a service: the usual choice of Prometheus clients.
pub const DEFAULT_BOUNDS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Above this many bounds a binary search is quicker than comparing with each.
const FEW: usize = 48;

/// How many observations fell into each bucket, and their sum.
#[derive(Debug)]
pub struct Histogram {
    bounds: Arc<[f64]>,
    counts: Box<[AtomicU64]>,
    sum: Number,
}

impl Histogram {
    /// One bucket per bound, the bound included, and one for what is beyond the last.
    pub fn new(bounds: Arc<[f64]>) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: Number::default() }
    }

    /// Strictly increasing and finite; a last bound of infinity is implied and dropped.
    pub fn checked_bounds(bounds: &[f64]) -> Result<Arc<[f64]>, TelemetryError> {
        let finite = match bounds.split_last() {
            Some((last, rest)) if *last == f64::INFINITY => rest,
            _ => bounds,
        };
        let rises = finite.windows(2).all(|pair| pair[0] < pair[1]);
        if finite.is_empty() || !rises || !finite.iter().all(|bound| bound.is_finite()) {
            return Err(TelemetryError::Parameter(format!(
                "buckets must be one or more finite numbers in increasing order, got {bounds:?}"
            )));
        }
        Ok(finite.into())
    }

    /// Counts `value`, which must not be NaN.
    #[inline]
    pub fn observe(&self, value: f64) -> Result<(), TelemetryError> {
        if value.is_nan() {
            return Err(TelemetryError::Value("value must be a number, got NaN".to_owned()));
        }
        let at = if self.bounds.len() <= FEW {
            self.bounds.iter().map(|bound| usize::from(*bound < value)).sum()
        } else {
            self.bounds.partition_point(|bound| *bound < value)
        };
        self.counts[at].fetch_add(1, Relaxed);
        self.sum.add(value);
        Ok(())
    }

    /// Upper bound of each bucket and how many observations are at or below it.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        bounds.zip(&self.counts).scan(0, |total, (bound, count)| {
            *total += count.load(Relaxed);
            Some((bound, *total))
        })
    }

    /// Of everything observed.
    pub fn sum(&self) -> f64 {
        self.sum.get()
    }

    /// How many were observed.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|count| count.load(Relaxed)).sum()
    }

    /// An estimate from the buckets, as `histogram_quantile` gives; NaN before the first
    /// observation.
    pub fn quantile(&self, q: f64) -> f64 {
        let buckets: Vec<_> = self.cumulative().map(|(le, n)| (le, n as f64)).collect();
        bucket_quantile(q, &buckets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let histogram = Histogram::new(Histogram::checked_bounds(&[1.0, 2.0]).unwrap());
        for value in [0.5, 1.0, 1.5, 2.0, 3.0] {
            histogram.observe(value).unwrap();
        }
        let counts: Vec<_> = histogram.cumulative().map(|(_, count)| count).collect();
        assert_eq!((counts, histogram.count()), (vec![2, 4, 5], 5));
        assert!((histogram.sum() - 8.0).abs() < 1e-12);
    }

    #[test]
    fn many_bounds_are_searched_to_the_same_bucket() {
        let bounds: Vec<f64> = (0..200).map(f64::from).collect();
        let histogram = Histogram::new(Histogram::checked_bounds(&bounds).unwrap());
        histogram.observe(100.0).unwrap();
        let first = histogram.cumulative().find(|(_, count)| *count == 1).unwrap();
        assert!((first.0 - 100.0).abs() < f64::EPSILON);
    }

    #[test]
    fn bounds_are_refused_with_their_rule() {
        for bad in [&[][..], &[1.0, 1.0], &[2.0, 1.0], &[f64::NAN], &[f64::INFINITY]] {
            let error = Histogram::checked_bounds(bad).unwrap_err().to_string();
            assert!(error.contains("increasing"), "{error}");
        }
        assert!(Histogram::new([1.0].into()).observe(f64::NAN).is_err());
    }
}
