//! Which of some rows is nearest: the inner loop of k-means and of the spiking dictionary.

use ndarray::ArrayView2;

use super::real::Real;
use super::simd::Arithmetic;

/// Points side by side in one panel.
pub const LANES: usize = 16;

/// Rows of a codebook compared at once: as many sums as 256-bit registers hold.
const TILE: usize = 6;

/// Rows to be compared with, packed for [`nearest`](Self::nearest).
#[derive(Clone, Debug)]
pub struct Codebook<T> {
    dimensions: usize,
    /// Tile by tile, dimension by dimension, [`TILE`] values.
    values: Vec<T>,
    /// Half the squared norm of each row; infinite where a tile is padded.
    half_norms: Vec<T>,
}

impl<T: Real> Codebook<T> {
    /// Packs `rows`.
    pub fn new(rows: ArrayView2<T>) -> Self {
        let (len, dimensions) = rows.dim();
        let tiles = len.div_ceil(TILE);
        let mut values = vec![T::default(); tiles * dimensions * TILE];
        let mut half_norms = vec![T::HIGHEST; tiles * TILE];
        for (i, row) in rows.rows().into_iter().enumerate() {
            let tile = i / TILE * dimensions * TILE;
            for (j, value) in row.iter().enumerate() {
                values[tile + j * TILE + i % TILE] = *value;
            }
            half_norms[i] = T::rounded(row.iter().map(|v| v.wide() * v.wide()).sum::<f64>() / 2.0);
        }
        Self { dimensions, values, half_norms }
    }

    /// Numbers per row.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// For each point of `panel` (one array per dimension) the nearest row, the lowest on a
    /// tie, and half the squared distance to it less half the squared norm of the point.
    #[inline(always)]
    pub fn nearest<A: Arithmetic>(&self, panel: &[[T; LANES]]) -> ([u32; LANES], [T; LANES]) {
        let mut best = [T::HIGHEST; LANES];
        let mut index = [0_u32; LANES];
        let tiles = self.values.chunks_exact(self.dimensions * TILE);
        for (t, (tile, half)) in tiles.zip(self.half_norms.chunks_exact(TILE)).enumerate() {
            let mut dot = [[T::default(); LANES]; TILE];
            for (point, row) in panel.iter().zip(tile.chunks_exact(TILE)) {
                for r in 0..TILE {
                    for l in 0..LANES {
                        dot[r][l] = point[l].mul_add::<A>(row[r], dot[r][l]);
                    }
                }
            }
            for r in 0..TILE {
                let which = (t * TILE + r) as u32;
                for l in 0..LANES {
                    let score = half[r] - dot[r][l];
                    let better = score < best[l];
                    best[l] = if better { score } else { best[l] };
                    index[l] = if better { which } else { index[l] };
                }
            }
        }
        (index, best)
    }
}

/// Points in panels of [`LANES`]; the last panel is padded with copies of zero.
#[derive(Clone, Debug)]
pub struct Panels<T> {
    dimensions: usize,
    len: usize,
    values: Vec<[T; LANES]>,
}

impl<T: Real> Panels<T> {
    /// Packs the rows of `x`, each less `offset`.
    pub fn new(x: ArrayView2<T>, offset: &[T]) -> Self {
        let (len, dimensions) = x.dim();
        let mut values = vec![[T::default(); LANES]; len.div_ceil(LANES) * dimensions];
        for (i, row) in x.rows().into_iter().enumerate() {
            let panel = &mut values[i / LANES * dimensions..][..dimensions];
            for ((slot, value), offset) in panel.iter_mut().zip(row).zip(offset) {
                slot[i % LANES] = *value - *offset;
            }
        }
        Self { dimensions, len, values }
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Numbers per point.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Panel `p`: one array per dimension.
    pub fn panel(&self, p: usize) -> &[[T; LANES]] {
        &self.values[p * self.dimensions..][..self.dimensions]
    }

    /// Number `j` of point `i`.
    pub fn value(&self, i: usize, j: usize) -> T {
        self.values[i / LANES * self.dimensions + j][i % LANES]
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::linalg::simd::{Kernel, Level, dispatch};
    use crate::random::Random;

    struct Find<'a>(&'a Codebook<f32>, &'a Panels<f32>);

    impl Kernel for Find<'_> {
        type Output = Vec<u32>;
        #[inline(always)]
        fn run<A: Arithmetic>(self) -> Vec<u32> {
            let panels = 0..self.1.len().div_ceil(LANES);
            let found = panels.flat_map(|p| self.0.nearest::<A>(self.1.panel(p)).0);
            found.take(self.1.len()).collect()
        }
    }

    #[test]
    fn finds_what_comparing_all_finds_on_every_level() {
        let mut random = Random::new(0, 0);
        for (n, k, d) in [(1, 1, 1), (40, 7, 9), (33, 50, 20)] {
            let x = Array2::from_shape_simple_fn((n, d), || random.normal() as f32);
            let rows = Array2::from_shape_simple_fn((k, d), || random.normal() as f32);
            let distance = |i: usize, c: usize| -> f32 {
                x.row(i).iter().zip(rows.row(c)).map(|(a, b)| (a - b) * (a - b)).sum()
            };
            let expected: Vec<u32> = (0..n)
                .map(|i| (0..k).min_by(|a, b| distance(i, *a).total_cmp(&distance(i, *b))))
                .map(|c| c.unwrap() as u32)
                .collect();
            let (codebook, panels) = (Codebook::new(rows.view()), Panels::new(x.view(), &vec![0.0; d]));
            for level in Level::ALL.into_iter().filter(|level| level.available()) {
                assert_eq!(dispatch(level, Find(&codebook, &panels)), expected, "{level:?}");
            }
        }
    }
}
