//! Random weights. Every unit draws from streams of its own, so the number of threads
//! cannot be seen in them.

use ndarray::Array2;
use rayon::prelude::*;

use super::error::ReservoirError;
use crate::linalg::simd::Level;
use crate::linalg::spectral::spectral_radius;
use crate::random::Random;
use crate::task::{Stopped, Task};

/// `scale * N(0, 1)`, one row of `channels` per unit.
pub fn input_weights(units: usize, channels: usize, scale: f64, seed: u64) -> Array2<f64> {
    let mut weights = Array2::zeros((units, channels));
    for (unit, mut row) in weights.rows_mut().into_iter().enumerate() {
        let mut random = Random::new(seed, 2 * unit as u64);
        row.mapv_inplace(|_: f64| scale * random.normal());
    }
    weights
}

/// `N(0, 1)`, each weight dropped with probability `drop`, all scaled to spectral radius
/// `radius`; unscaled if their own radius is zero (all dropped, or no cycle left).
pub fn echo_state_weights(
    units: usize,
    radius: f64,
    drop: f64,
    seed: u64,
    level: Level,
    task: &Task,
) -> Result<Array2<f64>, ReservoirError> {
    // Drawn in single precision: the iteration then reads half the memory and is exact.
    let mut weights = Array2::<f32>::zeros((units, units));
    draw_rows(&mut weights, task, |unit, row| {
        let mut random = Random::new(seed, 2 * unit as u64 + 1);
        for weight in row {
            if random.uniform() >= drop {
                *weight = random.normal() as f32;
            }
        }
    })?;
    let found = spectral_radius(weights.view(), level, task)?;
    let scale = if found > 0.0 { radius / found } else { 1.0 };
    let mut scaled = Array2::zeros((units, units));
    draw_rows(&mut scaled, task, |unit, row| {
        for (scaled, weight) in row.iter_mut().zip(weights.row(unit)) {
            *scaled = scale * f64::from(*weight);
        }
    })?;
    Ok(scaled)
}

/// Units on a grid four wide and four deep; each pair is connected with `probability`,
/// weaker with distance, four in five excitatory (after Maass et al., 2002).
pub fn liquid_weights(
    units: usize,
    probability: f64,
    seed: u64,
    task: &Task,
) -> Result<Array2<f64>, Stopped> {
    let place = |k: usize| [k % 4, k / 4 % 4, k / 16].map(|x| x as f64);
    let mut weights = Array2::zeros((units, units));
    draw_rows(&mut weights, task, |i, row| {
        let mut random = Random::new(seed, 2 * i as u64 + 1);
        for (j, weight) in row.iter_mut().enumerate().filter(|(j, _)| *j != i) {
            if random.uniform() < probability {
                let (a, b) = (place(i), place(j));
                let apart = (0..3).map(|d| (a[d] - b[d]).powi(2)).sum::<f64>().sqrt();
                let strength = 0.5 * (-apart / 2.0).exp();
                *weight = if random.uniform() < 0.8 { strength } else { -strength / 2.0 };
            }
        }
    })?;
    Ok(weights)
}

fn draw_rows<T: Send>(
    weights: &mut Array2<T>,
    task: &Task,
    draw: impl Fn(usize, &mut [T]) + Sync,
) -> Result<(), Stopped> {
    let units = weights.nrows().max(1);
    let Some(all) = weights.as_slice_mut() else { return Ok(()) };
    all.par_chunks_mut(units).enumerate().try_for_each(|(unit, row)| {
        task.check()?;
        draw(unit, row);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_dropped_altogether_stay_zero() {
        let task = Task::new();
        let weights = echo_state_weights(20, 0.9, 1.0, 0, Level::current(), &task).unwrap();
        assert!(weights.iter().all(|w| *w == 0.0));
    }

    #[test]
    fn the_liquid_has_no_self_connections() {
        let weights = liquid_weights(30, 1.0, 0, &Task::new()).unwrap();
        assert!(weights.diag().iter().all(|w| *w == 0.0));
        assert_eq!(weights.iter().filter(|w| **w != 0.0).count(), 30 * 29);
    }
}
