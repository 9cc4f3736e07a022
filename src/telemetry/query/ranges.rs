//! What functions make of the samples of a range, as Prometheus 2 does.

use crate::telemetry::{Micros, SECOND, Sample, sorted_quantile};

/// The rise between the ends of the range, or per second of `seconds`: extrapolated from the first and last sample to
/// the ends where these are near, and not below zero for a counter.
pub(super) fn extrapolated(
    samples: &[Sample],
    start: Micros,
    end: Micros,
    counter: bool,
    seconds: Option<f64>,
) -> Option<f64> {
    let [first, .., last] = samples else { return None };
    let mut rise = last.value - first.value;
    if counter {
        let fell = samples.windows(2).filter(|pair| pair[1].value < pair[0].value);
        rise += fell.map(|pair| pair[0].value).sum::<f64>();
    }
    let in_seconds = |micros: Micros| micros as f64 / SECOND as f64;
    let mut to_start = in_seconds(first.time - start);
    let to_end = in_seconds(end - last.time);
    let sampled = in_seconds(last.time - first.time);
    let between = sampled / (samples.len() - 1) as f64;
    if counter && rise > 0.0 && first.value >= 0.0 {
        to_start = to_start.min(sampled * (first.value / rise));
    }
    let threshold = between * 1.1;
    let mut reach = sampled;
    for gap in [to_start, to_end] {
        reach += if gap < threshold { gap } else { between / 2.0 };
    }
    let factor = reach / sampled;
    Some(rise * seconds.map_or(factor, |range| factor / range))
}

/// From the last two samples: per second for a counter, else their difference.
pub(super) fn instant(samples: &[Sample], counter: bool) -> Option<f64> {
    let [.., before, last] = samples else { return None };
    if !counter {
        return Some(last.value - before.value);
    }
    let rise = if last.value < before.value { last.value } else { last.value - before.value };
    let seconds = (last.time - before.time) as f64 / SECOND as f64;
    (seconds > 0.0).then_some(rise / seconds)
}

/// A sum that keeps what rounding lost (Neumaier, 1974), so that a long window adds up.
#[derive(Clone, Copy, Default)]
struct Compensated {
    sum: f64,
    lost: f64,
}

impl Compensated {
    fn add(&mut self, value: f64) {
        let next = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() {
            (self.sum - next) + value
        } else {
            (value - next) + self.sum
        };
        self.sum = next;
    }

    fn get(self) -> f64 {
        if self.sum.is_infinite() { self.sum } else { self.sum + self.lost }
    }
}

pub(super) fn sum(values: &[f64]) -> f64 {
    let mut total = Compensated::default();
    for &value in values {
        total.add(value);
    }
    total.get()
}

/// A moving mean, which does not overflow where a sum would.
pub(super) fn average(values: &[f64]) -> f64 {
    let mut mean = Compensated::default();
    for (i, &value) in values.iter().enumerate() {
        if mean.sum.is_infinite() {
            let same = value.is_infinite() && (value > 0.0) == (mean.sum > 0.0);
            if same || value.is_finite() {
                continue;
            }
        }
        let count = (i + 1) as f64;
        mean.add(value / count - mean.sum / count);
    }
    mean.get()
}

/// Of the population (Welford, 1962).
pub(super) fn variance(values: &[f64]) -> f64 {
    let (mut mean, mut squares) = (Compensated::default(), Compensated::default());
    for (i, &value) in values.iter().enumerate() {
        let delta = value - mean.get();
        mean.add(delta / (i + 1) as f64);
        squares.add(delta * (value - mean.get()));
    }
    squares.get() / values.len() as f64
}

/// NaN only when there is nothing else.
pub(super) fn least(values: &[f64]) -> f64 {
    values.iter().copied().reduce(f64::min).unwrap_or(f64::NAN)
}

/// NaN only when there is nothing else.
pub(super) fn most(values: &[f64]) -> f64 {
    values.iter().copied().reduce(f64::max).unwrap_or(f64::NAN)
}

pub(super) fn changes(values: &[f64]) -> f64 {
    #[allow(clippy::float_cmp)] // any difference is a change
    let differ = |pair: &&[f64]| pair[0] != pair[1] && !(pair[0].is_nan() && pair[1].is_nan());
    values.windows(2).filter(differ).count() as f64
}

pub(super) fn resets(values: &[f64]) -> f64 {
    values.windows(2).filter(|pair| pair[1] < pair[0]).count() as f64
}

pub(super) fn quantile(q: f64, samples: &[Sample]) -> f64 {
    let mut values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
    sort(&mut values);
    sorted_quantile(q, &values)
}

/// NaN first.
pub(super) fn sort(values: &mut [f64]) {
    values.sort_by(|a, b| b.is_nan().cmp(&a.is_nan()).then(a.total_cmp(b)));
}
