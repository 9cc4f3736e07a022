//! What a series usually is, and how far its last sample lies from that.
//!
//! A sample that is not a number says nothing and is left out.

use crate::telemetry::{Sample, sorted_quantile};

/// Weight of the newest sample in the moving average where none is given.
pub(super) const WEIGHT: f64 = 0.3;

/// Fewer earlier samples make no baseline to measure a distance from.
const FEWEST: usize = 3;

fn numbers(samples: &[Sample]) -> Vec<f64> {
    samples.iter().map(|sample| sample.value).filter(|value| !value.is_nan()).collect()
}

/// Exponentially weighted mean and standard deviation (`MacGregor` & Harris, 1993).
pub(super) fn moving(samples: &[Sample], weight: f64) -> Option<(f64, f64)> {
    moving_of(&numbers(samples), weight)
}

fn moving_of(values: &[f64], weight: f64) -> Option<(f64, f64)> {
    let (first, rest) = values.split_first()?;
    let (mut mean, mut variance) = (*first, 0.0);
    for value in rest {
        let delta = value - mean;
        mean += weight * delta;
        variance = (1.0 - weight) * (variance + weight * delta * delta);
    }
    Some((mean, variance.sqrt()))
}

/// Distance of the last sample from the moving average of those before it.
pub(super) fn moving_zscore(samples: &[Sample], weight: f64) -> Option<f64> {
    let values = numbers(samples);
    let (last, before) = values.split_last().filter(|(_, before)| before.len() >= FEWEST)?;
    let (mean, deviation) = moving_of(before, weight)?;
    Some(scaled(last - mean, deviation))
}

/// Median and median absolute deviation.
pub(super) fn robust(samples: &[Sample]) -> Option<(f64, f64)> {
    let values = numbers(samples);
    (!values.is_empty()).then(|| {
        let (median, away) = around_median(values);
        (median, sorted_quantile(0.5, &away))
    })
}

/// The modified z-score of the last sample among those before it: by median and median
/// absolute deviation, or the mean absolute deviation where the former is 0 (Iglewicz &
/// Hoaglin, 1993).
pub(super) fn robust_zscore(samples: &[Sample]) -> Option<f64> {
    let values = numbers(samples);
    let (last, before) = values.split_last().filter(|(_, before)| before.len() >= FEWEST)?;
    let (median, away) = around_median(before.to_vec());
    let deviation = sorted_quantile(0.5, &away);
    let delta = last - median;
    if deviation > 0.0 {
        return Some(scaled(0.6745 * delta, deviation));
    }
    let mean = away.iter().sum::<f64>() / away.len() as f64;
    Some(scaled(delta, 1.253_314 * mean))
}

/// The median, and the distances from it in order.
fn around_median(mut values: Vec<f64>) -> (f64, Vec<f64>) {
    values.sort_by(f64::total_cmp);
    let median = sorted_quantile(0.5, &values);
    let mut away: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
    away.sort_by(f64::total_cmp);
    (median, away)
}

/// Beside a baseline that never moved any difference is infinitely far.
fn scaled(delta: f64, measure: f64) -> f64 {
    if delta == 0.0 { 0.0 } else { delta / measure }
}
