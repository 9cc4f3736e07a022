use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};
use rayon::prelude::*;

use crate::linalg::packed::{dots_in_panel, pack_rows};
use crate::linalg::principal::principal;
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::random::Random;
use crate::task::{Stopped, Task};

/// Components that are looked for.
const MOST: usize = 64;
/// Rows from which they are taken; more add time, not accuracy.
const ROWS: usize = 4096;
/// Rows a thread takes at once; fixed, so that sums do not depend on the threads.
const CHUNK: usize = 512;
/// Rows that are projected together.
const TOGETHER: usize = 48;
const LANES: usize = f32::PANEL;

/// The directions in which a group of features varies most.
#[derive(Clone, Debug)]
pub struct Subspace {
    /// Subtracted from every feature.
    pub mean: Vec<f32>,
    /// What every feature is then multiplied by; zero for a constant one.
    pub inverse: Vec<f32>,
    /// `(features, components)`.
    pub directions: Array2<f32>,
    /// Sum of squares along each direction.
    pub spread: Vec<f64>,
    /// Sum of squares of all features.
    pub total: f64,
}

impl Subspace {
    /// Directions of the rows of `features`, each divided by its standard deviation if
    /// `standardised`, and all by the square root of their number.
    pub fn fit(
        features: ArrayView2<f32>,
        standardised: bool,
        seed: u64,
        level: Level,
        task: &Task,
    ) -> Result<Self, Stopped> {
        let (mean, deviation) = moments(features, task)?;
        let constant = |(d, m): (&f64, &f64)| *d <= 1e-6 * (1e-3 + m.abs());
        let kept = deviation.iter().zip(&mean).filter(|pair| !constant(*pair)).count().max(1);
        let inverse =
            deviation.iter().zip(&mean).map(|(d, m)| match (constant((d, m)), standardised) {
                (true, _) => 0.0,
                (false, true) => (1.0 / (d * (kept as f64).sqrt())) as f32,
                (false, false) => 1.0,
            });
        let inverse: Vec<f32> = inverse.collect();
        let mean: Vec<f32> = mean.iter().map(|m| *m as f32).collect();
        let mut rows = Random::new(seed, 0).distinct(features.nrows(), ROWS);
        rows.sort_unstable();
        let mut z = features.select(Axis(0), &rows);
        for mut row in z.rows_mut() {
            for ((value, mean), inverse) in row.iter_mut().zip(&mean).zip(&inverse) {
                *value = (*value - mean) * inverse;
            }
        }
        let found = principal(z.view(), MOST, level, task)?;
        let (directions, spread, total) = (found.directions, found.spread, found.total);
        Ok(Self { mean, inverse, directions, spread, total })
    }

    /// Coordinates of every row, `(rows, components)`. A row's do not depend on the others.
    pub fn project(
        &self,
        features: ArrayView2<f32>,
        level: Level,
        task: &Task,
    ) -> Result<Array2<f32>, Stopped> {
        let (p, r) = self.directions.dim();
        let panels =
            pack_rows(&self.directions.t().iter().copied().collect::<Vec<_>>(), &vec![0.0; p]);
        let mut places = Array2::zeros((features.nrows(), r));
        places
            .axis_chunks_iter_mut(Axis(0), TOGETHER)
            .into_par_iter()
            .zip(features.axis_chunks_iter(Axis(0), TOGETHER))
            .try_for_each(|(places, rows)| {
                task.check()?;
                dispatch(level, Project { subspace: self, panels: &panels, rows, places });
                Ok(())
            })?;
        Ok(places)
    }
}

struct Project<'a> {
    subspace: &'a Subspace,
    /// The directions.
    panels: &'a [f32],
    rows: ArrayView2<'a, f32>,
    places: ArrayViewMut2<'a, f32>,
}

impl Kernel for Project<'_> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let Self { subspace: Subspace { mean, inverse, .. }, panels, rows, mut places } = self;
        let p = mean.len();
        let mut scaled = Vec::with_capacity(rows.len());
        for row in rows.rows() {
            let features = row.iter().zip(mean).zip(inverse);
            scaled.extend(features.map(|((value, mean), inverse)| (value - mean) * inverse));
        }
        let mut sums = vec![0.0; rows.nrows() * LANES];
        let places = places.axis_chunks_iter_mut(Axis(1), LANES);
        for (panel, mut places) in panels.chunks_exact((p * LANES).max(1)).zip(places) {
            dots_in_panel::<f32, A>(&scaled, p, panel, &mut sums, LANES);
            for (mut place, sums) in places.rows_mut().into_iter().zip(sums.chunks_exact(LANES)) {
                place.iter_mut().zip(sums).for_each(|(slot, sum)| *slot = *sum);
            }
        }
    }
}

/// Mean and standard deviation of each column, in two passes.
fn moments(features: ArrayView2<f32>, task: &Task) -> Result<(Vec<f64>, Vec<f64>), Stopped> {
    let n = features.nrows().max(1) as f64;
    let sum = |of: &(dyn Fn(usize, f32) -> f64 + Sync)| -> Result<Vec<f64>, Stopped> {
        let parts = features
            .axis_chunks_iter(Axis(0), CHUNK)
            .into_par_iter()
            .map(|chunk| {
                task.check()?;
                let mut sums = vec![0.0; chunk.ncols()];
                for row in chunk.rows() {
                    for (j, (sum, value)) in sums.iter_mut().zip(row).enumerate() {
                        *sum += of(j, *value);
                    }
                }
                Ok(sums)
            })
            .collect::<Result<Vec<_>, Stopped>>()?;
        let mut total = vec![0.0; features.ncols()];
        for part in parts {
            total.iter_mut().zip(part).for_each(|(t, p)| *t += p / n);
        }
        Ok(total)
    };
    let mean = sum(&|_, value| f64::from(value))?;
    let variance = sum(&|j, value| (f64::from(value) - mean[j]).powi(2))?;
    Ok((mean, variance.into_iter().map(f64::sqrt).collect()))
}
