//! Expectation-maximisation (Dempster, Laird and Rubin, 1977, "Maximum likelihood from
//! incomplete data via the EM algorithm").

use ndarray::{Array2, Array3, ArrayView2};

use super::error::MixtureError;
use super::expectation::{Moments, Source, pass};
use super::gaussians::{Component, Gaussians, factors};
use crate::cluster::kmeans::KMeans;
use crate::linalg::simd::Level;
use crate::random::Random;
use crate::task::Task;

/// Settings of a fit.
#[derive(Clone, Debug)]
pub struct Mixture {
    /// Components, at least one.
    pub n_components: usize,
    /// The iteration ends when the mean log-likelihood changes by less.
    pub tol: f64,
    /// Added to the variances.
    pub reg_covar: f64,
    /// Iterations of one start.
    pub max_iter: usize,
    /// Starts, of which the likeliest wins.
    pub n_init: usize,
    /// Fixes the starts.
    pub seed: u64,
}

/// A fitted mixture.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// The components.
    pub gaussians: Gaussians,
    /// Upper triangular factors of the precisions, `(components, dim, dim)`.
    pub factors: Array3<f64>,
    /// Mean log-likelihood of the rows before the last step.
    pub lower_bound: f64,
    /// Iterations run.
    pub n_iter: usize,
    /// Whether it ended by itself.
    pub converged: bool,
}

impl Mixture {
    /// Fits the rows of `x`, which are finite.
    ///
    /// Every start takes its groups from K-means; sums are taken about the former means, so
    /// data far from the origin lose no digits.
    pub fn fit(
        &self,
        x: ArrayView2<'_, f64>,
        level: Level,
        task: &Task,
    ) -> Result<Fitted, MixtureError> {
        let mut random = Random::new(self.seed, 0);
        let mut start = || {
            let kmeans =
                KMeans { n_clusters: self.n_components, seed: random.bits(), ..KMeans::default() };
            let groups = kmeans.fit(x, None, level, task)?;
            self.climb(x, groups.centres, &groups.labels, level, task)
        };
        let mut best = start()?;
        for _ in 1..self.n_init {
            let other = start()?;
            if other.lower_bound > best.lower_bound {
                best = other;
            }
        }
        Ok(best)
    }

    /// From groups of rows, about `means`.
    pub(super) fn climb(
        &self,
        x: ArrayView2<'_, f64>,
        means: Array2<f64>,
        labels: &[u32],
        level: Level,
        task: &Task,
    ) -> Result<Fitted, MixtureError> {
        let n = x.nrows() as f64;
        let about = |mean: ndarray::ArrayView1<f64>| Component {
            mean: mean.to_vec(),
            factor: Vec::new(),
            offset: 0.0,
        };
        let groups: Vec<Component> = means.rows().into_iter().map(about).collect();
        task.expect(x.nrows());
        let (_, moments) = pass(x, &groups, Source::Labels(labels), level, task)?;
        let mut gaussians = self.maximise(&groups, &moments, n);
        let mut components = gaussians.components()?;
        let (mut lower_bound, mut n_iter, mut converged) = (f64::NEG_INFINITY, 0, false);
        while n_iter < self.max_iter && !converged {
            n_iter += 1;
            task.expect(x.nrows());
            let (likelihood, moments) = pass(x, &components, Source::Densities, level, task)?;
            gaussians = self.maximise(&components, &moments, n);
            components = gaussians.components()?;
            let before = std::mem::replace(&mut lower_bound, likelihood / n);
            converged = (lower_bound - before).abs() < self.tol;
        }
        let factors = factors(&components);
        Ok(Fitted { gaussians, factors, lower_bound, n_iter, converged })
    }

    fn maximise(&self, components: &[Component], moments: &[Moments], n: f64) -> Gaussians {
        let (k, dim) = (components.len(), components[0].mean.len());
        let mut means = Array2::zeros((k, dim));
        let mut covariances = Array3::zeros((k, dim, dim));
        let mut weights = Vec::with_capacity(k);
        for (c, (component, moments)) in components.iter().zip(moments).enumerate() {
            // A component without rows keeps its place.
            let weight = moments.weight + 10.0 * f64::EPSILON;
            weights.push(weight / n);
            let moved: Vec<f64> = moments.first.iter().map(|sum| sum / weight).collect();
            for i in 0..dim {
                means[(c, i)] = component.mean[i] + moved[i];
                for j in 0..=i {
                    let sum = moments.second[i * (i + 1) / 2 + j];
                    let ridge = if i == j { self.reg_covar } else { 0.0 };
                    let value = sum / weight - moved[i] * moved[j] + ridge;
                    covariances[(c, i, j)] = value;
                    covariances[(c, j, i)] = value;
                }
            }
        }
        let total: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= total;
        }
        Gaussians { weights, means, covariances }
    }
}
