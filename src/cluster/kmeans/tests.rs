use ndarray::{Array2, ArrayView2, Axis, array, concatenate, s};

use super::*;
use crate::linalg::real::Real;
use crate::linalg::simd::Level;
use crate::random::Random;
use crate::task::{Stopped, Task};

fn levels() -> impl Iterator<Item = Level> {
    Level::ALL.into_iter().filter(|level| level.available())
}

/// Rows around `groups` points; `spread` 0 puts all of them into one cloud.
fn rows<T: Real>(n: usize, dim: usize, groups: usize, spread: f64) -> Array2<T> {
    let mut random = Random::new(7, 0);
    let means = Array2::from_shape_simple_fn((groups, dim), || spread * random.normal());
    Array2::from_shape_fn((n, dim), |(i, j)| T::rounded(means[[i % groups, j]] + random.normal()))
}

fn fit<T: Real>(kmeans: &KMeans, x: ArrayView2<'_, T>) -> Fitted<T> {
    kmeans.fit(x, None, Level::current(), &Task::new()).unwrap()
}

fn bounds_change_nothing<T: Real>() {
    for (n, dim, k, spread) in
        [(500, 3, 7, 4.0), (3000, 20, 16, 0.0), (5000, 8, 40, 1.0), (2100, 70, 5, 0.3)]
    {
        let x = rows::<T>(n, dim, k, spread);
        for level in levels() {
            let kmeans = KMeans { n_clusters: k, tol: 0.0, ..KMeans::default() };
            let fit = |bounds| {
                let kmeans = KMeans { bounds, ..kmeans.clone() };
                kmeans.fit(x.view(), None, level, &Task::new()).unwrap()
            };
            assert!(fit(true) == fit(false), "{level:?} {n} {dim} {k}");
        }
    }
}

#[test]
fn bounds_give_the_bits_of_plain_lloyd() {
    bounds_change_nothing::<f32>();
    bounds_change_nothing::<f64>();
}

#[test]
fn labels_are_what_predict_says() {
    for level in levels() {
        let x = rows::<f32>(3000, 10, 6, 1.0).mapv(|x| x + 1000.0);
        let kmeans = KMeans { n_clusters: 12, ..KMeans::default() };
        let fitted = kmeans.fit(x.view(), None, level, &Task::new()).unwrap();
        let found = predict(x.view(), fitted.centres.view(), &fitted.frame, level, &Task::new());
        assert_eq!(found.unwrap(), fitted.labels);
    }
}

/// At any power of two the same labels, centres and inertia, and `predict` says the same.
fn a_scale_changes_no_digit<T: Real>(exponents: &[i32]) {
    let x = rows::<T>(700, 5, 4, 3.0);
    let plain = {
        let init = Init::Given(x.slice(s![..4, ..]).mapv(T::wide));
        fit(&KMeans { n_clusters: 4, init, ..KMeans::default() }, x.view())
    };
    for (exponent, level) in exponents.iter().flat_map(|e| levels().map(move |level| (e, level))) {
        // In two steps: no single factor could be as large.
        let half = 2.0_f64.powi(exponent / 2);
        let rest = 2.0_f64.powi(exponent - exponent / 2);
        let scaled = |x: T| T::rounded(x.wide() * half * rest);
        let x = x.mapv(scaled);
        let init = Init::Given(x.slice(s![..4, ..]).mapv(T::wide));
        let kmeans = KMeans { n_clusters: 4, init, ..KMeans::default() };
        let fitted = kmeans.fit(x.view(), None, level, &Task::new()).unwrap();
        assert!(fitted.labels == plain.labels, "{level:?} 2^{exponent}");
        assert_eq!(fitted.centres, plain.centres.mapv(scaled), "{level:?} 2^{exponent}");
        let inertia = plain.inertia * half * half * rest * rest;
        assert_eq!(fitted.inertia.to_bits(), inertia.to_bits(), "{level:?} 2^{exponent}");
        let found = predict(x.view(), fitted.centres.view(), &fitted.frame, level, &Task::new());
        assert!(found.unwrap() == fitted.labels, "{level:?} 2^{exponent}");
    }
}

#[test]
fn scales_change_no_digit() {
    a_scale_changes_no_digit::<f32>(&[-100, -40, 50, 63, 100, 122]);
    a_scale_changes_no_digit::<f64>(&[-500, -100, 50, 200, 500]);
}

#[test]
fn rows_far_from_all_that_was_fitted_find_the_nearest_centre() {
    let x = array![[-1.0_f32, 0.0], [1.0, 0.0], [0.0, 3.0]];
    for scale in [1e-30_f32, 1.0, 1e25] {
        let kmeans = KMeans {
            n_clusters: 3,
            init: Init::Given(x.mapv(|x| f64::from(x * scale))),
            ..KMeans::default()
        };
        let fitted = fit(&kmeans, x.mapv(|x| x * scale).view());
        let far = array![[3e38_f32, 0.0], [-3e38, 0.0], [1e38, 3e38], [0.0, -3e38]];
        let found = predict(
            far.view(),
            fitted.centres.view(),
            &fitted.frame,
            Level::current(),
            &Task::new(),
        )
        .unwrap();
        assert_eq!(found, [1, 0, 2, 0]);
        let measured = distances(
            far.mapv(|x| x / 4.0).view(),
            fitted.centres.view(),
            Level::current(),
            &Task::new(),
        );
        assert!(measured.unwrap().iter().all(|d| d.is_finite() && *d > 7e37));
    }
}

#[test]
fn an_inertia_no_number_can_hold_is_an_error() {
    let x = array![[1e200], [-1e200], [3e200]];
    let result = KMeans { n_clusters: 2, ..KMeans::default() }.fit(
        x.view(),
        None,
        Level::current(),
        &Task::new(),
    );
    assert_eq!(result, Err(KMeansError::TooLarge { largest: 3e200 }));
}

#[test]
fn every_number_of_threads_gives_the_same_bits() {
    let x = rows::<f32>(20_000, 12, 9, 1.0);
    let kmeans = KMeans { n_clusters: 9, n_init: 2, ..KMeans::default() };
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit(&kmeans, x.view()))
    };
    let alone = on(1);
    assert!(alone == on(2) && alone == on(5));
}

#[test]
fn rows_in_another_order_give_the_same_clusters() {
    let x = rows::<f64>(300, 4, 5, 5.0);
    let mut order: Vec<usize> = (0..300).collect();
    Random::new(1, 1).shuffle(&mut order);
    let kmeans = KMeans { n_clusters: 5, ..KMeans::default() };
    let (a, b) = (fit(&kmeans, x.view()), fit(&kmeans, x.select(Axis(0), &order).view()));
    let shuffled: Vec<u32> = order.iter().map(|i| a.labels[*i]).collect();
    assert_eq!(shuffled, b.labels);
}

#[test]
fn a_weight_is_a_number_of_repetitions() {
    let x = rows::<f64>(60, 3, 4, 2.0);
    let weights: Vec<f64> = (0..60).map(|i| f64::from(i % 4)).collect();
    let repeated: Vec<usize> = (0..60).flat_map(|i| std::iter::repeat_n(i, i % 4)).collect();
    for init in [Init::PlusPlus, Init::GreedyPlusPlus, Init::Random] {
        let kmeans = KMeans { n_clusters: 4, init, ..KMeans::default() };
        let weighted =
            kmeans.fit(x.view(), Some(&weights), Level::current(), &Task::new()).unwrap();
        let plain = fit(&kmeans, x.select(Axis(0), &repeated).view());
        let difference = &weighted.centres - &plain.centres;
        assert!(difference.iter().all(|d| d.abs() < 1e-12), "{difference}");
        assert!((weighted.inertia - plain.inertia).abs() < 1e-9 * plain.inertia);
    }
}

#[test]
fn an_empty_cluster_gets_the_farthest_row() {
    let x = array![[0.0], [0.1], [0.2], [9.0]];
    let given = array![[0.0], [0.1], [100.0]];
    let kmeans = KMeans { n_clusters: 3, init: Init::Given(given), ..KMeans::default() };
    let fitted = fit(&kmeans, x.view());
    let mut labels = fitted.labels.clone();
    labels.sort_unstable();
    labels.dedup();
    assert_eq!(labels, [0, 1, 2]);
}

#[test]
fn fewer_different_rows_than_clusters_leave_clusters_empty() {
    let x = concatenate![Axis(0), Array2::<f32>::ones((5, 2)), Array2::zeros((5, 2))];
    for init in [Init::PlusPlus, Init::GreedyPlusPlus, Init::Random] {
        let kmeans = KMeans { n_clusters: 4, init, ..KMeans::default() };
        let fitted = fit(&kmeans, x.view());
        assert!(fitted.inertia == 0.0 && fitted.centres.iter().all(|c| c.is_finite()));
        assert_eq!(fitted.labels[..5], [fitted.labels[0]; 5]);
        assert_ne!(fitted.labels[0], fitted.labels[9]);
    }
}

#[test]
fn a_stopped_task_ends_the_fit() {
    let task = Task::new();
    task.stop();
    let x = rows::<f32>(100, 3, 2, 1.0);
    let result = KMeans::default().fit(x.view(), None, Level::current(), &task);
    assert_eq!(result, Err(KMeansError::Stopped(Stopped)));
}

#[test]
fn parameters_outside_their_domain_are_refused() {
    let x = rows::<f32>(4, 3, 2, 1.0);
    let shape = Init::Given(Array2::zeros((2, 2)));
    for (kmeans, message) in [
        (KMeans { n_clusters: 0, ..KMeans::default() }, "n_clusters must be at least 1, got 0"),
        (KMeans { n_clusters: 5, ..KMeans::default() }, "n_samples=4 should be >= n_clusters=5."),
        (KMeans { tol: -1.0, ..KMeans::default() }, "tol must be zero or more, got -1"),
        (KMeans { tol: f64::NAN, ..KMeans::default() }, "tol must be zero or more, got NaN"),
        (
            KMeans { n_clusters: 2, init: shape, ..KMeans::default() },
            "init has shape (2, 2), expected (n_clusters, n_features) = (2, 3)",
        ),
    ] {
        let error = kmeans.fit(x.view(), None, Level::current(), &Task::new()).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}
