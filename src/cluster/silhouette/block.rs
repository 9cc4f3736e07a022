use std::ops::Range;

use ndarray::ArrayView2;
use rayon::prelude::*;

use crate::linalg::packed::pack_rows;
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};

/// Rows of a block, a multiple of a panel's.
pub(super) const BLOCK: usize = 4 * f32::PANEL;

/// Rows sorted by cluster, scaled so that their squares fit into single precision.
pub(super) struct Table {
    rows: Vec<f64>,
    pub(super) dim: usize,
    /// Of each sorted row.
    pub(super) labels: Vec<u32>,
    /// Where each cluster begins, and the end of the last.
    pub(super) starts: Vec<usize>,
    /// Which row each sorted one was.
    pub(super) order: Vec<usize>,
    pub(super) blocks: Vec<Block>,
}

/// Neighbouring rows, mostly of one cluster, in single precision about their own mean: there
/// a distance is about as large as what it is computed from, and few digits cancel.
pub(super) struct Block {
    pub(super) range: Range<usize>,
    mean: Vec<f64>,
    /// Rows less the mean.
    pub(super) panels: Vec<f32>,
    /// Their squared lengths, with those of the lanes left over.
    pub(super) squares: Vec<f32>,
}

impl Table {
    pub(super) fn new(
        rows: ArrayView2<'_, f64>,
        labels: &[u32],
        clusters: usize,
        level: Level,
    ) -> Self {
        let (n, dim) = rows.dim();
        let (starts, order) = by_label(labels, clusters);
        let largest = rows.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
        // A power of two changes no digit.
        let exponent = largest.max(f64::MIN_POSITIVE).log2().clamp(-1000.0, 1000.0) as i32;
        let scale = 2.0_f64.powi(-exponent);
        let mut table = Self {
            rows: order.iter().flat_map(|i| rows.row(*i)).map(|x| x * scale).collect(),
            dim,
            labels: order.iter().map(|i| labels[*i]).collect(),
            starts,
            order,
            blocks: Vec::new(),
        };
        let ranges: Vec<_> = (0..n).step_by(BLOCK).map(|i| i..(i + BLOCK).min(n)).collect();
        table.blocks = ranges.into_par_iter().map(|range| table.block(range, level)).collect();
        table
    }

    fn block(&self, range: Range<usize>, level: Level) -> Block {
        let mut mean = vec![0.0; self.dim];
        for i in range.clone() {
            mean.iter_mut().zip(self.row(i)).for_each(|(mean, x)| *mean += x);
        }
        for mean in &mut mean {
            *mean /= range.len() as f64;
        }
        let mut rows = vec![0.0; range.len() * self.dim];
        let mut squares = vec![0.0; range.len().next_multiple_of(f32::PANEL)];
        let out = (&mut rows[..], &mut squares[..]);
        dispatch(level, Recentred { table: self, range: range.clone(), mean: &mean, out });
        Block { range, mean, panels: pack_rows(&rows, &vec![0.0; self.dim]), squares }
    }

    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    pub(super) fn clusters(&self) -> usize {
        self.starts.len() - 1
    }

    #[inline(always)]
    pub(super) fn row(&self, i: usize) -> &[f64] {
        &self.rows[i * self.dim..(i + 1) * self.dim]
    }

    /// The rows of block `left` about the mean of block `right`, and their squared lengths.
    #[inline(always)]
    pub(super) fn about<A: Arithmetic>(&self, left: usize, right: usize) -> (Vec<f32>, Vec<f32>) {
        let range = self.blocks[left].range.clone();
        let mut rows = vec![0.0; range.len() * self.dim];
        let mut squares = vec![0.0; range.len()];
        let mean = &self.blocks[right].mean;
        Recentred { table: self, range, mean, out: (&mut rows, &mut squares) }.run::<A>();
        (rows, squares)
    }

    /// The silhouette of sorted row `i`, whose distances to each cluster sum to `sums`.
    pub(super) fn width(&self, sums: &[f64], i: usize) -> f64 {
        let own = self.labels[i] as usize;
        let count = |c: usize| (self.starts[c + 1] - self.starts[c]) as f64;
        if count(own) < 2.0 {
            return 0.0;
        }
        let inside = sums[own] / (count(own) - 1.0);
        let others = (0..sums.len()).filter(|c| *c != own);
        let outside = others.map(|c| sums[c] / count(c)).fold(f64::INFINITY, f64::min);
        let larger = inside.max(outside);
        if larger > 0.0 { (outside - inside) / larger } else { 0.0 }
    }
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

struct Recentred<'a> {
    table: &'a Table,
    range: Range<usize>,
    mean: &'a [f64],
    /// Rows and squared lengths.
    out: (&'a mut [f32], &'a mut [f32]),
}

impl Kernel for Recentred<'_> {
    type Output = ();
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        const LANES: usize = 16;
        let Self { table, range, mean, out: (rows, squares) } = self;
        for ((i, out), square) in range.zip(rows.chunks_exact_mut(table.dim)).zip(squares) {
            for ((out, x), mean) in out.iter_mut().zip(table.row(i)).zip(mean) {
                *out = (x - mean) as f32;
            }
            let mut sums = [0.0_f32; LANES];
            let (whole, rest) = out.as_chunks::<LANES>();
            for x in whole {
                for l in 0..LANES {
                    sums[l] = A::mul_add32(x[l], x[l], sums[l]);
                }
            }
            let total = sums.iter().map(|sum| f64::from(*sum)).sum::<f64>();
            *square = (total + rest.iter().map(|x| f64::from(x * x)).sum::<f64>()) as f32;
        }
    }
}
