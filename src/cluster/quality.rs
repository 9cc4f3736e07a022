//! How well rows sit in their clusters.

use ndarray::ArrayView2;
use rayon::prelude::*;

use crate::linalg::packed::{dots_in_panel, pack_rows};
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::task::{Stopped, Task};

const LANES: usize = f64::PANEL;
/// Rows per piece of work: their products with a panel stay in the innermost cache.
const CHUNK: usize = 96;
/// Panels between two looks at the task.
const PATIENCE: usize = 64;
/// A squared distance below this share of both squared norms has lost too many digits to
/// cancellation and is computed from differences.
const CLOSE: f64 = 1e-7;

/// Silhouette `(b - a) / max(a, b)` of every row (Rousseeuw, 1987, "Silhouettes: a graphical
/// aid to the interpretation and validation of cluster analysis").
///
/// `a` is the mean distance to the other rows of its cluster, `b` the least mean distance to
/// the rows of another; 0 for a row alone in its cluster. Labels are below `clusters`, and
/// every cluster has a row. Rows whose mean is near zero lose the fewest digits.
///
/// # Panics
/// If there is not one label per row, or a label is not below `clusters`.
pub fn silhouettes(
    rows: ArrayView2<'_, f64>,
    labels: &[u32],
    clusters: usize,
    level: Level,
    task: &Task,
) -> Result<Vec<f64>, Stopped> {
    let (n, dim) = rows.dim();
    assert!(n == labels.len(), "one label per row");
    let (starts, order) = by_label(labels, clusters);
    let sorted: Vec<f64> = order.iter().flat_map(|i| rows.row(*i)).copied().collect();
    let sorted_labels: Vec<u32> = order.iter().map(|i| labels[*i]).collect();
    let panels = pack_rows(&sorted, &vec![0.0; dim]);
    let squares = dispatch(level, Squares { rows: &sorted, dim, n });
    let table = Table {
        rows: &sorted,
        dim,
        panels: &panels,
        squares: &squares,
        starts: &starts,
        labels: &sorted_labels,
    };
    task.expect(n);
    let mut widths = vec![0.0; n];
    widths.par_chunks_mut(CHUNK).enumerate().try_for_each(|(i, out)| {
        let count = out.len();
        dispatch(level, Widths { table: &table, first: i * CHUNK, out, task })?;
        task.advance(count);
        Ok(())
    })?;
    let mut given = vec![0.0; n];
    order.iter().zip(widths).for_each(|(i, width)| given[*i] = width);
    Ok(given)
}

/// Where each cluster begins when rows are sorted by it, and the rows in that order.
fn by_label(labels: &[u32], clusters: usize) -> (Vec<usize>, Vec<usize>) {
    let mut starts = vec![0; clusters + 1];
    for label in labels {
        starts[*label as usize + 1] += 1;
    }
    for c in 0..clusters {
        starts[c + 1] += starts[c];
    }
    let mut next = starts.clone();
    let mut order = vec![0; labels.len()];
    for (i, label) in labels.iter().enumerate() {
        let slot = &mut next[*label as usize];
        order[*slot] = i;
        *slot += 1;
    }
    (starts, order)
}

/// Squared norms, each the same chain of additions as a product of the packed kernels, so
/// that the distance of equal rows is exactly zero. Padded to whole panels.
struct Squares<'a> {
    rows: &'a [f64],
    dim: usize,
    n: usize,
}

impl Kernel for Squares<'_> {
    type Output = Vec<f64>;
    #[inline(always)]
    fn run<A: Arithmetic>(self) -> Vec<f64> {
        let mut squares = vec![0.0; self.n.next_multiple_of(LANES)];
        for (square, row) in squares.iter_mut().zip(self.rows.chunks_exact(self.dim.max(1))) {
            *square = row.iter().fold(0.0, |sum, x| A::mul_add64(*x, *x, sum));
        }
        squares
    }
}

/// Rows sorted by cluster.
struct Table<'a> {
    rows: &'a [f64],
    dim: usize,
    panels: &'a [f64],
    squares: &'a [f64],
    starts: &'a [usize],
    labels: &'a [u32],
}

struct Widths<'a> {
    table: &'a Table<'a>,
    first: usize,
    out: &'a mut [f64],
    task: &'a Task,
}

impl Kernel for Widths<'_> {
    type Output = Result<(), Stopped>;
    #[inline(always)]
    fn run<A: Arithmetic>(self) -> Result<(), Stopped> {
        let Self { table, first, out, task } = self;
        let (dim, clusters) = (table.dim, table.starts.len() - 1);
        let rows = &table.rows[first * dim..(first + out.len()) * dim];
        let mut sums = vec![0.0; out.len() * clusters];
        let mut dots = vec![0.0; CHUNK * LANES];
        for (p, panel) in table.panels.chunks_exact((dim * LANES).max(1)).enumerate() {
            if p % PATIENCE == 0 {
                task.check()?;
            }
            dots_in_panel::<f64, A>(rows, dim, panel, &mut dots, LANES);
            let columns = p * LANES..((p + 1) * LANES).min(table.labels.len());
            let squares = &table.squares[p * LANES..(p + 1) * LANES];
            for (i, row) in rows.chunks_exact(dim).enumerate() {
                let distances = &mut dots[i * LANES..(i + 1) * LANES];
                let own = table.squares[first + i];
                if finish(own, squares, distances) {
                    from_differences::<A>(row, panel, distances);
                }
                for distance in distances.iter_mut() {
                    *distance = distance.sqrt();
                }
                let sums = &mut sums[i * clusters..(i + 1) * clusters];
                let mut at = columns.start;
                while at < columns.end {
                    let cluster = table.labels[at] as usize;
                    let end = table.starts[cluster + 1].min(columns.end);
                    sums[cluster] += sum(&distances[at - columns.start..end - columns.start]);
                    at = end;
                }
            }
        }
        for (i, (out, sums)) in out.iter_mut().zip(sums.chunks_exact(clusters)).enumerate() {
            *out = width(sums, table.labels[first + i] as usize, table.starts);
        }
        Ok(())
    }
}

/// Products to squared distances; whether one of them is too close to be trusted.
#[inline(always)]
fn finish(own: f64, squares: &[f64], values: &mut [f64]) -> bool {
    let mut least = f64::INFINITY;
    for (value, square) in values.iter_mut().zip(squares) {
        let both = own + square;
        let apart = both - 2.0 * *value;
        let slack = apart - CLOSE * both;
        least = if slack < least { slack } else { least };
        *value = if apart > 0.0 { apart } else { 0.0 };
    }
    least < 0.0
}

#[inline(always)]
fn from_differences<A: Arithmetic>(row: &[f64], panel: &[f64], values: &mut [f64]) {
    let mut squares = [0.0; LANES];
    for (x, lanes) in row.iter().zip(panel.chunks_exact(LANES)) {
        for l in 0..LANES {
            let apart = lanes[l] - x;
            squares[l] = A::mul_add64(apart, apart, squares[l]);
        }
    }
    values.copy_from_slice(&squares);
}

#[inline(always)]
fn sum(values: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (eights, rest) = values.as_chunks::<8>();
    for eight in eights {
        for l in 0..8 {
            lanes[l] += eight[l];
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h)) + rest.iter().sum::<f64>()
}

fn width(sums: &[f64], own: usize, starts: &[usize]) -> f64 {
    let count = |c: usize| (starts[c + 1] - starts[c]) as f64;
    if count(own) < 2.0 {
        return 0.0;
    }
    let inside = sums[own] / (count(own) - 1.0);
    let others = (0..sums.len()).filter(|c| *c != own);
    let outside = others.map(|c| sums[c] / count(c)).fold(f64::INFINITY, f64::min);
    let larger = inside.max(outside);
    if larger > 0.0 { (outside - inside) / larger } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::random::Random;

    fn plain(x: &Array2<f64>, labels: &[u32], clusters: usize) -> Vec<f64> {
        let (starts, _) = by_label(labels, clusters);
        let distance = |i: usize, j: usize| {
            x.row(i).iter().zip(x.row(j)).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
        };
        (0..x.nrows())
            .map(|i| {
                let mut sums = vec![0.0; clusters];
                (0..x.nrows()).for_each(|j| sums[labels[j] as usize] += distance(i, j));
                width(&sums, labels[i] as usize, &starts)
            })
            .collect()
    }

    #[test]
    fn widths_are_those_of_the_definition_on_every_level() {
        for (n, dim, clusters) in [(3, 1, 2), (100, 3, 2), (257, 20, 7), (300, 5, 150)] {
            let mut random = Random::new(n as u64, 0);
            let mut x = Array2::from_shape_simple_fn((n, dim), || random.normal());
            // Two rows too close for products to tell apart.
            let near = x.row(0).mapv(|x| x + 1e-9);
            x.row_mut(1).assign(&near);
            let labels: Vec<u32> = (0..n).map(|i| (i * 11 % clusters) as u32).collect();
            let expected = plain(&x, &labels, clusters);
            for level in Level::ALL.into_iter().filter(|level| level.available()) {
                let found = silhouettes(x.view(), &labels, clusters, level, &Task::new()).unwrap();
                for (found, expected) in found.iter().zip(&expected) {
                    assert!((found - expected).abs() < 1e-12, "{level:?} {n}: {found} {expected}");
                }
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
}
