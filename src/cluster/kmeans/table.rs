//! The rows as K-means works on them.

use std::ops::Range;

use rayon::prelude::*;

use super::distances::squared_distance;
use super::frame::Frame;
use super::moments::Moments;
use super::ranges::ranges;
use crate::linalg::lanes::prefetch;
use crate::linalg::packed::{LANES, Quantised, pack_rows};
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::task::{Stopped, Task};

/// Bytes the cache fetches at a time.
const LINE: usize = 64;

/// Forms of the rows less their mean that searches read.
#[derive(Clone, Copy)]
pub(super) struct Forms {
    /// Panels of the numbers themselves.
    pub(super) panels: bool,
    /// Whole numbers, where the level is quicker with them.
    pub(super) quantised: bool,
}

/// Rows, and forms of the same less their mean.
pub(super) struct Table<'a, T> {
    rows: &'a [T],
    pub(super) len: usize,
    pub(super) dim: usize,
    /// The shift is the weighted mean, rounded.
    pub(super) frame: Frame<T>,
    /// Weighted variance of a column, averaged over the columns.
    pub(super) variance: f64,
    /// Empty if nobody asked for them.
    panels: Vec<T>,
    pub(super) quantised: Option<Quantised>,
    /// Squared length of each row less the mean; zero in the lanes left over.
    pub(super) squares: Vec<T>,
    /// Zero in the lanes left over.
    pub(super) weights: Vec<f64>,
    pub(super) ranges: Vec<Range<usize>>,
}

impl<'a, T: Real> Table<'a, T> {
    pub(super) fn new(
        rows: &'a [T],
        moments: Moments,
        exponent: i32,
        weights: Option<&[f64]>,
        forms: Forms,
        level: Level,
        task: &Task,
    ) -> Result<Self, Stopped> {
        let dim = moments.means.len();
        let n = rows.len() / dim;
        let padded = n.next_multiple_of(LANES);
        let mut weights = weights.map_or_else(|| vec![1.0; n], <[f64]>::to_vec);
        weights.resize(padded, 0.0);
        let shift = moments.means.into_iter().map(T::rounded).collect();
        let mut table = Self {
            rows,
            len: n,
            dim,
            frame: Frame { shift, exponent },
            variance: moments.variance,
            panels: Vec::new(),
            quantised: None,
            squares: vec![T::default(); padded],
            weights,
            ranges: ranges(n),
        };
        if forms.quantised && level > Level::Portable && dim <= Quantised::MOST_DIMENSIONS {
            let (shift, squares) = (&table.frame.shift, &mut table.squares);
            table.quantised = Some(Quantised::new(rows, shift, squares, level, task)?);
        } else {
            table.measure(level, task)?;
        }
        if forms.panels || table.quantised.is_none() {
            table.panels = pack_rows(rows, &table.frame.shift);
        }
        task.check()?;
        Ok(table)
    }

    /// Row `i` at the scale of the frame.
    #[inline(always)]
    pub(super) fn row(&self, i: usize) -> &'a [T] {
        &self.rows[i * self.dim..(i + 1) * self.dim]
    }

    /// Asks for row `i` to be in the cache soon.
    #[inline(always)]
    pub(super) fn prefetch(&self, i: usize) {
        for value in self.row(i).iter().step_by(LINE / size_of::<T>()) {
            prefetch(value);
        }
    }

    /// Whether there are panels.
    pub(super) fn has_panels(&self) -> bool {
        !self.panels.is_empty()
    }

    /// The panel that begins with row `first`, unless nobody asked for panels.
    #[inline(always)]
    pub(super) fn panel(&self, first: usize) -> Option<&[T]> {
        self.panels.get(first * self.dim..(first + T::PANEL) * self.dim)
    }

    fn measure(&mut self, level: Level, task: &Task) -> Result<(), Stopped> {
        let (rows, dim, shift) = (self.rows, self.dim, &self.frame.shift);
        let squares = self.squares.par_chunks_mut(LANES);
        squares.zip(rows.par_chunks(dim * LANES)).try_for_each(|(squares, rows)| {
            task.check()?;
            dispatch(level, Squares { rows, shift, out: squares });
            Ok(())
        })
    }
}

struct Squares<'a, T> {
    rows: &'a [T],
    shift: &'a [T],
    out: &'a mut [T],
}

impl<T: Real> Kernel for Squares<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let zeros = vec![T::default(); self.shift.len()];
        for (square, row) in self.out.iter_mut().zip(self.rows.chunks_exact(zeros.len())) {
            *square = squared_distance(row, self.shift, &zeros);
        }
    }
}
