//! The distances between two blocks of rows, summed by cluster as they come.

use super::block::Table;
use crate::linalg::packed::dots_in_panel;
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel};
use crate::task::{Stopped, Task};

const LANES: usize = f32::PANEL;
/// Numbers that are added side by side.
const SIDE: usize = 16;
/// Rows whose products with a panel stay in the innermost cache.
const ROWS: usize = 24;
/// A squared distance below this share of both squared lengths has lost digits to
/// cancellation, some `2^-24 / CLOSE` of it, and is computed again from differences.
const CLOSE: f32 = 1.0 / 16.0;
/// Squares below this one are too close to the least number of single precision.
const LEAST: f32 = 1e-30;

/// Adds the distances between blocks `left` and `right` to the sums of their rows, one sum
/// per cluster of the other block's rows.
pub(super) struct Pairs<'a> {
    pub(super) table: &'a Table,
    pub(super) left: usize,
    pub(super) right: usize,
    /// Sums of the rows of `left`.
    pub(super) by_row: &'a mut [f64],
    /// Sums of the rows of `right`, if they are wanted.
    pub(super) by_column: Option<&'a mut [f64]>,
    pub(super) task: &'a Task,
}

impl Kernel for Pairs<'_> {
    type Output = Result<(), Stopped>;
    #[inline(always)]
    fn run<A: Arithmetic>(self) -> Result<(), Stopped> {
        let Self { table, left, right, by_row, mut by_column, task } = self;
        let (dim, clusters, block) = (table.dim, table.clusters(), &table.blocks[right]);
        let first_row = table.blocks[left].range.start;
        let (rows, own) = table.about::<A>(left, right);
        let mut products = [[0.0_f32; LANES]; ROWS];
        let panels = block.panels.chunks_exact(dim * LANES);
        let squares = block.squares.as_chunks::<LANES>().0;
        for (p, (panel, squares)) in panels.zip(squares).enumerate() {
            task.check()?;
            let first = block.range.start + p * LANES;
            let columns = first..(first + LANES).min(block.range.end);
            for (chunk, rows) in rows.chunks(ROWS * dim).enumerate() {
                dots_in_panel::<f32, A>(rows, dim, panel, products.as_flattened_mut(), LANES);
                let mut pending = Pending::default();
                let here = chunk * ROWS..chunk * ROWS + rows.len() / dim;
                for (i, values) in here.zip(&mut products) {
                    if distances::<A>(own[i], squares, values) {
                        let row = table.row(first_row + i);
                        for (l, j) in columns.clone().enumerate() {
                            if close(own[i] + squares[l], values[l] * values[l]) {
                                values[l] = by_differences::<A>(row, table.row(j));
                            }
                        }
                    }
                    let sums = &mut by_row[i * clusters..(i + 1) * clusters];
                    let mut at = columns.start;
                    while at < columns.end {
                        let cluster = table.labels[at] as usize;
                        let end = table.starts[cluster + 1].min(columns.end);
                        sums[cluster] += sum(&values[at - columns.start..end - columns.start]);
                        at = end;
                    }
                    if let Some(sums) = &mut by_column {
                        let sums = &mut sums[p * LANES * clusters..];
                        let cluster = table.labels[first_row + i] as usize;
                        if pending.cluster != cluster {
                            pending.flush(sums, clusters);
                            pending.cluster = cluster;
                        }
                        pending.add(values);
                    }
                }
                if let Some(sums) = &mut by_column {
                    pending.flush(&mut sums[p * LANES * clusters..], clusters);
                }
            }
        }
        Ok(())
    }
}

/// Distances of the rows of a panel to neighbouring rows of one cluster.
struct Pending {
    cluster: usize,
    sums: [f32; LANES],
}

impl Default for Pending {
    fn default() -> Self {
        Self { cluster: 0, sums: [0.0; LANES] }
    }
}

impl Pending {
    #[inline(always)]
    fn add(&mut self, values: &[f32; LANES]) {
        for l in 0..LANES {
            self.sums[l] += values[l];
        }
    }

    /// To the sums of each of the panel's rows, of which the last may be missing.
    #[inline(always)]
    fn flush(&mut self, sums: &mut [f64], clusters: usize) {
        let out = sums[self.cluster..].iter_mut().step_by(clusters);
        for (out, sum) in out.zip(&mut self.sums) {
            *out += f64::from(std::mem::take(sum));
        }
    }
}

#[inline(always)]
fn close(both: f32, square: f32) -> bool {
    square <= CLOSE * both + LEAST
}

/// Products to distances; whether one of them is too close to be trusted.
#[inline(always)]
fn distances<A: Arithmetic>(own: f32, squares: &[f32; LANES], values: &mut [f32; LANES]) -> bool {
    let mut least = [f32::INFINITY; SIDE];
    for (values, squares) in
        values.as_chunks_mut::<SIDE>().0.iter_mut().zip(squares.as_chunks::<SIDE>().0)
    {
        for l in 0..SIDE {
            let both = own + squares[l];
            let square = A::mul_add32(-2.0, values[l], both);
            let slack = A::mul_add32(-CLOSE, both, square);
            least[l] = if slack < least[l] { slack } else { least[l] };
            values[l] = if square > 0.0 { square.sqrt() } else { 0.0 };
        }
    }
    // Twice as far as `close` asks for, which sees the square of the rounded root.
    least.into_iter().fold(f32::INFINITY, f32::min) <= 2.0 * LEAST
}

#[inline(always)]
fn by_differences<A: Arithmetic>(a: &[f64], b: &[f64]) -> f32 {
    const SIDE: usize = 8;
    let mut sums = [0.0; SIDE];
    let (whole, rest) = a.as_chunks::<SIDE>();
    let (whole_b, rest_b) = b.as_chunks::<SIDE>();
    for (a, b) in whole.iter().zip(whole_b) {
        for l in 0..SIDE {
            let apart = a[l] - b[l];
            sums[l] = A::mul_add64(apart, apart, sums[l]);
        }
    }
    let rest = rest.iter().zip(rest_b).map(|(a, b)| (a - b) * (a - b));
    (sums.iter().sum::<f64>() + rest.sum::<f64>()).sqrt() as f32
}

#[inline(always)]
fn sum(values: &[f32]) -> f64 {
    let mut lanes = [0.0; SIDE];
    let (whole, rest) = values.as_chunks::<SIDE>();
    for values in whole {
        for l in 0..SIDE {
            lanes[l] += values[l];
        }
    }
    let (low, high) = lanes.split_at(SIDE / 2);
    let halves = low.iter().zip(high).map(|(a, b)| f64::from(*a) + f64::from(*b));
    halves.sum::<f64>() + rest.iter().map(|x| f64::from(*x)).sum::<f64>()
}
