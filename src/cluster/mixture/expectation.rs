//! One pass over the rows: how likely each component made them, and what that adds up to.

use ndarray::{Array2, ArrayView2, ArrayView3};
use rayon::prelude::*;

use super::gaussians::{Component, from_factors};
use crate::linalg::exp::exp;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::task::{Stopped, Task};

/// Rows side by side in the innermost loops.
const LANES: usize = 32;
/// Rows whose products are summed before they are added to the rest.
const BLOCK: usize = 4 * LANES;
/// Rows of a thread at a time; fixed, so that sums do not depend on the threads.
const CHUNK: usize = 32 * BLOCK;
/// Most of such parts.
const PARTS: usize = 32;

/// Where the responsibilities of a pass come from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// Every row belongs to one component.
    Labels(&'a [u32]),
    /// The densities of the components.
    Densities,
}

/// What the rows of a component add up to, about its mean.
#[derive(Clone)]
pub(super) struct Moments {
    pub(super) weight: f64,
    pub(super) first: Vec<f64>,
    /// Lower triangle, by rows.
    pub(super) second: Vec<f64>,
}

impl Moments {
    fn new(dim: usize) -> Self {
        Self { weight: 0.0, first: vec![0.0; dim], second: vec![0.0; dim * (dim + 1) / 2] }
    }

    fn add(&mut self, other: &Self) {
        self.weight += other.weight;
        let pairs = self.first.iter_mut().zip(&other.first);
        pairs.chain(self.second.iter_mut().zip(&other.second)).for_each(|(a, b)| *a += b);
    }
}

/// Sum of the rows' log-likelihoods and the moments of every component.
pub(super) fn pass(
    x: ArrayView2<'_, f64>,
    components: &[Component],
    source: Source<'_>,
    level: Level,
    task: &Task,
) -> Result<(f64, Vec<Moments>), Stopped> {
    let (n, dim) = x.dim();
    let mut moments = vec![Moments::new(dim); components.len()];
    let mut likelihood = 0.0;
    // Every part has moments of its own: their number must not grow with that of the rows,
    // nor depend on that of the threads.
    let chunk = CHUNK.max(n.div_ceil(PARTS));
    let parts: Vec<(f64, Vec<Moments>)> = (0..n.div_ceil(chunk))
        .into_par_iter()
        .map(|i| {
            let rows = i * chunk..((i + 1) * chunk).min(n);
            dispatch(level, Chunk { x, components, source, rows, task })
        })
        .collect::<Result<_, Stopped>>()?;
    for (part, sums) in parts {
        likelihood += part;
        moments.iter_mut().zip(&sums).for_each(|(all, sums)| all.add(sums));
    }
    Ok((likelihood, moments))
}

struct Chunk<'a> {
    x: ArrayView2<'a, f64>,
    components: &'a [Component],
    source: Source<'a>,
    rows: std::ops::Range<usize>,
    task: &'a Task,
}

impl Kernel for Chunk<'_> {
    type Output = Result<(f64, Vec<Moments>), Stopped>;
    #[inline(always)]
    fn run<A: Arithmetic>(self) -> Self::Output {
        let Self { x, components, source, rows, task } = self;
        let dim = x.ncols();
        let mut moments = vec![Moments::new(dim); components.len()];
        let mut likelihood = 0.0;
        let mut block = Block::new(dim, components.len());
        for first in rows.clone().step_by(BLOCK) {
            task.check()?;
            let count = BLOCK.min(rows.end - first);
            block.load(x, first, count);
            match source {
                Source::Densities => {
                    block.densities::<A>(components);
                    block.normalise::<A>();
                    likelihood += block.likelihood[..count].iter().sum::<f64>();
                }
                Source::Labels(labels) => block.label(&labels[first..first + count]),
            }
            for (c, (component, moments)) in components.iter().zip(&mut moments).enumerate() {
                // Rows beyond the last have no part in anything.
                block.shares[c * BLOCK + count..(c + 1) * BLOCK].fill(0.0);
                block.gather::<A>(c, component, moments);
            }
            task.advance(count);
        }
        Ok((likelihood, moments))
    }
}

/// Up to `BLOCK` rows, dimension by dimension, and what is computed of them.
struct Block {
    values: Vec<f64>,
    differences: Vec<f64>,
    /// `(components, BLOCK)`: logarithms of densities, then shares of responsibility.
    shares: Vec<f64>,
    likelihood: Vec<f64>,
    dim: usize,
}

impl Block {
    fn new(dim: usize, components: usize) -> Self {
        Self {
            values: vec![0.0; dim * BLOCK],
            differences: vec![0.0; dim * BLOCK],
            shares: vec![0.0; components * BLOCK],
            likelihood: vec![0.0; BLOCK],
            dim,
        }
    }

    #[inline(always)]
    fn load(&mut self, x: ArrayView2<'_, f64>, first: usize, count: usize) {
        for i in 0..count {
            let row = x.row(first + i);
            for (value, lanes) in row.iter().zip(self.values.chunks_exact_mut(BLOCK)) {
                lanes[i] = *value;
            }
        }
    }

    #[inline(always)]
    fn subtract(&mut self, mean: &[f64]) {
        let values = self.values.as_chunks::<BLOCK>().0;
        let differences = self.differences.as_chunks_mut::<BLOCK>().0;
        for ((out, values), mean) in differences.iter_mut().zip(values).zip(mean) {
            for l in 0..BLOCK {
                out[l] = values[l] - mean;
            }
        }
    }

    /// Logarithms of the weighted densities.
    #[inline(always)]
    fn densities<A: Arithmetic>(&mut self, components: &[Component]) {
        for (c, component) in components.iter().enumerate() {
            self.subtract(&component.mean);
            for first in (0..BLOCK).step_by(LANES) {
                let mut squares = [0.0; LANES];
                let mut factor = component.factor.as_slice();
                for i in 0..self.dim {
                    let (row, rest) = factor.split_at(i + 1);
                    factor = rest;
                    let mut sums = [0.0; LANES];
                    for (j, weight) in row.iter().enumerate() {
                        let lanes = &self.differences[j * BLOCK + first..][..LANES];
                        for l in 0..LANES {
                            sums[l] = A::mul_add64(*weight, lanes[l], sums[l]);
                        }
                    }
                    for l in 0..LANES {
                        squares[l] = A::mul_add64(sums[l], sums[l], squares[l]);
                    }
                }
                let out = &mut self.shares[c * BLOCK + first..][..LANES];
                for l in 0..LANES {
                    out[l] = A::mul_add64(-0.5, squares[l], component.offset);
                }
            }
        }
    }

    /// From logarithms of densities to shares, and the logarithms of their sums.
    #[inline(always)]
    fn normalise<A: Arithmetic>(&mut self) {
        let mut largest = [f64::MIN; BLOCK];
        for shares in self.shares.as_chunks::<BLOCK>().0 {
            for l in 0..BLOCK {
                largest[l] = if shares[l] > largest[l] { shares[l] } else { largest[l] };
            }
        }
        let mut sums = [0.0; BLOCK];
        for shares in self.shares.as_chunks_mut::<BLOCK>().0 {
            for l in 0..BLOCK {
                shares[l] = exp::<A>(shares[l] - largest[l]);
                sums[l] += shares[l];
            }
        }
        for l in 0..BLOCK {
            self.likelihood[l] = largest[l] + sums[l].ln();
        }
        for shares in self.shares.as_chunks_mut::<BLOCK>().0 {
            for l in 0..BLOCK {
                shares[l] *= 1.0 / sums[l];
            }
        }
    }

    fn label(&mut self, labels: &[u32]) {
        self.shares.fill(0.0);
        for (i, label) in labels.iter().enumerate() {
            self.shares[*label as usize * BLOCK + i] = 1.0;
        }
    }

    /// Adds the rows' shares of component `c` to its moments.
    #[inline(always)]
    fn gather<A: Arithmetic>(&mut self, c: usize, component: &Component, moments: &mut Moments) {
        let mut share = [0.0; BLOCK];
        share.copy_from_slice(&self.shares[c * BLOCK..(c + 1) * BLOCK]);
        let weight = total(&share);
        if weight == 0.0 {
            return;
        }
        moments.weight += weight;
        self.subtract(&component.mean);
        let mut second = moments.second.iter_mut();
        let differences = self.differences.as_chunks::<BLOCK>().0;
        for (i, own) in differences.iter().enumerate() {
            let mut weighted = [0.0; BLOCK];
            for l in 0..BLOCK {
                weighted[l] = share[l] * own[l];
            }
            moments.first[i] += total(&weighted);
            for (other, sum) in differences[..=i].iter().zip(second.by_ref()) {
                *sum += dot::<A>(&weighted, other);
            }
        }
    }
}

#[inline(always)]
fn total(values: &[f64; BLOCK]) -> f64 {
    let mut sums = [0.0; LANES];
    for values in values.as_chunks::<LANES>().0 {
        for l in 0..LANES {
            sums[l] += values[l];
        }
    }
    sums.iter().sum()
}

#[inline(always)]
fn dot<A: Arithmetic>(a: &[f64; BLOCK], b: &[f64; BLOCK]) -> f64 {
    let mut sums = [0.0; LANES];
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for l in 0..LANES {
            sums[l] = A::mul_add64(a[l], b[l], sums[l]);
        }
    }
    // In halves, which stay in registers.
    let mut width = LANES / 2;
    while width > 0 {
        for l in 0..width {
            sums[l] += sums[l + width];
        }
        width /= 2;
    }
    sums[0]
}

/// Of each row the logarithm of its density, and that of each component's weighted share,
/// `(rows, components)`; `factors` are upper triangular, `precision = factor factorᵀ`.
///
/// # Panics
/// If the shapes do not fit together.
pub fn log_probabilities(
    x: ArrayView2<'_, f64>,
    weights: &[f64],
    means: ArrayView2<'_, f64>,
    factors: ArrayView3<'_, f64>,
    level: Level,
    task: &Task,
) -> Result<(Vec<f64>, Array2<f64>), Stopped> {
    let (n, k, dim) = (x.nrows(), weights.len(), x.ncols());
    assert!(means.dim() == (k, dim) && factors.dim() == (k, dim, dim), "a mean and factor each");
    let components = from_factors(weights, means, factors);
    task.expect(n);
    let (mut density, mut shares) = (vec![0.0; n], vec![0.0; n * k]);
    density.par_chunks_mut(BLOCK).zip(shares.par_chunks_mut(BLOCK * k)).enumerate().try_for_each(
        |(i, (density, shares))| {
            task.check()?;
            let first = i * BLOCK;
            dispatch(level, Report { x, components: &components, first, density, shares });
            task.advance(BLOCK.min(n - first));
            Ok(())
        },
    )?;
    let shares = Array2::from_shape_vec((n, k), shares).expect("a share per row and component");
    Ok((density, shares))
}

struct Report<'a> {
    x: ArrayView2<'a, f64>,
    components: &'a [Component],
    first: usize,
    density: &'a mut [f64],
    shares: &'a mut [f64],
}

impl Kernel for Report<'_> {
    type Output = ();
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let Self { x, components, first, density, shares } = self;
        let (count, k) = (density.len(), components.len());
        let mut block = Block::new(x.ncols(), k);
        block.load(x, first, count);
        block.densities::<A>(components);
        let logarithms = block.shares.clone();
        block.normalise::<A>();
        density.copy_from_slice(&block.likelihood[..count]);
        for (i, shares) in shares.chunks_exact_mut(k).enumerate() {
            for (c, share) in shares.iter_mut().enumerate() {
                *share = logarithms[c * BLOCK + i] - density[i];
            }
        }
    }
}
