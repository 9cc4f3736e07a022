//! How far the last sample lies from those before it, in their own measure.

use crate::telemetry::{Sample, sorted_quantile};

/// Weight of the newest sample in the moving average where none is given.
pub(super) const WEIGHT: f64 = 0.3;

/// Fewer earlier samples make no baseline.
const FEWEST: usize = 3;

/// By exponentially weighted mean and variance (`MacGregor` & Harris, 1993).
pub(super) fn ewma(samples: &[Sample], weight: f64) -> Option<f64> {
    let (last, before) = samples.split_last()?;
    let (first, rest) = before.split_first().filter(|_| before.len() >= FEWEST)?;
    let (mut mean, mut variance) = (first.value, 0.0);
    for sample in rest {
        let delta = sample.value - mean;
        mean += weight * delta;
        variance = (1.0 - weight) * (variance + weight * delta * delta);
    }
    Some(scaled(last.value - mean, variance.sqrt()))
}

/// The modified z-score: by median and median absolute deviation, or the mean absolute
/// deviation where the former is 0 (Iglewicz & Hoaglin, 1993).
pub(super) fn robust(samples: &[Sample]) -> Option<f64> {
    let (last, before) = samples.split_last().filter(|(_, before)| before.len() >= FEWEST)?;
    let mut values: Vec<f64> = before.iter().map(|sample| sample.value).collect();
    values.sort_by(f64::total_cmp);
    let median = sorted_quantile(0.5, &values);
    let mut away: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
    away.sort_by(f64::total_cmp);
    let deviation = sorted_quantile(0.5, &away);
    let delta = last.value - median;
    if deviation > 0.0 {
        return Some(scaled(0.6745 * delta, deviation));
    }
    let mean = away.iter().sum::<f64>() / away.len() as f64;
    Some(scaled(delta, 1.253_314 * mean))
}

/// Beside a baseline that never moved any difference is infinitely far.
fn scaled(delta: f64, measure: f64) -> f64 {
    if delta == 0.0 { 0.0 } else { delta / measure }
}
