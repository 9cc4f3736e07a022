//! How winner-take-all units learn.

use ndarray::{Array2, ArrayView2, Axis};

use super::dictionary::{patches, positions};
use crate::linalg::packed::{Centres, nearest};
use crate::linalg::simd::Level;
use crate::random::Random;
use crate::series::Series;
use crate::task::{Stopped, Task};

/// Patches between two looks at who wins.
const BATCH: usize = 1024;
/// Times every patch is seen.
const EPOCHS: usize = 10;
/// A unit that wins less than this share of the most frequent winner starts anew.
const IDLE: f64 = 0.01;

/// Parameters of a layer.
#[derive(Clone, Debug)]
pub struct Competition {
    /// Units.
    pub units: usize,
    /// Patches to learn from.
    pub sample: usize,
    /// Added to the standard deviation a patch is divided by.
    pub epsilon: f32,
    /// Fixes the patches, the first weights and the order.
    pub seed: u64,
}

impl Competition {
    /// Weights of a layer, `(units, channels.len() * TAPS)`.
    ///
    /// The winner's weights move to the patch by one over the number of its wins. Driven by
    /// Poisson spikes this is the STDP rule of Nessler et al. (2013), "Bayesian computation
    /// emerges in generic cortical microcircuits through spike-timing-dependent plasticity".
    pub fn learn(
        &self,
        series: &Series<f32>,
        channels: &[usize],
        dilation: usize,
        level: Level,
        task: &Task,
    ) -> Result<Array2<f32>, Stopped> {
        let mut random = Random::new(self.seed, 0);
        let wanted = self.draw(series, dilation, &mut random);
        let all = patches(series, channels, dilation, self.epsilon, &wanted);
        let patches = all.as_slice().unwrap_or_default();
        let mut order: Vec<usize> = (0..all.nrows()).collect();
        random.shuffle(&mut order);
        let mut weights = self.spread(all.view(), &order, &mut random);
        let mut wins = vec![1.0_f64; self.units];
        let width = weights.ncols();
        let origin = vec![0.0; width];
        let mut rows = Vec::with_capacity(BATCH * width);
        for epoch in 0..EPOCHS {
            for batch in order.chunks(BATCH) {
                task.check()?;
                rows.clear();
                for i in batch {
                    rows.extend_from_slice(&patches[i * width..(i + 1) * width]);
                }
                let units = Centres::new(weights.view());
                let winners = nearest(&rows, &origin, &units, level, task)?;
                let weights = weights.as_slice_mut().unwrap_or_default();
                for (row, winner) in rows.chunks_exact(width).zip(winners) {
                    let winner = winner as usize;
                    wins[winner] += 1.0;
                    let rate = (1.0 / wins[winner]) as f32;
                    let unit = &mut weights[winner * width..(winner + 1) * width];
                    unit.iter_mut().zip(row).for_each(|(w, p)| *w += rate * (*p - *w));
                }
            }
            if epoch + 2 < EPOCHS {
                self.wake(&mut weights, &mut wins, all.view(), &mut random);
            }
            random.shuffle(&mut order);
        }
        Ok(weights)
    }

    /// Patches from series drawn with replacement, some from each.
    fn draw(
        &self,
        series: &Series<f32>,
        dilation: usize,
        random: &mut Random,
    ) -> Vec<(usize, usize)> {
        let each = (self.sample / series.len().max(1)).max(20);
        let mut wanted = Vec::new();
        for _ in 0..4 * series.len() {
            if wanted.len() >= self.sample {
                break;
            }
            let i = random.index(series.len());
            let n = positions(series.length(i), dilation);
            wanted.extend((0..n.min(each)).map(|_| (i, random.index(n))));
        }
        wanted
    }

    /// First weights: patches far from each other, as in k-means++.
    fn spread(
        &self,
        patches: ArrayView2<f32>,
        order: &[usize],
        random: &mut Random,
    ) -> Array2<f32> {
        let from = &order[..order.len().min(3 * BATCH)];
        let mut weights = Array2::zeros((self.units, patches.ncols()));
        // A column for each tap: the distances to all patches vectorise.
        let columns = patches.select(Axis(0), from).reversed_axes().as_standard_layout().to_owned();
        let mut distances = vec![0.0; from.len()];
        let mut closest = vec![f32::INFINITY; from.len()];
        let mut next = random.index(from.len());
        for unit in 0..self.units {
            let chosen = columns.column(next);
            weights.row_mut(unit).assign(&chosen);
            distances.fill(0.0);
            let taps = columns.as_slice().unwrap_or_default().chunks_exact(from.len());
            for (column, chosen) in taps.zip(chosen) {
                for (distance, x) in distances.iter_mut().zip(column) {
                    *distance += (x - chosen) * (x - chosen);
                }
            }
            for (closest, distance) in closest.iter_mut().zip(&distances) {
                *closest = closest.min(*distance);
            }
            let mut left = random.uniform() * closest.iter().map(|c| f64::from(*c)).sum::<f64>();
            next = closest
                .iter()
                .position(|c| {
                    left -= f64::from(*c);
                    left < 0.0
                })
                .unwrap_or_else(|| random.index(from.len()));
        }
        weights
    }

    fn wake(
        &self,
        weights: &mut Array2<f32>,
        wins: &mut [f64],
        patches: ArrayView2<f32>,
        random: &mut Random,
    ) {
        let most = wins.iter().copied().fold(0.0, f64::max);
        let least = wins.iter().copied().filter(|w| *w >= IDLE * most).fold(most, f64::min);
        for unit in 0..self.units {
            if wins[unit] < IDLE * most {
                weights.row_mut(unit).assign(&patches.row(random.index(patches.nrows())));
                wins[unit] = least;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
    }

    #[test]
    fn units_come_to_rest_on_the_patterns_that_occur() {
        // A square wave of period 18 has, at dilation 1, eighteen different patches.
        let values = Array2::from_shape_fn((900, 1), |(i, _)| if i % 18 < 9 { 1.0 } else { -1.0 });
        let series = Series::new(values.view(), &[300, 300, 300]).unwrap();
        let rule = Competition { units: 40, sample: 2000, epsilon: 0.1, seed: 0 };
        let weights = rule.learn(&series, &[0], 1, Level::current(), &Task::new()).unwrap();
        let every: Vec<_> = (0..200).map(|p| (0, p)).collect();
        let found = patches(&series, &[0], 1, 0.1, &every);
        for row in found.rows() {
            let near = weights
                .rows()
                .into_iter()
                .map(|w| squared_distance(w.as_slice().unwrap(), row.as_slice().unwrap()));
            assert!(near.fold(f32::INFINITY, f32::min) < 1e-3);
        }
    }
}
