//! The distances between two blocks of rows, summed by cluster as they come.

#![allow(unsafe_code)] // loads and stores of registers

use super::block::Table;
use crate::linalg::lanes::Lanes;
use crate::linalg::packed::dots_in_panel;
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel};
use crate::task::{Stopped, Task};

const LANES: usize = f32::PANEL;
/// Numbers in the largest register.
const SIDE: usize = 16;
/// Rows whose products with a panel stay in the innermost cache.
const ROWS: usize = 24;
/// A squared distance below this share of both squared lengths has lost digits to
/// cancellation, some `2^-24 / CLOSE` of it, and is computed again from differences.
const CLOSE: f32 = 0.25;
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
                        sums[cluster] += sum::<A>(&values[at - columns.start..end - columns.start]);
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
    let splat = <A::F32 as Lanes<f32>>::splat;
    let (own, minus_two, share) = (splat(own), splat(-2.0), splat(-CLOSE));
    let (zero, mut least) = (splat(0.0), splat(f32::INFINITY));
    let n = A::F32::N;
    for (squares, values) in squares.chunks_exact(n).zip(values.chunks_exact_mut(n)) {
        // SAFETY: both are `n` long.
        let (squares, dots) = unsafe { (load::<A>(squares), load::<A>(values)) };
        let both = own.add(squares);
        let square = dots.mul_add(minus_two, both);
        let slack = both.mul_add(share, square);
        least = slack.where_above(least, least, slack);
        let root = square.where_above(zero, square, zero).square_root();
        // SAFETY: `values` is `n` long.
        unsafe { root.store(values.as_mut_ptr()) };
    }
    // Twice as far as `close` asks for, which sees the square of the rounded root.
    let within = splat(2.0 * LEAST);
    let flag = within.where_above(least, splat(1.0), zero);
    total::<A>(flag) > 0.0
}

/// # Safety
/// `from` is as long as a register.
#[inline(always)]
unsafe fn load<A: Arithmetic>(from: &[f32]) -> A::F32 {
    // SAFETY: the caller's promise.
    unsafe { A::F32::load(from.as_ptr()) }
}

/// The sum of a register, by halves.
#[inline(always)]
fn total<A: Arithmetic>(values: A::F32) -> f64 {
    let mut numbers = [0.0; SIDE];
    // SAFETY: a register holds at most sixteen numbers.
    unsafe { values.store(numbers.as_mut_ptr()) };
    let [a, b, c, d]: [[f32; 4]; 4] = numbers.as_chunks::<4>().0.try_into().unwrap_or_default();
    let mut sums = [0.0; 4];
    for l in 0..4 {
        sums[l] = (a[l] + b[l]) + (c[l] + d[l]);
    }
    f64::from(sums[0] + sums[2]) + f64::from(sums[1] + sums[3])
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
fn sum<A: Arithmetic>(values: &[f32]) -> f64 {
    let mut sums = A::F32::splat(0.0);
    let registers = values.chunks_exact(A::F32::N);
    let rest = registers.remainder().iter().map(|x| f64::from(*x)).sum::<f64>();
    for values in registers {
        // SAFETY: it is as long as a register.
        sums = sums.add(unsafe { load::<A>(values) });
    }
    total::<A>(sums) + rest
}
