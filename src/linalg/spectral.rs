//! Spectral radius: the largest modulus of an eigenvalue.

use nalgebra::{Complex, DMatrix, DVector, Schur};
use ndarray::ArrayView2;
use rayon::prelude::*;
use thiserror::Error;

use super::real::Real;
use super::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::random::Random;
use crate::task::{Stopped, Task};

/// Up to this size all eigenvalues are computed, which is quicker there and always ends.
const DIRECT: usize = 200;
/// Up to this size they are computed as well when the iteration does not converge.
const LAST_RESORT: usize = 1000;
/// Residual of the leading eigenpair, relative to the eigenvalue, that ends the iteration.
/// The eigenvalue's error is larger by its condition number, hence not the wanted 1e-6.
const TOLERANCE: f64 = 1e-9;
const MAX_RESTARTS: usize = 200;
/// Rows of a product that one thread takes at a time.
const CHUNK: usize = 64;

/// Why there is no spectral radius.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
pub enum SpectralError {
    /// The iteration ran out of restarts.
    #[error("the spectral radius did not converge: estimate {estimate}, residual {residual:e}")]
    NotConverged {
        /// The last estimate.
        estimate: f64,
        /// Its residual.
        residual: f64,
    },
    /// Someone asked it to stop.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// The spectral radius of a square matrix of finite numbers.
///
/// Rows and columns that isolate an eigenvalue are set aside first (as in balancing), so
/// that a triangular matrix, in any order of its units, is answered from its diagonal.
/// What is left is decomposed directly when it is small, else by Arnoldi's method with
/// thick restarts (Stewart, 2002, "A Krylov-Schur algorithm for large eigenproblems").
///
/// # Panics
/// If `matrix` is not square.
pub fn spectral_radius<T: Real>(
    matrix: ArrayView2<T>,
    level: Level,
    task: &Task,
) -> Result<f64, SpectralError> {
    assert_eq!(matrix.nrows(), matrix.ncols(), "the matrix is square");
    let (left, isolated) = isolate(matrix);
    task.check()?;
    let n = left.len();
    if n <= DIRECT {
        let inner = DMatrix::from_fn(n, n, |i, j| matrix[(left[i], left[j])].wide());
        return Ok(isolated.max(direct(inner)?));
    }
    let rows = left.iter().map(|i| left.iter().map(|j| matrix[(*i, *j)]));
    let product = match matrix.to_slice() {
        Some(values) if n == matrix.nrows() => Product { n, values: values.into(), level },
        _ => Product { n, values: rows.flatten().collect(), level },
    };
    match arnoldi(&product, task) {
        Ok(radius) => Ok(isolated.max(radius)),
        // All eigenvalues of like modulus: nothing leads that an iteration could find.
        Err(SpectralError::NotConverged { .. }) if n <= LAST_RESORT => {
            let inner = DMatrix::from_fn(n, n, |i, j| product.values[i * n + j].wide());
            Ok(isolated.max(direct(inner)?))
        }
        Err(error) => Err(error),
    }
}

/// Indices that remain, and the largest modulus of the eigenvalues set aside.
fn isolate<T: Real>(matrix: ArrayView2<T>) -> (Vec<usize>, f64) {
    let n = matrix.nrows();
    let zero = T::default();
    let mut inputs = vec![0_usize; n];
    let mut outputs = vec![0_usize; n];
    for ((i, j), weight) in matrix.indexed_iter() {
        if i != j && *weight != zero {
            inputs[i] += 1;
            outputs[j] += 1;
        }
    }
    let mut there = vec![true; n];
    let mut aside: Vec<usize> = (0..n).filter(|&i| inputs[i] == 0 || outputs[i] == 0).collect();
    let mut largest = 0.0_f64;
    while let Some(k) = aside.pop() {
        if !std::mem::take(&mut there[k]) {
            continue;
        }
        largest = largest.max(matrix[(k, k)].wide().abs());
        for i in (0..n).filter(|&i| there[i]) {
            if matrix[(i, k)] != zero {
                inputs[i] -= 1;
            }
            if matrix[(k, i)] != zero {
                outputs[i] -= 1;
            }
            if inputs[i] == 0 || outputs[i] == 0 {
                aside.push(i);
            }
        }
    }
    ((0..n).filter(|&i| there[i]).collect(), largest)
}

/// All eigenvalues of a small matrix.
fn direct(mut matrix: DMatrix<f64>) -> Result<f64, SpectralError> {
    let n = matrix.nrows();
    let most = 100 * n.max(10);
    // The convergence test is relative to entries, so bring those near one.
    let size = matrix.amax();
    if size == 0.0 {
        return Ok(0.0);
    }
    matrix /= size;
    let schur = Schur::try_new(matrix.clone(), f64::EPSILON, most).or_else(|| {
        // Shifted steps can stand still on a matrix such as a cyclic permutation, but not
        // on its reflection in a random direction.
        let mut random = Random::new(1, 0);
        let axis = DVector::from_fn(n, |_, _| random.normal()).normalize();
        let reflection = DMatrix::identity(n, n) - 2.0 * &axis * axis.transpose();
        Schur::try_new(&reflection * matrix * &reflection, f64::EPSILON, most)
    });
    let schur =
        schur.ok_or(SpectralError::NotConverged { estimate: f64::NAN, residual: f64::NAN })?;
    Ok(size * schur.complex_eigenvalues().iter().map(|z| z.norm()).fold(0.0, f64::max))
}

struct Product<'a, T: Real> {
    n: usize,
    values: std::borrow::Cow<'a, [T]>,
    level: Level,
}

impl<T: Real> Product<'_, T> {
    fn apply(&self, x: &[f64], task: &Task) -> Result<DVector<f64>, Stopped> {
        let mut y = DVector::zeros(self.n);
        y.as_mut_slice()
            .par_chunks_mut(CHUNK)
            .zip(self.values.par_chunks(CHUNK * self.n))
            .try_for_each(|(y, rows)| {
                task.check()?;
                dispatch(self.level, Rows { weights: rows, x, y });
                Ok::<_, Stopped>(())
            })?;
        Ok(y)
    }
}

struct Rows<'a, T> {
    weights: &'a [T],
    x: &'a [f64],
    y: &'a mut [f64],
}

impl<T: Real> Kernel for Rows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        const W: usize = 32;
        for (y, row) in self.y.iter_mut().zip(self.weights.chunks_exact(self.x.len())) {
            let (row, row_rest) = row.as_chunks::<W>();
            let (x, x_rest) = self.x.as_chunks::<W>();
            let mut sums = [0.0; W];
            for (row, x) in row.iter().zip(x) {
                for l in 0..W {
                    sums[l] = A::mul_add64(row[l].wide(), x[l], sums[l]);
                }
            }
            let rest = row_rest.iter().zip(x_rest).map(|(w, x)| w.wide() * x).sum::<f64>();
            *y = sums.iter().sum::<f64>() + rest;
        }
    }
}

/// `A V = V H + v b'` with orthonormal `[V v]`, grown to `m` columns and cut back to the
/// leading part until the residual of the leading pair is small.
fn arnoldi<T: Real>(product: &Product<T>, task: &Task) -> Result<f64, SpectralError> {
    let n = product.n;
    let m = (n / 25).clamp(60, 200).min(n - 1);
    let mut random = Random::new(0, 0);
    let mut basis = DMatrix::<f64>::zeros(n, m + 1);
    let start = DVector::from_fn(n, |_, _| random.normal());
    basis.set_column(0, &start.normalize());
    let mut h = DMatrix::<f64>::zeros(m + 1, m);
    let mut kept = 0;
    let mut last = (0.0, f64::INFINITY);
    for _ in 0..MAX_RESTARTS {
        for j in kept..m {
            task.check()?;
            let mut next = product.apply(basis.column(j).as_slice(), task)?;
            let size = next.norm();
            // Twice is enough (Kahan) to be orthogonal to working precision.
            for _ in 0..2 {
                let known = basis.columns(0, j + 1);
                let along = known.tr_mul(&next);
                next.gemv(-1.0, &known, &along, 1.0);
                h.view_mut((0, j), (j + 1, 1)).zip_apply(&along, |h, a| *h += a);
            }
            let norm = next.norm();
            if norm <= 1e-14 * size || size == 0.0 {
                // The space is closed: a random start reaches every eigenvalue.
                return direct(h.view((0, 0), (j + 1, j + 1)).into_owned());
            }
            h[(j + 1, j)] = norm;
            basis.set_column(j + 1, &(next / norm));
        }
        task.check()?;
        let square = h.view((0, 0), (m, m)).into_owned();
        let coupling = h.row(m).into_owned();
        let Some((leading, vector, q)) = leading_part(&square, m / 2) else { break };
        let residual =
            vector.iter().zip(coupling.iter()).map(|(y, b)| y * *b).sum::<Complex<f64>>();
        last = (leading, residual.norm());
        if last.1 <= TOLERANCE * last.0 {
            return Ok(leading);
        }
        kept = q.ncols();
        let cut = basis.columns(0, m) * &q;
        let next = basis.column(m).into_owned();
        basis.columns_mut(0, kept).copy_from(&cut);
        basis.set_column(kept, &next);
        h.fill(0.0);
        h.view_mut((0, 0), (kept, kept)).copy_from(&(q.transpose() * &square * &q));
        h.view_mut((kept, 0), (1, kept)).copy_from(&(coupling * &q));
    }
    let (estimate, residual) = last;
    Err(SpectralError::NotConverged { estimate, residual })
}

/// Modulus and eigenvector of the leading eigenvalue of `h`, and a real orthonormal basis
/// of the invariant subspace of its `keep` leading ones (one more, not to part a pair).
fn leading_part(
    h: &DMatrix<f64>,
    keep: usize,
) -> Option<(f64, DVector<Complex<f64>>, DMatrix<f64>)> {
    let m = h.nrows();
    let schur = Schur::try_new(h.map(|x| Complex::new(x, 0.0)), f64::EPSILON, 100 * m)?;
    let (mut q, mut t) = schur.unpack();
    for k in 0..=keep {
        let best = (k..m).max_by(|&a, &b| t[(a, a)].norm().total_cmp(&t[(b, b)].norm()))?;
        for j in (k..best).rev() {
            swap(&mut t, &mut q, j);
        }
    }
    let parted =
        (t[(keep - 1, keep - 1)] - t[(keep, keep)].conj()).norm() <= 1e-6 * t[(keep, keep)].norm();
    let keep = keep + usize::from(parted && t[(keep, keep)].im != 0.0);
    let both =
        DMatrix::from_fn(
            m,
            2 * keep,
            |i, j| {
                if j < keep { q[(i, j)].re } else { q[(i, j - keep)].im }
            },
        );
    let real = both.col_piv_qr().q().columns(0, keep).into_owned();
    Some((t[(0, 0)].norm(), q.column(0).into_owned(), real))
}

/// Exchanges the neighbours `j` and `j + 1` on the diagonal of the triangular `t`.
fn swap(t: &mut DMatrix<Complex<f64>>, q: &mut DMatrix<Complex<f64>>, j: usize) {
    let (a, b, c) = (t[(j, j)], t[(j, j + 1)], t[(j + 1, j + 1)]);
    let x = [b, c - a];
    let norm = (x[0].norm_sqr() + x[1].norm_sqr()).sqrt();
    if norm == 0.0 {
        return;
    }
    let [x0, x1] = x.map(|x| x / norm);
    // Columns [x0, x1] and [-conj(x1), conj(x0)] are the new axes.
    let turn = |m: &mut DMatrix<Complex<f64>>| {
        for i in 0..m.nrows() {
            let (u, v) = (m[(i, j)], m[(i, j + 1)]);
            m[(i, j)] = u * x0 + v * x1;
            m[(i, j + 1)] = v * x0.conj() - u * x1.conj();
        }
    };
    turn(t);
    turn(q);
    for i in 0..t.ncols() {
        let (u, v) = (t[(j, i)], t[(j + 1, i)]);
        t[(j, i)] = x0.conj() * u + x1.conj() * v;
        t[(j + 1, i)] = x0 * v - x1 * u;
    }
    t[(j + 1, j)] = Complex::new(0.0, 0.0);
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    fn radius(matrix: &Array2<f64>) -> f64 {
        spectral_radius(matrix.view(), Level::current(), &Task::new()).unwrap()
    }

    fn random(n: usize, seed: u64) -> Array2<f64> {
        let mut random = Random::new(seed, 0);
        Array2::from_shape_fn((n, n), |_| random.normal())
    }

    #[test]
    fn iterating_agrees_with_decomposing() {
        for seed in 0..3 {
            let matrix = random(260, seed);
            let all = direct(DMatrix::from_fn(260, 260, |i, j| matrix[(i, j)])).unwrap();
            assert!((radius(&matrix) / all - 1.0).abs() < 1e-8);
        }
    }

    #[test]
    fn a_negative_leading_eigenvalue_counts_by_its_modulus() {
        let mut matrix = &random(300, 1) * 0.01;
        matrix.diag_mut()[7] = -5.0;
        assert!((radius(&matrix) - 5.0).abs() < 0.1);
    }

    #[test]
    fn a_symmetric_matrix_has_its_norm() {
        let v = Array2::from_shape_fn((300, 1), |(i, _)| (i as f64).sin());
        let matrix = v.dot(&v.t());
        assert!((radius(&matrix) / v.mapv(|x| x * x).sum() - 1.0).abs() < 1e-10);
    }

    #[test]
    fn zero_and_triangular_matrices_are_answered_from_the_diagonal() {
        assert!(radius(&Array2::zeros((0, 0))) == 0.0);
        assert!(radius(&Array2::zeros((400, 400))) == 0.0);
        let strict = Array2::from_shape_fn((400, 400), |(i, j)| f64::from(u8::from(i > j)));
        assert!(radius(&strict) == 0.0);
    }

    #[test]
    fn it_stops_when_told() {
        let task = Task::new();
        task.stop();
        let stopped = spectral_radius(random(300, 0).view(), Level::current(), &task);
        assert_eq!(stopped, Err(SpectralError::Stopped(Stopped)));
    }
}
