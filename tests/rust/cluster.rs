use holdfast::cluster::kmeans::{Fitted, KMeans, KMeansError, predict};
use holdfast::linalg::simd::Level;
use holdfast::random::Random;
use holdfast::task::Task;
use ndarray::{Array2, array};
use rayon::ThreadPoolBuilder;

fn rows(n: usize) -> Array2<f64> {
    let mut random = Random::new(0, 0);
    Array2::from_shape_simple_fn((n, 3), || random.normal())
}

fn fit(x: &Array2<f64>, threads: usize) -> Fitted<f64> {
    let kmeans = KMeans { n_clusters: 5, seed: 7, ..KMeans::default() };
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| kmeans.fit(x.view(), None, Level::current(), &Task::new())).unwrap()
}

#[test]
fn the_number_of_threads_cannot_be_seen() {
    let x = rows(3000);
    assert_eq!(fit(&x, 1), fit(&x, 3));
}

#[test]
fn predict_of_the_training_rows_are_the_labels() {
    let x = rows(500);
    let fitted = fit(&x, 2);
    let labels =
        predict(x.view(), fitted.centres.view(), &fitted.frame, Level::current(), &Task::new());
    assert_eq!(labels.unwrap(), fitted.labels);
}

#[test]
fn more_clusters_than_rows_is_an_error_with_both_numbers() {
    let kmeans = KMeans { n_clusters: 3, ..KMeans::default() };
    let x = array![[0.0], [1.0]];
    let error = kmeans.fit(x.view(), None, Level::current(), &Task::new()).unwrap_err();
    assert_eq!(error, KMeansError::TooFewRows { n_rows: 2, n_clusters: 3 });
}
