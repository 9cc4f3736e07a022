use nalgebra::DMatrix;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, s};
use rayon::prelude::*;

use super::kmeans::{Fitted, Frame, KMeans, KMeansError, predict};
use super::subspace::Subspace;
use crate::linalg::principal::{decompose, leading};
use crate::linalg::real::Real;
use crate::linalg::simd::Level;
use crate::random::Random;
use crate::task::{Stopped, Task};

/// A member keeps the principal components up to the first below this share of variance.
const LEAST_SHARE: f64 = 0.01;
/// Starts of the k-means that has the last word.
const STARTS: usize = 10;

/// How groups of features become clusters.
#[derive(Clone, Debug)]
pub struct ConsensusParameters {
    /// Clusters to find.
    pub n_clusters: usize,
    /// Which group of features each member clusters; a single member has no vote.
    pub members: Vec<usize>,
    /// Share of the features that a member sees.
    pub share: f64,
    /// Whether features are divided by their standard deviation.
    pub standardised: bool,
    /// Whether members compare directions instead of points.
    pub spherical: bool,
    /// Fixes everything random.
    pub seed: u64,
}

/// One clustering of one random part of a group's features.
#[derive(Clone, Debug)]
pub struct Member {
    /// Which group.
    pub group: usize,
    /// From the group's subspace to the member's principal components.
    pub map: Array2<f32>,
    /// Its clusters, `(n_clusters, components)`.
    pub centers: Array2<f32>,
}

/// Members that vote on the clusters (Fern and Brodley, 2004, "Solving cluster ensemble
/// problems by bipartite graph partitioning"): samples and the members' clusters are the
/// two sides of a graph, whose leading singular vectors place every sample. A new sample
/// is placed by the votes of the members, so it is predicted exactly as a training one.
#[derive(Clone, Debug)]
pub struct Consensus {
    /// One per group of features.
    pub groups: Vec<Subspace>,
    /// In the order of their votes.
    pub members: Vec<Member>,
    /// Whether members compare directions instead of points.
    pub spherical: bool,
    /// What each member's vote for each of its clusters adds to a sample's place; none for
    /// a single member, whose components are the place.
    pub votes: Option<Array2<f64>>,
    /// Clusters, `(n_clusters, dimensions of a place)`.
    pub centers: Array2<f64>,
}

impl Consensus {
    /// Cluster samples, given as rows of each group's features.
    pub fn fit(
        features: &[ArrayView2<f32>],
        parameters: &ConsensusParameters,
        level: Level,
        task: &Task,
    ) -> Result<Self, KMeansError> {
        let k = parameters.n_clusters;
        let n = features.first().map_or(0, ArrayView2::nrows);
        if k == 0 || k > n {
            return Err(KMeansError::TooFewRows { n_clusters: k, n_rows: n });
        }
        let groups = features
            .iter()
            .map(|f| Subspace::fit(*f, parameters.standardised, parameters.seed, level, task))
            .collect::<Result<Vec<_>, _>>()?;
        let placed = groups
            .iter()
            .zip(features)
            .map(|(group, features)| group.project(*features, level, task))
            .collect::<Result<Vec<_>, _>>()?;
        let alone = parameters.members.len() == 1;
        let starts = if alone { STARTS } else { 1 };
        let members = parameters
            .members
            .par_iter()
            .enumerate()
            .map(|(m, &group)| {
                let mut random = Random::new(parameters.seed, 1 + m as u64);
                let map = components(&groups[group], parameters.share, &mut random);
                let rows = place(placed[group].view(), &map, parameters.spherical);
                let fitted = cluster(rows.view(), k, starts, random.bits(), level, task)?;
                Ok(Member { group, map, centers: fitted.centres })
            })
            .collect::<Result<Vec<_>, KMeansError>>()?;
        let mut consensus = Self {
            groups,
            members,
            spherical: parameters.spherical,
            votes: None,
            centers: Array2::zeros((0, 0)),
        };
        if alone {
            consensus.centers = consensus.members[0].centers.mapv(f64::from);
            return Ok(consensus);
        }
        let cast = consensus.cast(&placed, level, task)?;
        consensus.votes = Some(weigh(&cast, k, level, task)?);
        let places = consensus.sum(&cast);
        let last = cluster(places.view(), k, STARTS, parameters.seed, level, task)?;
        consensus.centers = last.centres;
        Ok(consensus)
    }

    /// The place of every sample, in which the clusters are.
    pub fn embed(
        &self,
        features: &[ArrayView2<f32>],
        level: Level,
        task: &Task,
    ) -> Result<Array2<f64>, KMeansError> {
        let placed = self
            .groups
            .iter()
            .zip(features)
            .map(|(group, features)| group.project(*features, level, task))
            .collect::<Result<Vec<_>, _>>()?;
        if self.votes.is_some() {
            return Ok(self.sum(&self.cast(&placed, level, task)?));
        }
        let member = &self.members[0];
        let rows = place(placed[member.group].view(), &member.map, self.spherical);
        Ok(rows.mapv(f64::from))
    }

    /// Each member's cluster of every sample, counted through all members.
    fn cast(
        &self,
        placed: &[Array2<f32>],
        level: Level,
        task: &Task,
    ) -> Result<Array2<usize>, Stopped> {
        let n = placed[0].nrows();
        let columns: Vec<Vec<u32>> = self
            .members
            .par_iter()
            .map(|member| {
                let rows = place(placed[member.group].view(), &member.map, self.spherical);
                let origin = Frame { shift: vec![0.0; member.map.ncols()], exponent: 0 };
                predict(rows.view(), member.centers.view(), &origin, level, task)
            })
            .collect::<Result<_, Stopped>>()?;
        let mut offset = 0;
        let mut cast = Array2::zeros((n, self.members.len()));
        for ((mut column, labels), member) in
            cast.columns_mut().into_iter().zip(columns).zip(&self.members)
        {
            column.iter_mut().zip(labels).for_each(|(slot, l)| *slot = offset + l as usize);
            offset += member.centers.nrows();
        }
        Ok(cast)
    }

    fn sum(&self, cast: &Array2<usize>) -> Array2<f64> {
        let votes = self.votes.as_ref().expect("only a consensus of several sums votes");
        let mut places = Array2::zeros((cast.nrows(), votes.ncols()));
        for (mut place, cast) in places.rows_mut().into_iter().zip(cast.rows()) {
            for vote in cast {
                place += &votes.row(*vote);
            }
            let norm = place.dot(&place).sqrt().max(1e-12);
            place /= norm;
        }
        places
    }
}

fn cluster<T: Real>(
    rows: ArrayView2<T>,
    n_clusters: usize,
    n_init: usize,
    seed: u64,
    level: Level,
    task: &Task,
) -> Result<Fitted<T>, KMeansError> {
    KMeans { n_clusters, n_init, seed, ..KMeans::default() }.fit(rows, None, level, task)
}

/// Nearest of `centers` to each place, the lowest on a tie.
pub fn locate(places: ArrayView2<f64>, centers: ArrayView2<f64>) -> Array1<i64> {
    let apart = |a: ArrayView1<f64>, b: ArrayView1<f64>| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
    };
    places.map_axis(Axis(1), |place| {
        let mut best = (0, f64::INFINITY);
        for (c, center) in centers.rows().into_iter().enumerate() {
            let distance = apart(place, center);
            if distance < best.1 {
                best = (c as i64, distance);
            }
        }
        best.0
    })
}

/// The principal components of a random `share` of the features, as a map from the
/// subspace of all of them. With `V` the directions of all features and `s` the spread
/// along them, the rows `V_S` of the share give its covariance as `s V_S^T V_S s`, a small
/// matrix: one large decomposition per group serves all members.
fn components(group: &Subspace, share: f64, random: &mut Random) -> Array2<f32> {
    let (features, r) = group.directions.dim();
    let mut seen: Vec<usize> = (0..features).filter(|_| random.uniform() < share).collect();
    if seen.is_empty() {
        seen.push(random.index(features.max(1)));
    }
    let used = |i: &usize| group.inverse[*i] > 0.0;
    let kept = seen.iter().filter(|i| used(i)).count();
    let all = (0..features).filter(used).count().max(1);
    let part = group.directions.select(Axis(0), &seen).mapv(f64::from);
    let inner = part.t().dot(&part);
    let s: Vec<f64> = group.spread.iter().map(|w| w.sqrt()).collect();
    let (spread, rotation) = decompose(DMatrix::from_fn(r, r, |i, j| s[i] * inner[(i, j)] * s[j]));
    let total = (group.total * kept as f64 / all as f64).max(f64::MIN_POSITIVE);
    let q = spread.iter().take_while(|w| **w / total >= LEAST_SHARE).count().clamp(1, r);
    Array2::from_shape_fn((r, q), |(i, j)| {
        (f64::from(rotation[(i, j)]) * spread[j].sqrt() / s[i].max(1e-15)) as f32
    })
}

/// `rows * map`, each result of length one if `spherical`; in a fixed order per row.
fn place(rows: ArrayView2<f32>, map: &Array2<f32>, spherical: bool) -> Array2<f32> {
    let mut places = Array2::zeros((rows.nrows(), map.ncols()));
    for (mut place, row) in places.rows_mut().into_iter().zip(rows.rows()) {
        for (value, line) in row.iter().zip(map.rows()) {
            place.scaled_add(*value, &line);
        }
        if spherical {
            let norm = place.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
            let scale = (1.0 / norm.max(1e-12)) as f32;
            place.mapv_inplace(|v| v * scale);
        }
    }
    places
}

/// What every vote is worth: the right singular vectors of the normalised bipartite graph,
/// divided by their singular values, so that summing votes gives the left ones.
fn weigh(
    cast: &Array2<usize>,
    k: usize,
    level: Level,
    task: &Task,
) -> Result<Array2<f64>, KMeansError> {
    let (n, members) = cast.dim();
    let width = members * k;
    let mut together = Array2::<f64>::zeros((width, width));
    for votes in cast.rows() {
        for a in votes {
            for b in votes {
                together[(*a, *b)] += 1.0;
            }
        }
    }
    let size: Vec<f64> = together.diag().iter().map(|c| c.max(1.0)).collect();
    let graph = Array2::from_shape_fn((width, width), |(a, b)| {
        (together[(a, b)] / (members as f64 * (size[a] * size[b]).sqrt())) as f32
    });
    let (values, vectors) = leading(&graph, k.min(n.saturating_sub(1)).max(1), level, task)?;
    let kept = values.iter().take_while(|w| **w > 1e-6).count().max(1);
    let vectors = vectors.slice(s![.., ..kept]);
    Ok(Array2::from_shape_fn((width, kept), |(vote, j)| {
        let singular = values[j].max(1e-12).sqrt();
        f64::from(vectors[(vote, j)]) / (singular * (size[vote] * members as f64).sqrt())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blobs(n: usize, p: usize) -> Array2<f32> {
        let mut random = Random::new(3, 0);
        Array2::from_shape_fn((n, p), |(i, j)| {
            (random.normal() + if i % 3 == j % 3 { 4.0 } else { 0.0 }) as f32
        })
    }

    fn parameters(members: Vec<usize>) -> ConsensusParameters {
        ConsensusParameters {
            n_clusters: 3,
            members,
            share: 0.6,
            standardised: true,
            spherical: true,
            seed: 5,
        }
    }

    #[test]
    fn the_vote_of_two_groups_finds_three_blobs_and_places_samples_one_by_one() {
        let (a, b) = (blobs(90, 30), blobs(90, 12));
        let (level, task) = (Level::current(), Task::new());
        let groups = [a.view(), b.view()];
        let fitted = Consensus::fit(&groups, &parameters(vec![0, 1, 0, 1]), level, &task).unwrap();
        let places = fitted.embed(&groups, level, &task).unwrap();
        let labels = locate(places.view(), fitted.centers.view());
        assert!((0..90).all(|i| labels[i] == labels[i % 3]));
        assert!(labels[0] != labels[1] && labels[1] != labels[2]);
        for i in 0..90 {
            let one = [a.slice(s![i..=i, ..]), b.slice(s![i..=i, ..])];
            let alone = fitted.embed(&one, level, &task).unwrap();
            assert_eq!(alone.row(0), places.row(i));
        }
    }

    #[test]
    fn a_single_member_is_k_means_in_its_own_components() {
        let a = blobs(60, 9);
        let (level, task) = (Level::current(), Task::new());
        let fitted = Consensus::fit(&[a.view()], &parameters(vec![0]), level, &task).unwrap();
        let places = fitted.embed(&[a.view()], level, &task).unwrap();
        let labels = locate(places.view(), fitted.centers.view());
        assert!((0..60).all(|i| labels[i] == labels[i % 3]));
        assert_eq!(fitted.centers.nrows(), 3);
    }
}
