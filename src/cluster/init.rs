use ndarray::Array2;
use rayon::prelude::*;

use super::kmeans::CHUNK;
use crate::linalg::nearest::{LANES, Panels};
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::random::Random;
use crate::task::{Stopped, Task};

/// k-means++ (Arthur and Vassilvitskii, 2007): each next centre is drawn with probability
/// proportional to its squared distance from those chosen; of `trials` such candidates
/// the one that leaves the least sum of squares is taken.
pub(super) fn plus_plus<T: Real>(
    panels: &Panels<T>,
    k: usize,
    trials: usize,
    random: &mut Random,
    level: Level,
    task: &Task,
) -> Result<Array2<T>, Stopped> {
    let (n, d) = (panels.len(), panels.dimensions());
    let row = |i: usize| -> Vec<T> { (0..d).map(|j| panels.value(i, j)).collect() };
    let mut centers = Array2::from_elem((k, d), T::default());
    let mut closest = vec![T::HIGHEST; n];
    let first = row(random.index(n));
    let mut total = shrink(panels, &first, &mut closest, level);
    centers.row_mut(0).iter_mut().zip(&first).for_each(|(c, v)| *c = *v);
    for c in 1..k {
        task.check()?;
        let drawn: Vec<usize> =
            (0..trials.max(1)).map(|_| draw(&closest, total, random.uniform())).collect();
        let tried = drawn.iter().map(|i| {
            let center = row(*i);
            let mut shrunk = closest.clone();
            let total = shrink(panels, &center, &mut shrunk, level);
            (total, center, shrunk)
        });
        let best = tried.reduce(|best, next| if next.0 < best.0 { next } else { best });
        let (left, center, shrunk) = best.expect("at least one trial");
        (total, closest) = (left, shrunk);
        centers.row_mut(c).iter_mut().zip(&center).for_each(|(c, v)| *c = *v);
    }
    Ok(centers)
}

/// The row at which the running sum of `weights` passes `at * total`.
fn draw<T: Real>(weights: &[T], total: f64, at: f64) -> usize {
    let mut left = at * total;
    for (i, w) in weights.iter().enumerate() {
        left -= w.wide();
        if left < 0.0 {
            return i;
        }
    }
    weights.len() - 1 // all weights zero: every row is a centre already
}

/// Lowers each row's squared distance to that from `center`, if nearer; their sum.
fn shrink<T: Real>(panels: &Panels<T>, center: &[T], closest: &mut [T], level: Level) -> f64 {
    let sums: Vec<f64> = closest
        .par_chunks_mut(CHUNK * LANES)
        .enumerate()
        .map(|(c, closest)| dispatch(level, Shrink { panels, first: c * CHUNK, center, closest }))
        .collect();
    sums.iter().sum()
}

struct Shrink<'a, T> {
    panels: &'a Panels<T>,
    first: usize,
    center: &'a [T],
    closest: &'a mut [T],
}

impl<T: Real> Kernel for Shrink<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<A: Arithmetic>(self) -> f64 {
        let mut sum = 0.0;
        for (p, closest) in self.closest.chunks_mut(LANES).enumerate() {
            let mut distance = [T::default(); LANES];
            for (row, center) in self.panels.panel(self.first + p).iter().zip(self.center) {
                for l in 0..LANES {
                    let apart = row[l] - *center;
                    distance[l] = apart.mul_add::<A>(apart, distance[l]);
                }
            }
            for (closest, distance) in closest.iter_mut().zip(distance) {
                *closest = if distance < *closest { distance } else { *closest };
                sum += closest.wide();
            }
        }
        sum
    }
}
