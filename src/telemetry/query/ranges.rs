//! What functions make of the samples of a range, as Prometheus 2 does.

use crate::telemetry::{Micros, SECOND, Sample, sorted_quantile};

/// The rise between the ends of the range: extrapolated from the first and last sample to
/// the ends where these are near, and not below zero for a counter.
pub(super) fn extrapolated(
    samples: &[Sample],
    start: Micros,
    end: Micros,
    counter: bool,
) -> Option<f64> {
    let [first, .., last] = samples else { return None };
    let mut rise = last.value - first.value;
    if counter {
        let fell = samples.windows(2).filter(|pair| pair[1].value < pair[0].value);
        rise += fell.map(|pair| pair[0].value).sum::<f64>();
    }
    let seconds = |micros: Micros| micros as f64 / SECOND as f64;
    let mut to_start = seconds(first.time - start);
    let to_end = seconds(end - last.time);
    let sampled = seconds(last.time - first.time);
    let between = sampled / (samples.len() - 1) as f64;
    if counter && rise > 0.0 && first.value >= 0.0 {
        to_start = to_start.min(sampled * (first.value / rise));
    }
    let threshold = between * 1.1;
    let mut reach = sampled;
    for gap in [to_start, to_end] {
        reach += if gap < threshold { gap } else { between / 2.0 };
    }
    Some(rise * (reach / sampled))
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

/// Compensated (Neumaier, 1974), so that a long window adds up.
pub(super) fn sum(values: &[f64]) -> f64 {
    let (mut sum, mut rest) = (0.0_f64, 0.0_f64);
    for &value in values {
        let next = sum + value;
        rest += if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    }
    if sum.is_finite() { sum + rest } else { sum }
}

pub(super) fn average(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let total = sum(values);
    if total.is_finite() || values.iter().any(|value| !value.is_finite()) {
        return total / count;
    }
    values.iter().map(|value| value / count).sum()
}

/// Of the population (Welford, 1962).
pub(super) fn variance(values: &[f64]) -> f64 {
    let (mut mean, mut squares) = (0.0, 0.0);
    for (i, value) in values.iter().enumerate() {
        let delta = value - mean;
        mean += delta / (i + 1) as f64;
        squares += delta * (value - mean);
    }
    squares / values.len() as f64
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
