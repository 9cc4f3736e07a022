//! Weighted normal distributions.

use nalgebra::{Cholesky, DMatrix};
use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Axis};

use super::error::MixtureError;

/// Weights, means and covariances of the components.
#[derive(Clone, Debug)]
pub struct Gaussians {
    /// `(components,)`, summing to one.
    pub weights: Vec<f64>,
    /// `(components, dim)`.
    pub means: Array2<f64>,
    /// `(components, dim, dim)`.
    pub covariances: Array3<f64>,
}

/// A component as its density is computed: `offset - |factor (x - mean)|^2 / 2`.
pub(super) struct Component {
    pub(super) mean: Vec<f64>,
    /// The inverse of the Cholesky factor of the covariance: its lower triangle by rows.
    pub(super) factor: Vec<f64>,
    pub(super) offset: f64,
}

impl Component {
    fn new(weight: f64, mean: Vec<f64>, factor: Vec<f64>) -> Self {
        let dim = mean.len();
        let diagonal = (0..dim).map(|i| factor[i * (i + 3) / 2].ln());
        let offset = weight.ln() + diagonal.sum::<f64>()
            - 0.5 * dim as f64 * (2.0 * std::f64::consts::PI).ln();
        Self { mean, factor, offset }
    }
}

impl Gaussians {
    pub(super) fn components(&self) -> Result<Vec<Component>, MixtureError> {
        let covariances = self.covariances.axis_iter(Axis(0)).enumerate();
        let factors = covariances.map(|(component, covariance)| {
            let dim = covariance.nrows();
            let matrix = DMatrix::from_fn(dim, dim, |i, j| covariance[(i, j)]);
            let inverse = Cholesky::new(matrix)
                .and_then(|c| c.l().solve_lower_triangular(&DMatrix::identity(dim, dim)))
                .filter(|inverse| inverse.iter().all(|x| x.is_finite()))
                .ok_or(MixtureError::NotPositive { component })?;
            Ok((0..dim)
                .flat_map(|i| inverse.row(i).columns(0, i + 1).into_owned().data.as_vec().clone())
                .collect())
        });
        let factors = factors.collect::<Result<Vec<Vec<f64>>, MixtureError>>()?;
        Ok(self.assemble(factors))
    }

    fn assemble(&self, factors: Vec<Vec<f64>>) -> Vec<Component> {
        let parts = self.weights.iter().zip(self.means.rows()).zip(factors);
        parts.map(|((w, mean), factor)| Component::new(*w, mean.to_vec(), factor)).collect()
    }
}

/// From upper triangular factors of the precisions, `(components, dim, dim)`, with
/// `precision = factor factorᵀ`.
pub(super) fn from_factors(
    weights: &[f64],
    means: ArrayView2<'_, f64>,
    factors: ArrayView3<'_, f64>,
) -> Vec<Component> {
    let parts = weights.iter().zip(means.rows()).zip(factors.axis_iter(Axis(0)));
    parts
        .map(|((weight, mean), upper)| {
            let dim = mean.len();
            let lower = (0..dim).flat_map(|i| (0..=i).map(move |j| (j, i)));
            Component::new(*weight, mean.to_vec(), lower.map(|at| upper[at]).collect())
        })
        .collect()
}

/// Upper triangular factors of the precisions.
pub(super) fn factors(components: &[Component]) -> Array3<f64> {
    let dim = components.first().map_or(0, |c| c.mean.len());
    Array3::from_shape_fn((components.len(), dim, dim), |(c, j, i)| {
        if j > i { 0.0 } else { components[c].factor[i * (i + 1) / 2 + j] }
    })
}
