use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::error::ClusterError;
use super::init::plus_plus;
use crate::linalg::nearest::{Codebook, LANES, Panels};
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::random::Random;
use crate::task::Task;

/// Panels a thread takes at once; fixed, so that sums do not depend on the threads.
pub(super) const CHUNK: usize = 128;

/// Lloyd's algorithm from k-means++ starts; the best of `n_init`.
#[derive(Clone, Debug)]
pub struct KMeans {
    /// Groups to find.
    pub n_clusters: usize,
    /// Starts.
    pub n_init: usize,
    /// Upper bound on assign-and-update rounds of a start.
    pub max_iter: usize,
    /// Stop once the squared moves of all centres sum to no more than this share of the
    /// mean variance of a column.
    pub tol: f64,
    /// Candidates per next centre of a start.
    pub trials: usize,
    /// Fixes the starts.
    pub seed: u64,
}

/// What [`KMeans::fit`] learned.
#[derive(Clone, Debug)]
pub struct FittedKMeans<T> {
    /// `(n_clusters, n_features)`.
    pub centers: Array2<T>,
    /// Cluster of each row.
    pub labels: Vec<u32>,
    /// Sum of squared distances to the nearest centre.
    pub inertia: f64,
    /// Rounds of the best start.
    pub n_iter: usize,
}

impl KMeans {
    /// `n_init` starts with the number of candidates of Arthur and Vassilvitskii's greedy variant.
    pub fn new(n_clusters: usize, n_init: usize, seed: u64) -> Self {
        let trials = 2 + (n_clusters.max(1) as f64).ln() as usize;
        Self { n_clusters, n_init, max_iter: 300, tol: 1e-4, trials, seed }
    }

    /// Find centres for the rows of `x`.
    pub fn fit<T: Real>(
        &self,
        x: ArrayView2<T>,
        level: Level,
        task: &Task,
    ) -> Result<FittedKMeans<T>, ClusterError> {
        let (n_rows, n_clusters) = (x.nrows(), self.n_clusters);
        if n_clusters == 0 {
            let (name, expected) = ("n_clusters", "at least 1");
            return Err(ClusterError::BadParameter { name, expected, value: "0".into() });
        }
        if n_clusters > n_rows {
            return Err(ClusterError::TooFewRows { n_clusters, n_rows });
        }
        let (mean, variance) = moments(x);
        let offset: Vec<T> = mean.iter().map(|m| T::rounded(*m)).collect();
        let panels = Panels::new(x, &offset);
        let tol = self.tol * variance;
        let starts: Vec<u64> = (0..self.n_init.max(1) as u64).collect();
        let runs = starts
            .par_iter()
            .map(|start| {
                let mut random = Random::new(self.seed, *start);
                let first =
                    plus_plus(&panels, n_clusters, self.trials, &mut random, level, task)?;
                self.lloyd(&panels, first, tol, level, task)
            })
            .collect::<Result<Vec<_>, ClusterError>>()?;
        let mut best = runs
            .into_iter()
            .reduce(|best, run| if run.inertia < best.inertia { run } else { best })
            .expect("at least one start");
        for mut row in best.centers.rows_mut() {
            row.iter_mut().zip(&offset).for_each(|(c, o)| *c = *c + *o);
        }
        Ok(best)
    }

    fn lloyd<T: Real>(
        &self,
        panels: &Panels<T>,
        mut centers: Array2<T>,
        tol: f64,
        level: Level,
        task: &Task,
    ) -> Result<FittedKMeans<T>, ClusterError> {
        let (k, d) = centers.dim();
        let mut labels = vec![u32::MAX; panels.len()];
        let mut sums = vec![0.0; k * d];
        let mut counts = vec![0_i64; k];
        let mut n_iter = 0;
        let mut settled = false;
        let inertia = loop {
            task.check()?;
            let codebook = Codebook::new(centers.view());
            let changes: Vec<Change> = labels
                .par_chunks_mut(CHUNK * LANES)
                .enumerate()
                .map(|(c, labels)| {
                    let kernel = Assign { codebook: &codebook, panels, first: c * CHUNK, labels, k };
                    dispatch(level, kernel)
                })
                .collect();
            let changed = changes.iter().any(|change| change.changed);
            // The last assignment counts: every row is with its nearest centre.
            if !changed || settled || n_iter == self.max_iter {
                break changes.iter().map(|change| change.inertia).sum();
            }
            n_iter += 1;
            for change in changes {
                sums.iter_mut().zip(&change.sums).for_each(|(s, c)| *s += c);
                counts.iter_mut().zip(&change.counts).for_each(|(s, c)| *s += c);
            }
            fill_empty(panels, &centers, &mut labels, &mut sums, &mut counts);
            let mut moved = 0.0;
            for ((mut row, sum), count) in
                centers.rows_mut().into_iter().zip(sums.chunks_exact(d)).zip(&counts)
            {
                for (center, sum) in row.iter_mut().zip(sum) {
                    if *count > 0 {
                        let mean = T::rounded(sum / *count as f64);
                        moved += (mean.wide() - center.wide()).powi(2);
                        *center = mean;
                    }
                }
            }
            settled = moved <= tol;
        };
        Ok(FittedKMeans { centers, labels, inertia, n_iter })
    }
}

/// Mean of each column and the mean of their variances.
fn moments<T: Real>(x: ArrayView2<T>) -> (Vec<f64>, f64) {
    let (n, d) = x.dim();
    let mut mean = vec![0.0; d];
    for row in x.rows() {
        mean.iter_mut().zip(row).for_each(|(m, v)| *m += v.wide() / n as f64);
    }
    let squares: f64 = x
        .rows()
        .into_iter()
        .map(|row| row.iter().zip(&mean).map(|(v, m)| (v.wide() - m).powi(2)).sum::<f64>())
        .sum();
    (mean, squares / (n * d).max(1) as f64)
}

/// An empty cluster takes the row farthest from its centre, as scikit-learn does.
fn fill_empty<T: Real>(
    panels: &Panels<T>,
    centers: &Array2<T>,
    labels: &mut [u32],
    sums: &mut [f64],
    counts: &mut [i64],
) {
    let d = panels.dimensions();
    for empty in 0..counts.len() {
        if counts[empty] > 0 {
            continue;
        }
        let distance = |i: usize| -> f64 {
            let center = centers.row(labels[i] as usize);
            (0..d).map(|j| (panels.value(i, j).wide() - center[j].wide()).powi(2)).sum()
        };
        let donors = (0..labels.len()).filter(|i| counts[labels[*i] as usize] > 1);
        let farthest = donors.map(|i| (i, distance(i))).reduce(|a, b| if b.1 > a.1 { b } else { a });
        if let Some((row, apart)) = farthest.filter(|(_, apart)| *apart > 0.0) {
            let from = labels[row] as usize;
            debug_assert!(apart.is_finite());
            for j in 0..d {
                let value = panels.value(row, j).wide();
                sums[from * d + j] -= value;
                sums[empty * d + j] += value;
            }
            counts[from] -= 1;
            counts[empty] += 1;
            labels[row] = empty as u32;
        }
    }
}

/// What one assignment changed in a chunk of rows.
struct Change {
    changed: bool,
    inertia: f64,
    sums: Vec<f64>,
    counts: Vec<i64>,
}

struct Assign<'a, T> {
    codebook: &'a Codebook<T>,
    panels: &'a Panels<T>,
    first: usize,
    labels: &'a mut [u32],
    k: usize,
}

impl<T: Real> Kernel for Assign<'_, T> {
    type Output = Change;

    #[inline(always)]
    fn run<A: Arithmetic>(self) -> Change {
        let d = self.panels.dimensions();
        let mut change = Change {
            changed: false,
            inertia: 0.0,
            sums: vec![0.0; self.k * d],
            counts: vec![0; self.k],
        };
        for (p, labels) in self.labels.chunks_mut(LANES).enumerate() {
            let panel = self.panels.panel(self.first + p);
            let (index, best) = self.codebook.nearest::<A>(panel);
            let mut norms = [0.0_f64; LANES];
            for row in panel {
                for l in 0..LANES {
                    norms[l] += row[l].wide() * row[l].wide();
                }
            }
            for (l, label) in labels.iter_mut().enumerate() {
                change.inertia += (2.0 * best[l].wide() + norms[l]).max(0.0);
                if *label == index[l] {
                    continue;
                }
                change.changed = true;
                let to = index[l] as usize;
                for (j, row) in panel.iter().enumerate() {
                    change.sums[to * d + j] += row[l].wide();
                }
                change.counts[to] += 1;
                if *label != u32::MAX {
                    let from = *label as usize;
                    for (j, row) in panel.iter().enumerate() {
                        change.sums[from * d + j] -= row[l].wide();
                    }
                    change.counts[from] -= 1;
                }
                *label = index[l];
            }
        }
        change
    }
}

/// Nearest of `centers` to each row of `x`, the lowest on a tie. A row's answer does not
/// depend on the rows around it.
pub fn assign<T: Real>(x: ArrayView2<T>, centers: ArrayView2<T>, level: Level) -> Vec<u32> {
    let panels = Panels::new(x, &vec![T::default(); x.ncols()]);
    let codebook = Codebook::new(centers);
    let mut labels = vec![u32::MAX; x.nrows()];
    let k = centers.nrows();
    labels.par_chunks_mut(CHUNK * LANES).enumerate().for_each(|(c, labels)| {
        let panels = &panels;
        dispatch(level, Assign { codebook: &codebook, panels, first: c * CHUNK, labels, k });
    });
    labels
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn fit(x: ArrayView2<f64>, k: usize) -> FittedKMeans<f64> {
        KMeans::new(k, 3, 0).fit(x, Level::current(), &Task::new()).unwrap()
    }

    #[test]
    fn separates_two_blobs_and_sums_their_squares() {
        let x = array![[0.0, 0.0], [0.2, 0.0], [5.0, 5.0], [5.2, 5.0]];
        let fitted = fit(x.view(), 2);
        assert_eq!(fitted.labels[0], fitted.labels[1]);
        assert_ne!(fitted.labels[0], fitted.labels[2]);
        assert!((fitted.inertia - 0.04).abs() < 1e-9, "{}", fitted.inertia);
    }

    #[test]
    fn as_many_clusters_as_rows_puts_each_alone() {
        let x = array![[0.0], [1.0], [2.0], [9.0]];
        let mut labels = fit(x.view(), 4).labels;
        labels.sort_unstable();
        assert_eq!(labels, [0, 1, 2, 3]);
    }

    #[test]
    fn equal_rows_end_in_one_cluster() {
        let x = array![[1.0], [1.0], [1.0]];
        let labels = fit(x.view(), 2).labels;
        assert!(labels.iter().all(|l| *l == labels[0]));
    }
}
