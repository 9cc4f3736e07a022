use ndarray::ArrayView2;

use super::lanes::Lanes;
use crate::linalg::real::Real;
use crate::linalg::simd::Arithmetic;
use crate::task::{Stopped, Task};

/// Share of non-zero weights from which the dense kernel is quicker.
pub const DENSE_FROM: f64 = 0.7;

/// Source units per tile: their states, for 64 series, stay in the first-level cache
/// while every unit collects its inputs from them.
const TILE: usize = 128;

/// Target units the dense kernel advances at once.
const ROWS: usize = 6;

/// The weights between units, laid out for states of a block of series.
#[derive(Clone, Debug)]
pub enum Recurrent<T> {
    /// Compressed sparse rows, cut into tiles of source units.
    Sparse {
        /// Number of units.
        units: usize,
        /// One for every [`TILE`] source units.
        tiles: Vec<Tile<T>>,
    },
    /// All weights, row-major.
    Dense {
        /// Number of units.
        units: usize,
        /// `units * units` of them; row = target.
        weights: Vec<T>,
    },
}

/// The weights from one run of source units to all units.
#[derive(Clone, Debug, Default)]
pub struct Tile<T> {
    first: usize,
    /// Weights of target `i` are `ends[i - 1]..ends[i]`.
    ends: Vec<usize>,
    /// Source units, counted from `first`.
    sources: Vec<u32>,
    values: Vec<T>,
}

impl<T: Real> Recurrent<T> {
    /// `weights[i, j]` is the weight from unit `j` to unit `i`. Sparse or dense is decided
    /// by the share of weights that are not zero.
    ///
    /// # Panics
    /// If `weights` is not square.
    pub fn new<S: Real>(weights: ArrayView2<S>) -> Self {
        let units = weights.nrows();
        assert_eq!(units, weights.ncols(), "weights are square");
        let zero = S::default();
        let filled = weights.iter().filter(|w| **w != zero).count();
        if filled as f64 >= DENSE_FROM * (units * units) as f64 {
            let weights = weights.iter().map(|w| T::rounded(w.wide())).collect();
            return Self::Dense { units, weights };
        }
        let rows = weights.rows().into_iter().map(|row| {
            let entries = row.into_iter().enumerate().filter(|(_, w)| **w != zero);
            entries.map(|(j, w)| (j, T::rounded(w.wide()))).collect()
        });
        Self::from_rows(units, rows)
    }

    /// `rows` yields, for each target unit, its `(source, weight)` pairs in ascending order.
    pub fn from_rows(units: usize, rows: impl Iterator<Item = Vec<(usize, T)>>) -> Self {
        let mut tiles: Vec<Tile<T>> = (0..units)
            .step_by(TILE)
            .map(|first| Tile { first, ends: Vec::new(), sources: Vec::new(), values: Vec::new() })
            .collect();
        for row in rows {
            for (source, weight) in row {
                let tile = &mut tiles[source / TILE];
                tile.sources.push((source % TILE) as u32);
                tile.values.push(weight);
            }
            for tile in &mut tiles {
                tile.ends.push(tile.values.len());
            }
        }
        Self::Sparse { units, tiles }
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        match self {
            Self::Sparse { units, .. } | Self::Dense { units, .. } => *units,
        }
    }

    /// `current += weights * states`.
    #[inline(always)]
    pub fn add<A: Arithmetic, const L: usize>(
        &self,
        states: &[Lanes<T, L>],
        current: &mut [Lanes<T, L>],
        task: &Task,
    ) -> Result<(), Stopped> {
        match self {
            Self::Sparse { tiles, .. } => {
                for tile in tiles {
                    task.check()?;
                    tile.add::<A, L>(states, current);
                }
                Ok(())
            }
            // One 64-byte vector of series at a time: six rows of sums fill the registers.
            Self::Dense { weights, .. } if size_of::<T>() == 4 => {
                dense::<A, T, L, 16>(weights, states, current, task)
            }
            Self::Dense { weights, .. } => dense::<A, T, L, 8>(weights, states, current, task),
        }
    }
}

impl<T: Real> Tile<T> {
    #[inline(always)]
    fn add<A: Arithmetic, const L: usize>(
        &self,
        states: &[Lanes<T, L>],
        current: &mut [Lanes<T, L>],
    ) {
        let mut begin = 0;
        let states = &states[self.first..];
        for (end, current) in self.ends.iter().zip(current) {
            current.0 = self.row::<A, L>(begin, *end, states, current.0);
            begin = *end;
        }
    }

    #[inline(always)]
    fn row<A: Arithmetic, const L: usize>(
        &self,
        begin: usize,
        end: usize,
        states: &[Lanes<T, L>],
        mut sum: [T; L],
    ) -> [T; L] {
        for (source, weight) in self.sources[begin..end].iter().zip(&self.values[begin..end]) {
            let state = &states[*source as usize].0;
            for l in 0..L {
                sum[l] = state[l].mul_add::<A>(*weight, sum[l]);
            }
        }
        sum
    }
}

#[inline(always)]
fn dense<A: Arithmetic, T: Real, const L: usize, const W: usize>(
    weights: &[T],
    states: &[Lanes<T, L>],
    current: &mut [Lanes<T, L>],
    task: &Task,
) -> Result<(), Stopped> {
    let units = states.len();
    let whole = units - units % ROWS;
    for i in (0..whole).step_by(ROWS) {
        task.check()?;
        for lane in (0..L).step_by(W) {
            panel::<A, T, L, W, ROWS>(i, lane, weights, states, current);
        }
    }
    for i in whole..units {
        for lane in (0..L).step_by(W) {
            panel::<A, T, L, W, 1>(i, lane, weights, states, current);
        }
    }
    Ok(())
}

/// Rows `i..i + N` of the product, for `W` series from `lane` on.
#[inline(always)]
fn panel<A: Arithmetic, T: Real, const L: usize, const W: usize, const N: usize>(
    i: usize,
    lane: usize,
    weights: &[T],
    states: &[Lanes<T, L>],
    current: &mut [Lanes<T, L>],
) {
    let units = states.len();
    let rows: [&[T]; N] = std::array::from_fn(|n| &weights[(i + n) * units..][..units]);
    let mut sums = [[T::default(); W]; N];
    for n in 0..N {
        sums[n].copy_from_slice(&current[i + n].0[lane..lane + W]);
    }
    for (j, state) in states.iter().enumerate() {
        let state = &state.0[lane..lane + W];
        for n in 0..N {
            let weight = rows[n][j];
            for l in 0..W {
                sums[n][l] = state[l].mul_add::<A>(weight, sums[n][l]);
            }
        }
    }
    for n in 0..N {
        current[i + n].0[lane..lane + W].copy_from_slice(&sums[n]);
    }
}
