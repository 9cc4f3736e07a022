use ndarray::{Array2, Axis};

use super::*;
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::random::Random;
use crate::task::Task;

const SHAPES: [(usize, usize, usize); 7] =
    [(1, 1, 1), (3, 2, 5), (64, 9, 6), (65, 17, 7), (130, 64, 16), (200, 33, 50), (97, 5, 100)];

fn levels() -> impl Iterator<Item = Level> {
    Level::ALL.into_iter().filter(|level| level.available())
}

fn normal<T: Real>(rows: usize, columns: usize, seed: u64) -> Array2<T> {
    let mut random = Random::new(seed, 0);
    Array2::from_shape_simple_fn((rows, columns), || T::rounded(random.normal()))
}

fn wide<T: Real>(x: &Array2<T>) -> Array2<f64> {
    x.mapv(T::wide)
}

fn products_equal_a_plain_matrix_product<T: Real>(tolerance: f64) {
    for (n, d, m) in SHAPES {
        let (x, y) = (normal::<T>(n, d, 1), normal::<T>(m, d, 2));
        let plain = wide(&x).dot(&wide(&y).t());
        for level in levels() {
            let packed = products(x.view(), y.view(), level, &Task::new()).unwrap();
            let error = (&wide(&packed) - &plain).mapv(f64::abs).fold(0.0, |a, b| b.max(a));
            assert!(error < tolerance * d as f64, "{level:?} {n} {d} {m}: {error}");
        }
    }
}

#[test]
fn products_are_right() {
    products_equal_a_plain_matrix_product::<f32>(1e-5);
    products_equal_a_plain_matrix_product::<f64>(1e-14);
}

#[test]
fn gram_is_right_and_symmetric() {
    for (n, d) in [(1, 1), (7, 3), (300, 65), (1000, 70), (513, 130)] {
        let x = normal::<f32>(n, d, 3);
        let plain = wide(&x).t().dot(&wide(&x));
        for level in levels() {
            let packed = gram(x.view(), level, &Task::new()).unwrap();
            assert_eq!(packed, packed.t());
            let error = (&packed - &plain).mapv(f64::abs).fold(0.0, |a, b| b.max(a));
            assert!(error < 1e-6 * n as f64 + 1e-5, "{level:?} {n} {d}: {error}");
        }
    }
}

fn nearest_is_the_first_of_the_nearest<T: Real>() {
    for (n, d, k) in SHAPES {
        let (x, mut centres) = (normal::<T>(n, d, 4), normal::<T>(k, d, 5));
        // A centre given twice is never found by its second index.
        let last = centres.row(k - 1).to_owned();
        centres.row_mut(0).assign(&last);
        for level in levels() {
            let prepared = Centres::new(centres.view());
            let zero = vec![T::default(); d];
            let rows = x.as_slice().unwrap();
            let found = nearest(rows, &zero, &prepared, level, &Task::new()).unwrap();
            for (row, label) in x.axis_iter(Axis(0)).zip(found) {
                let distance = |c: usize| -> f64 {
                    row.iter().zip(centres.row(c)).map(|(a, b)| (*a - *b).wide().powi(2)).sum()
                };
                let least = (0..k).map(distance).fold(f64::INFINITY, f64::min);
                let got = distance(label as usize);
                assert!(got <= least + 1e-4, "{level:?} {n} {d} {k}: {got} {least}");
                assert!(k == 1 || label as usize != k - 1);
            }
        }
    }
}

#[test]
fn nearest_is_right() {
    nearest_is_the_first_of_the_nearest::<f32>();
    nearest_is_the_first_of_the_nearest::<f64>();
}

#[test]
fn a_row_has_the_same_result_alone_and_among_others() {
    let (x, y) = (normal::<f32>(131, 21, 6), normal::<f32>(77, 21, 7));
    for level in levels() {
        let all = products(x.view(), y.view(), level, &Task::new()).unwrap();
        for i in [0, 5, 64, 130] {
            let row = x.slice(ndarray::s![i..=i, ..]);
            let alone = products(row, y.view(), level, &Task::new()).unwrap();
            assert_eq!(alone.row(0), all.row(i));
        }
    }
}

struct Two<'a>(&'a [f64], &'a Centres<f64>);

impl Kernel for Two<'_> {
    type Output = (Vec<u32>, Vec<f64>, Vec<f64>);
    #[inline(always)]
    fn run<A: Arithmetic>(self) -> Self::Output {
        let n = f64::PANEL;
        let (mut index, mut best, mut second) = (vec![0; n], vec![0.0; n], vec![0.0; n]);
        nearest_two_in_panel::<f64, A>(self.0, self.1, &mut index, &mut best, &mut second);
        (index, best, second)
    }
}

#[test]
fn the_two_best_scores_are_the_two_best() {
    let (x, y) = (normal::<f64>(f64::PANEL, 11, 8), normal::<f64>(20, 11, 9));
    let panel = pack_rows(x.as_slice().unwrap(), &[0.0; 11]);
    let centres = Centres::new(y.view());
    let mut scores = x.dot(&y.t());
    for (mut column, c) in scores.axis_iter_mut(Axis(1)).zip(y.axis_iter(Axis(0))) {
        column -= 0.5 * c.dot(&c);
    }
    for level in levels() {
        let (index, best, second) = dispatch(level, Two(&panel, &centres));
        for (i, row) in scores.axis_iter(Axis(0)).enumerate() {
            let mut sorted = row.to_vec();
            sorted.sort_by(f64::total_cmp);
            assert!((row[index[i] as usize] - best[i]).abs() < 1e-12);
            assert!((sorted[19] - best[i]).abs() < 1e-12);
            assert!((sorted[18] - second[i]).abs() < 1e-12);
        }
    }
}

struct Sums<'a, T> {
    strips: &'a Strips<T>,
    factors: &'a Array2<T>,
    all: bool,
}

impl<T: Real> Kernel for Sums<'_, T> {
    type Output = Array2<T>;
    #[inline(always)]
    fn run<A: Arithmetic>(self) -> Array2<T> {
        let Self { strips, factors, all } = self;
        let (rows, width) = (factors.nrows(), Strips::<T>::WIDTH);
        let mut out = Array2::from_elem((rows, strips.targets()), T::default());
        for first in (0..strips.targets()).step_by(width) {
            let mut sums = vec![T::ONE; rows * width];
            if all {
                strips.add_all::<A>(first / width, factors.as_slice().unwrap(), &mut sums);
            } else {
                for (factors, sums) in factors.rows().into_iter().zip(sums.chunks_exact_mut(width))
                {
                    let found = factors.iter().enumerate().filter(|(_, x)| **x != T::default());
                    let (sources, values): (Vec<u32>, Vec<T>) =
                        found.map(|(i, x)| (i as u32, *x)).unzip();
                    strips.add_some::<A>(first / width, &sources, &values, sums);
                }
            }
            for (mut out, sums) in out.rows_mut().into_iter().zip(sums.chunks_exact(width)) {
                out.iter_mut().skip(first).zip(sums).for_each(|(out, sum)| *out = *sum);
            }
        }
        out
    }
}

fn strips_sum_some_or_all_rows_to_the_same_bits<T: Real>(tolerance: f64) {
    for (rows, sources, targets) in [(1, 1, 1), (7, 20, 130), (13, 300, 64), (2, 0, 5)] {
        let weights = normal::<f64>(targets, sources, 7);
        let mut factors = normal::<T>(rows, sources, 8);
        factors.iter_mut().step_by(3).for_each(|x| *x = T::default());
        let strips = Strips::<T>::new(weights.view());
        let plain = wide(&factors).dot(&weights.t()) + 1.0;
        for level in levels() {
            let [some, all] = [false, true]
                .map(|all| dispatch(level, Sums { strips: &strips, factors: &factors, all }));
            assert!(some == all, "{level:?} {rows} {sources} {targets}");
            let error = (&wide(&some) - &plain).mapv(f64::abs).fold(0.0, |a, b| b.max(a));
            assert!(error < tolerance * (sources + 1) as f64, "{level:?} {sources}: {error}");
        }
    }
}

#[test]
fn strips_are_right() {
    strips_sum_some_or_all_rows_to_the_same_bits::<f32>(1e-5);
    strips_sum_some_or_all_rows_to_the_same_bits::<f64>(1e-14);
}

/// Every row whole numbers decide has the centre that scores find, and so have most rows.
fn whole_numbers_agree<T: Real>() {
    struct Rank<'a>(&'a Quantised, &'a QuantisedCentres, usize, Ranking);

    impl Kernel for Rank<'_> {
        type Output = Ranking;
        #[inline(always)]
        fn run<A: Arithmetic>(mut self) -> Ranking {
            self.0.rank::<A>(self.2, self.1, &mut self.3);
            self.3
        }
    }

    for (n, dim, k, scale) in [
        (1, 1, 1, 1.0),
        (100, 1, 5, 1.0),
        (130, 7, 13, 1e-4),
        (200, 64, 16, 1.0),
        (70, 129, 50, 1e6),
    ] {
        let x = normal::<T>(n, dim, 1).mapv(|x| x * T::rounded(scale));
        let mut rows = x.as_slice().unwrap().to_vec();
        // A row at the origin, and one that is all in one number.
        rows[..dim].fill(T::default());
        rows[n * dim - 1] = T::rounded(1e3 * scale);
        let shift = vec![T::default(); dim];
        let centres = normal::<T>(k, dim, 2).mapv(|x| x * T::rounded(scale));
        let centres = Centres::new(centres.view());
        for level in levels() {
            let exact = nearest(&rows, &shift, &centres, level, &Task::new()).unwrap();
            let mut squares = vec![T::default(); n];
            let quantised =
                Quantised::new(&rows, &shift, &mut squares, level, &Task::new()).unwrap();
            let whole = QuantisedCentres::new(&centres);
            let mut decided = 0;
            for first in (0..n).step_by(LANES) {
                let rank = Rank(&quantised, &whole, first, Ranking::default());
                let ranking = dispatch(level, rank);
                for i in first..n.min(first + LANES) {
                    if ranking.decides(i - first) {
                        decided += 1;
                        assert_eq!(ranking.index[i - first], exact[i], "{level:?} {n} {dim} {k}");
                    }
                }
            }
            assert!(10 * decided >= 8 * (n - 1), "{level:?} {dim} {k}: {decided} of {n}");
        }
    }
}

#[test]
fn whole_numbers_decide_most_rows_and_none_wrongly() {
    whole_numbers_agree::<f32>();
    whole_numbers_agree::<f64>();
}
