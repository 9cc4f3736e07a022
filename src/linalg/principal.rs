//! Principal components: the leading ones, of at most a few thousand rows.

use nalgebra::{DMatrix, SymmetricEigen};
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, Axis, s};
use rayon::prelude::*;

use super::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::random::Random;
use crate::task::{Stopped, Task};

/// Up to this size all eigenvectors are computed directly.
const DIRECT: usize = 160;
/// More vectors than wanted are iterated: the wanted ones then converge quickly.
const SPARE: usize = 16;
const ROUNDS: usize = 10;
/// Rows a thread multiplies at once; fixed, so that sums do not depend on the threads.
const BLOCK: usize = 128;

/// Directions of largest variance.
#[derive(Clone, Debug)]
pub struct Principal {
    /// `(features, components)`, orthonormal columns, largest variance first.
    pub directions: Array2<f32>,
    /// Sum of squares of the rows along each direction.
    pub spread: Vec<f64>,
    /// Sum of squares of all rows.
    pub total: f64,
}

/// The `most` leading principal components of the centred rows `z`.
pub fn principal(
    z: ArrayView2<f32>,
    most: usize,
    level: Level,
    task: &Task,
) -> Result<Principal, Stopped> {
    let (n, p) = z.dim();
    let total = z.iter().map(|v| f64::from(*v).powi(2)).sum();
    let wide = n <= p;
    let gram = if wide { outer(z, task)? } else { outer(z.t().as_standard_layout().view(), task)? };
    let (mut spread, vectors) = leading(&gram, most, level, task)?;
    // Directions of next to no variance are noise of the arithmetic.
    let floor = 1e-7 * spread.first().copied().unwrap_or(0.0).max(1e-30);
    let kept = spread.iter().take_while(|w| **w > floor).count().max(1).min(spread.len());
    spread.truncate(kept);
    let vectors = vectors.slice(s![.., ..kept]);
    let directions = if wide {
        let mut directions = z.t().dot(&vectors);
        for (mut column, w) in directions.columns_mut().into_iter().zip(&spread) {
            let scale = 1.0 / w.max(1e-30).sqrt();
            column.mapv_inplace(|v| (f64::from(v) * scale) as f32);
        }
        directions
    } else {
        vectors.to_owned()
    };
    Ok(Principal { directions, spread, total })
}

/// `rows * rows^T`.
fn outer(rows: ArrayView2<f32>, task: &Task) -> Result<Array2<f32>, Stopped> {
    let n = rows.nrows();
    let starts: Vec<usize> = (0..n).step_by(BLOCK).collect();
    let strips = starts
        .par_iter()
        .map(|&i| {
            task.check()?;
            // Left of the diagonal the product is known by symmetry.
            Ok(rows.slice(s![i..(i + BLOCK).min(n), ..]).dot(&rows.slice(s![i.., ..]).t()))
        })
        .collect::<Result<Vec<_>, Stopped>>()?;
    let mut product = Array2::zeros((n, n));
    for (&i, strip) in starts.iter().zip(&strips) {
        product.slice_mut(s![i..i + strip.nrows(), i..]).assign(strip);
        product.slice_mut(s![i.., i..i + strip.nrows()]).assign(&strip.t());
    }
    Ok(product)
}

/// The `most` largest eigenvalues of a symmetric positive semidefinite matrix, and their
/// eigenvectors in columns: subspace iteration with a Rayleigh-Ritz step (Saad, 2011,
/// "Numerical Methods for Large Eigenvalue Problems", chapter 5).
pub fn leading(
    matrix: &Array2<f32>,
    most: usize,
    level: Level,
    task: &Task,
) -> Result<(Vec<f64>, Array2<f32>), Stopped> {
    let n = matrix.nrows();
    let block = n.min(most + SPARE);
    let (values, vectors) = if n <= DIRECT || block == n {
        decompose(DMatrix::from_fn(n, n, |i, j| f64::from(matrix[(i, j)])))
    } else {
        let mut random = Random::new(0, 0);
        let mut basis = Array2::from_shape_simple_fn((n, block), || random.normal() as f32);
        for _ in 0..ROUNDS {
            orthonormalise(&mut basis, level);
            basis = times(matrix, &basis, task)?;
        }
        orthonormalise(&mut basis, level);
        let small = basis.t().dot(&times(matrix, &basis, task)?);
        let (values, rotation) = decompose(DMatrix::from_fn(block, block, |i, j| {
            f64::from(small[(i, j)] + small[(j, i)]) / 2.0
        }));
        (values, basis.dot(&rotation))
    };
    let kept = most.min(n);
    Ok((values[..kept].to_vec(), vectors.slice(s![.., ..kept]).to_owned()))
}

/// All eigenvalues, largest first and none negative, and their eigenvectors in columns.
pub fn decompose(matrix: DMatrix<f64>) -> (Vec<f64>, Array2<f32>) {
    let n = matrix.nrows();
    let SymmetricEigen { eigenvectors, eigenvalues } = SymmetricEigen::new(matrix);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| eigenvalues[*b].total_cmp(&eigenvalues[*a]));
    let values = order.iter().map(|i| eigenvalues[*i].max(0.0)).collect();
    (values, Array2::from_shape_fn((n, n), |(i, j)| eigenvectors[(i, order[j])] as f32))
}

fn times(matrix: &Array2<f32>, basis: &Array2<f32>, task: &Task) -> Result<Array2<f32>, Stopped> {
    let mut product = Array2::zeros((matrix.nrows(), basis.ncols()));
    let strips = product.axis_chunks_iter_mut(Axis(0), BLOCK).into_par_iter();
    strips.zip(matrix.axis_chunks_iter(Axis(0), BLOCK)).try_for_each(|(mut strip, rows)| {
        task.check()?;
        general_mat_mul(1.0, &rows, basis, 0.0, &mut strip);
        Ok(())
    })?;
    Ok(product)
}

fn orthonormalise(basis: &mut Array2<f32>, level: Level) {
    let mut columns: Vec<Vec<f64>> =
        basis.columns().into_iter().map(|c| c.iter().map(|v| f64::from(*v)).collect()).collect();
    dispatch(level, GramSchmidt(&mut columns));
    *basis = Array2::from_shape_fn(basis.dim(), |(i, j)| columns[j][i] as f32);
}

/// Each column twice, in double precision.
struct GramSchmidt<'a>(&'a mut [Vec<f64>]);

impl Kernel for GramSchmidt<'_> {
    type Output = ();
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        for j in 0..self.0.len() {
            let (done, rest) = self.0.split_at_mut(j);
            let column = &mut rest[0];
            for other in done.iter().chain(done.iter()) {
                let shared = dot::<A>(other, column);
                for (c, o) in column.iter_mut().zip(other) {
                    *c = A::mul_add64(-shared, *o, *c);
                }
            }
            let norm = dot::<A>(column, column).sqrt();
            let scale = if norm > 1e-30 { 1.0 / norm } else { 0.0 };
            for c in column.iter_mut() {
                *c *= scale;
            }
        }
    }
}

/// Sums side by side, so that it vectorises.
#[inline(always)]
fn dot<A: Arithmetic>(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 32;
    let mut sums = [0.0; LANES];
    let (whole, rest) = a.as_chunks::<LANES>();
    let (whole_b, rest_b) = b.as_chunks::<LANES>();
    for (a, b) in whole.iter().zip(whole_b) {
        for l in 0..LANES {
            sums[l] = A::mul_add64(a[l], b[l], sums[l]);
        }
    }
    sums.iter().sum::<f64>() + rest.iter().zip(rest_b).map(|(a, b)| a * b).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows whose variances along hidden directions fall off by a fifth each.
    fn rows(n: usize, p: usize) -> Array2<f32> {
        let mut random = Random::new(1, 0);
        let hidden = Array2::from_shape_fn((n, p.min(n)), |(_, j)| {
            (random.normal() * 0.8_f64.powi(j as i32)) as f32
        });
        hidden.dot(&Array2::from_shape_simple_fn((p.min(n), p), || random.normal() as f32))
    }

    #[test]
    fn leading_components_agree_with_the_full_decomposition() {
        for (n, p) in [(300, 400), (400, 300), (50, 90), (30, 4)] {
            let z = rows(n, p);
            let found = principal(z.view(), 12, Level::current(), &Task::new()).unwrap();
            let full = z.t().dot(&z).mapv(f64::from);
            let (values, _) = decompose(DMatrix::from_fn(p, p, |i, j| full[(i, j)]));
            for (found, exact) in found.spread.iter().zip(&values) {
                assert!((found - exact).abs() < 1e-3 * values[0], "{n} x {p}: {found} {exact}");
            }
            let gram = found.directions.t().dot(&found.directions);
            for ((i, j), v) in gram.indexed_iter() {
                assert!((v - f32::from(u8::from(i == j))).abs() < 2e-2, "{n} x {p}: {i} {j} {v}");
            }
        }
    }
}
