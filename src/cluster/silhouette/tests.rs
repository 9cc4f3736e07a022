use ndarray::Array2;

use super::block::Table;
use super::*;
use crate::random::Random;

fn plain(x: &Array2<f64>, labels: &[u32], clusters: usize) -> Vec<f64> {
    let mean_distance = |i: usize, c: usize| {
        let rows = (0..x.nrows()).filter(|j| labels[*j] as usize == c);
        let distances = rows.clone().map(|j| {
            x.row(i).iter().zip(x.row(j)).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
        });
        let own = usize::from(labels[i] as usize == c);
        distances.sum::<f64>() / (rows.count() - own) as f64
    };
    let width = |i: usize| {
        let own = labels[i] as usize;
        if labels.iter().filter(|label| **label as usize == own).count() < 2 {
            return 0.0;
        }
        let inside = mean_distance(i, own);
        let others = (0..clusters).filter(|c| *c != own);
        let outside = others.map(|c| mean_distance(i, c)).fold(f64::INFINITY, f64::min);
        let larger = inside.max(outside);
        if larger > 0.0 { (outside - inside) / larger } else { 0.0 }
    };
    (0..x.nrows()).map(width).collect()
}

fn levels() -> impl Iterator<Item = Level> {
    Level::ALL.into_iter().filter(|level| level.available())
}

fn agrees(x: &Array2<f64>, labels: &[u32], clusters: usize, work: &str) {
    let expected = plain(x, labels, clusters);
    for level in levels() {
        let found = silhouettes(x.view(), labels, clusters, level, &Task::new()).unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-6, "{level:?} {work}: {found} {expected}");
        }
    }
}

#[test]
fn widths_are_those_of_the_definition_on_every_level() {
    for (n, dim, clusters) in [(3, 1, 2), (100, 3, 2), (257, 20, 7), (300, 5, 150), (700, 33, 4)] {
        let mut random = Random::new(n as u64, 0);
        let mut x = Array2::from_shape_simple_fn((n, dim), || random.normal());
        // Two rows too close for products to tell apart.
        let near = x.row(0).mapv(|x| x + 1e-9);
        x.row_mut(1).assign(&near);
        let labels: Vec<u32> = (0..n).map(|i| (i * 11 % clusters) as u32).collect();
        agrees(&x, &labels, clusters, &format!("{n} x {dim}"));
    }
}

#[test]
fn single_precision_is_enough_where_digits_cancel() {
    let mut random = Random::new(5, 0);
    let labels: Vec<u32> = (0..400).map(|i| i % 5).collect();
    let mut table = |far: f64, spread: f64, outlier: f64, scale: f64| {
        let mut x = Array2::from_shape_fn((400, 12), |(i, j)| {
            // Three heaps, whatever the labels say.
            let heap = if i % 3 == j % 3 { far } else { 0.0 };
            scale * (heap + spread * random.normal())
        });
        x[(17, 3)] += scale * outlier;
        x
    };
    for (far, spread, outlier, scale) in [
        (1e4, 1.0, 0.0, 1.0),
        (0.0, 1.0, 1e6, 1.0),
        (1e3, 1e-6, 0.0, 1.0),
        (3.0, 1.0, 0.0, 1e150),
        (3.0, 1.0, 0.0, 1e-150),
    ] {
        let x = table(far, spread, outlier, scale);
        agrees(&x, &labels, 5, &format!("{far} {spread} {outlier} {scale}"));
    }
}

#[test]
fn both_ways_to_sum_agree() {
    for n in [1, 255, 256, 257, 512, 1100, 1300] {
        let mut random = Random::new(7, n as u64);
        let x = Array2::from_shape_simple_fn((n, 6), || random.normal());
        let labels: Vec<u32> = (0..n).map(|i| (i % 3) as u32).collect();
        let clusters = n.min(3);
        let task = Task::new();
        for level in levels() {
            let table = Table::new(x.view(), &labels, clusters, level);
            let once = every_pair_once(&table, level, &task).unwrap();
            let twice = row_by_row(&table, level, &task).unwrap();
            assert!(once.iter().zip(&twice).all(|(a, b)| (a - b).abs() < 1e-6), "{level:?} {n}");
        }
    }
}

#[test]
fn equal_rows_have_width_zero() {
    let x = Array2::from_elem((70, 3), 0.1);
    let labels: Vec<u32> = (0..70).map(|i| i % 2).collect();
    let found = silhouettes(x.view(), &labels, 2, Level::current(), &Task::new()).unwrap();
    assert_eq!(found, [0.0; 70]);
}
