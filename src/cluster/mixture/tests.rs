use ndarray::{Array2, Axis};

use super::*;
use crate::linalg::simd::Level;
use crate::random::Random;
use crate::task::{Stopped, Task};

const MIXTURE: Mixture =
    Mixture { n_components: 3, tol: 0.0, reg_covar: 1e-6, max_iter: 7, n_init: 1, seed: 0 };

fn rows(n: usize, dim: usize, offset: f64) -> (Array2<f64>, Vec<u32>) {
    let mut random = Random::new(3, 0);
    let labels: Vec<u32> = (0..n as u32).map(|i| i % 3).collect();
    let x = Array2::from_shape_fn((n, dim), |(i, j)| {
        offset + 2.0 * f64::from(labels[i]) * f64::from(u8::from(j == 0)) + random.normal()
    });
    (x, labels)
}

/// Seven steps of expectation-maximisation from the formulas, with determinants and inverses.
fn plain(x: &Array2<f64>, labels: &[u32], steps: usize) -> (f64, Gaussians) {
    let (n, dim) = x.dim();
    let mut shares =
        Array2::from_shape_fn((n, 3), |(i, c)| f64::from(u8::from(labels[i] == c as u32)));
    let mut likelihood = 0.0;
    for step in 0..=steps {
        let sums = shares.sum_axis(Axis(0));
        let means = shares.t().dot(x) / &sums.clone().insert_axis(Axis(1));
        let mut covariances = ndarray::Array3::zeros((3, dim, dim));
        let mut densities = Array2::zeros((n, 3));
        for c in 0..3 {
            let away = x - &means.row(c);
            let weighted = &away * &shares.column(c).insert_axis(Axis(1));
            let mut covariance = weighted.t().dot(&away) / sums[c];
            covariance.diag_mut().mapv_inplace(|v| v + MIXTURE.reg_covar);
            let matrix = nalgebra::DMatrix::from_fn(dim, dim, |i, j| covariance[(i, j)]);
            let scale = (2.0 * std::f64::consts::PI).powi(dim as i32) * matrix.determinant();
            let inverse = matrix.try_inverse().unwrap();
            for i in 0..n {
                let row = nalgebra::DVector::from_iterator(dim, away.row(i).iter().copied());
                let distance = row.dot(&(&inverse * &row));
                densities[(i, c)] = sums[c] / n as f64 * (-0.5 * distance).exp() / scale.sqrt();
            }
            covariances.index_axis_mut(Axis(0), c).assign(&covariance);
        }
        let gaussians = Gaussians { weights: (sums / n as f64).to_vec(), means, covariances };
        if step == steps {
            return (likelihood, gaussians);
        }
        let total = densities.sum_axis(Axis(1));
        likelihood = total.mapv(f64::ln).mean().unwrap();
        shares = densities / &total.insert_axis(Axis(1));
    }
    unreachable!("the last step returns");
}

#[test]
fn steps_follow_the_formulas_on_every_level() {
    for (n, dim) in [(90, 1), (500, 3), (5000, 6), (300, 17)] {
        let (x, labels) = rows(n, dim, 0.0);
        let (likelihood, expected) = plain(&x, &labels, MIXTURE.max_iter);
        for level in Level::ALL.into_iter().filter(|level| level.available()) {
            let means = Array2::ones((3, dim));
            let found = MIXTURE.climb(x.view(), means, &labels, level, &Task::new()).unwrap();
            let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
            assert!(close(found.lower_bound, likelihood), "{n} x {dim}");
            let ours = &found.gaussians;
            let pairs = ours.weights.iter().zip(&expected.weights);
            let pairs = pairs.chain(ours.means.iter().zip(&expected.means));
            let mut pairs = pairs.chain(ours.covariances.iter().zip(&expected.covariances));
            assert!(pairs.all(|(a, b)| close(*a, *b)), "{n} x {dim}");
        }
    }
}

#[test]
fn data_far_from_the_origin_lose_no_digits() {
    let climb = |offset| {
        let (x, labels) = rows(900, 2, offset);
        let means = Array2::from_elem((3, 2), offset);
        let (level, task) = (Level::current(), Task::new());
        MIXTURE.climb(x.view(), means, &labels, level, &task).unwrap().lower_bound
    };
    assert!((climb(0.0) - climb(1e6)).abs() < 1e-6);
}

#[test]
fn probabilities_of_rows_sum_to_one() {
    let (x, _) = rows(333, 4, 0.0);
    let (level, task) = (Level::current(), Task::new());
    let fitted = MIXTURE.fit(x.view(), level, &task).unwrap();
    let Gaussians { weights, means, .. } = &fitted.gaussians;
    let factors = fitted.factors.view();
    let (density, shares) =
        log_probabilities(x.view(), weights, means.view(), factors, level, &task).unwrap();
    assert!(shares.mapv(f64::exp).sum_axis(Axis(1)).iter().all(|sum| (sum - 1.0).abs() < 1e-12));
    let mean = density.iter().sum::<f64>() / 333.0;
    assert!(mean >= fitted.lower_bound - 1e-12);
}

#[test]
fn a_flat_component_is_an_error_and_a_stopped_fit_stops() {
    let x = Array2::zeros((40, 2));
    let flat = Mixture { n_components: 1, reg_covar: 0.0, ..MIXTURE };
    let error = flat.fit(x.view(), Level::current(), &Task::new()).unwrap_err();
    assert_eq!(error, MixtureError::NotPositive { component: 0 });
    let task = Task::new();
    task.stop();
    let labels = [0; 40];
    let means = Array2::zeros((3, 2));
    let stopped = MIXTURE.climb(x.view(), means, &labels, Level::current(), &task);
    assert_eq!(stopped.err(), Some(MixtureError::Stopped(Stopped)));
}
