//! The nearest of some centres for every row, distances and search fused.

#![allow(unsafe_code)] // stores of registers

use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

use super::panel::pack;
use super::tile::{Factors, ROWS, tile, with_rows};
use crate::linalg::lanes::Lanes;
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::task::{Stopped, Task};

/// Centres with what a search needs to know of them.
///
/// The score of a row `x` at a centre `c` is `x . c - |c|^2 / 2`, so that
/// `|x - c|^2 = |x|^2 - 2 * score` and the nearest centre has the largest score.
#[derive(Clone, Debug)]
pub struct Centres<T> {
    rows: Vec<T>,
    offsets: Vec<T>,
    dim: usize,
}

impl<T: Real> Centres<T> {
    /// Copies the `(k, dim)` centres.
    pub fn new(centres: ArrayView2<'_, T>) -> Self {
        let half = |c: f64| T::rounded(-0.5 * c);
        let norm = |c: ndarray::ArrayView1<'_, T>| c.iter().map(|x| x.wide().powi(2)).sum();
        Self {
            rows: centres.iter().copied().collect(),
            offsets: centres.axis_iter(Axis(0)).map(|c| half(norm(c))).collect(),
            dim: centres.ncols(),
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// Dimensions of each.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The values of centre `c`.
    pub fn row(&self, c: usize) -> &[T] {
        &self.rows[c * self.dim..(c + 1) * self.dim]
    }
}

/// Index of the nearest centre for each of the `PANEL` rows of a panel (ties: the lowest),
/// to be called inside a dispatched kernel.
#[inline(always)]
pub fn nearest_in_panel<T: Real, A: Arithmetic>(
    panel: &[T],
    centres: &Centres<T>,
    index: &mut [u32],
) {
    search::<T, A, false>(panel, centres, index, &mut [], &mut []);
}

/// As [`nearest_in_panel`], with the largest and the second largest score of each row.
#[inline(always)]
pub fn nearest_two_in_panel<T: Real, A: Arithmetic>(
    panel: &[T],
    centres: &Centres<T>,
    index: &mut [u32],
    best: &mut [T],
    second: &mut [T],
) {
    search::<T, A, true>(panel, centres, index, best, second);
}

#[inline(always)]
fn search<T: Real, A: Arithmetic, const SCORES: bool>(
    panel: &[T],
    centres: &Centres<T>,
    index: &mut [u32],
    best: &mut [T],
    second: &mut [T],
) {
    assert!(panel.len() == centres.dim * T::PANEL && index.len() == T::PANEL);
    assert!(!SCORES || (best.len() == T::PANEL && second.len() == T::PANEL));
    let width = A::TILE_VECTORS * T::Vector::<A>::N;
    for lane in (0..T::PANEL).step_by(width) {
        // The condition is a constant of the level.
        if A::TILE_VECTORS == 4 {
            block::<T, A, SCORES, 4>(panel, centres, lane, index, best, second);
        } else {
            block::<T, A, SCORES, 2>(panel, centres, lane, index, best, second);
        }
    }
}

#[inline(always)]
fn block<T: Real, A: Arithmetic, const SCORES: bool, const V: usize>(
    panel: &[T],
    centres: &Centres<T>,
    lane: usize,
    index: &mut [u32],
    best: &mut [T],
    second: &mut [T],
) {
    let mut found = Found::<T, A, V>::none();
    let dim = centres.dim;
    let mut first = 0;
    while first < centres.len() {
        let rows = (centres.len() - first).min(ROWS);
        let factors = Factors { values: &centres.rows[first * dim..], row: dim, step: 1 };
        let offsets = &centres.offsets[first..first + rows];
        with_rows!(rows, C => {
            let mut start = [T::default(); C];
            start.copy_from_slice(offsets);
            let scores = tile::<T, A, C, V>(factors, &panel[lane.min(panel.len())..], T::PANEL, dim, start);
            for c in 0..C {
                found.consider::<SCORES>(scores[c], first + c);
            }
        });
        first += rows;
    }
    let n = T::Vector::<A>::N;
    let mut numbers = [T::default(); 16];
    for v in 0..V {
        let at = lane + v * n;
        // SAFETY: a register holds at most 16 numbers; `PANEL` is a multiple of `V * n`,
        // and the slices are that long (asserted in `search`).
        unsafe {
            found.index[v].store(numbers.as_mut_ptr());
            if SCORES {
                found.best[v].store(best[at..at + n].as_mut_ptr());
                found.second[v].store(second[at..at + n].as_mut_ptr());
            }
        }
        for (index, number) in index[at..at + n].iter_mut().zip(numbers) {
            *index = number.wide() as u32;
        }
    }
}

/// The best of the centres considered so far. Indices travel as numbers: exact up to 2^24
/// centres in f32.
pub(super) struct Found<T: Real, A: Arithmetic, const V: usize> {
    pub(super) best: [T::Vector<A>; V],
    pub(super) second: [T::Vector<A>; V],
    pub(super) index: [T::Vector<A>; V],
}

impl<T: Real, A: Arithmetic, const V: usize> Found<T, A, V> {
    #[inline(always)]
    pub(super) fn none() -> Self {
        let least = T::Vector::<A>::splat(-T::HIGHEST);
        let index = [T::Vector::<A>::splat(T::default()); V];
        Self { best: [least; V], second: [least; V], index }
    }

    #[inline(always)]
    pub(super) fn consider<const SECOND: bool>(&mut self, scores: [T::Vector<A>; V], index: usize) {
        let index = T::Vector::<A>::splat(T::rounded(index as f64));
        for v in 0..V {
            let (score, best) = (scores[v], self.best[v]);
            if SECOND {
                let lesser = score.where_above(best, best, score);
                self.second[v] = lesser.where_above(self.second[v], lesser, self.second[v]);
            }
            self.index[v] = score.where_above(best, index, self.index[v]);
            self.best[v] = score.where_above(best, score, best);
        }
    }
}

struct Panels<'a, T> {
    rows: &'a [T],
    shift: &'a [T],
    centres: &'a Centres<T>,
    out: &'a mut [u32],
}

impl<T: Real> Kernel for Panels<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let dim = self.centres.dim;
        let mut panel = vec![T::default(); dim * T::PANEL];
        let mut index = vec![0; T::PANEL];
        let panels = self.rows.chunks(dim * T::PANEL).zip(self.out.chunks_mut(T::PANEL));
        for (rows, out) in panels {
            pack(rows.chunks_exact(dim), self.shift, &mut panel);
            nearest_in_panel::<T, A>(&panel, self.centres, &mut index);
            out.copy_from_slice(&index[..out.len()]);
        }
    }
}

/// Index of the nearest of `centres` (at least one) for each row of `rows` less `shift`,
/// row-major; ties go to the lowest index.
///
/// # Panics
/// If `rows` is not a whole number of rows of at least one dimension.
pub fn nearest<T: Real>(
    rows: &[T],
    shift: &[T],
    centres: &Centres<T>,
    level: Level,
    task: &Task,
) -> Result<Vec<u32>, Stopped> {
    let dim = centres.dim;
    assert!(dim > 0 && shift.len() == dim && rows.len().is_multiple_of(dim));
    let chunk = T::PANEL * 16;
    let mut index = vec![0; rows.len() / dim];
    index.par_chunks_mut(chunk).zip(rows.par_chunks(chunk * dim)).try_for_each(|(out, rows)| {
        task.check()?;
        dispatch(level, Panels { rows, shift, centres, out });
        Ok(())
    })?;
    Ok(index)
}
