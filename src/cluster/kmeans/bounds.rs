//! Assignment of rows to centres that leaves out what bounds decide.

use std::ops::Range;

use super::distances::{Between, squared_distance};
use super::sums::Sums;
use super::table::Table;
use crate::linalg::packed::{Centres, nearest_two_in_panel, pack};
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::task::{Stopped, Task};

/// How far the centres went, and what else a bound needs to know of them.
pub(super) struct Moves<T> {
    /// Of each centre, rounded up.
    own: Vec<T>,
    /// The largest of all others, rounded up.
    others: Vec<T>,
    /// Half the way to the nearest other centre, rounded down.
    half_gap: Vec<T>,
}

impl<T: Real> Moves<T> {
    pub(super) fn new(before: &Centres<T>, after: &Centres<T>, level: Level) -> Self {
        const UP: f64 = 1.0 + 1e-6;
        let k = after.len();
        let zeros = vec![T::default(); after.dim()];
        let distance = |a: &[T], b: &[T]| {
            dispatch(level, Between { a, b, zeros: &zeros }).to_f64().sqrt()
        };
        let own: Vec<f64> =
            (0..k).map(|c| UP * distance(before.row(c), after.row(c))).collect();
        let others = (0..k).map(|c| {
            (0..k).filter(|other| *other != c).map(|other| own[other]).fold(0.0, f64::max)
        });
        let half_gap = (0..k).map(|c| {
            let gaps = (0..k).filter(|o| *o != c).map(|o| distance(after.row(c), after.row(o)));
            gaps.fold(f64::INFINITY, f64::min) / 2.0 / UP
        });
        Self {
            others: others.map(|m| T::from_f64(UP * m)).collect(),
            half_gap: half_gap.map(T::from_f64).collect(),
            own: own.iter().map(|m| T::from_f64(UP * *m)).collect(),
        }
    }
}

/// Where the rows of one range are, and how surely.
pub(super) struct Assigned<T> {
    range: Range<usize>,
    pub(super) labels: Vec<u32>,
    /// At least the distance to the own centre.
    upper: Vec<T>,
    /// At most the distance to any other centre.
    lower: Vec<T>,
    /// What changed since it was last absorbed.
    pub(super) delta: Sums,
    pub(super) changed: usize,
    /// Whether measuring the own distance of doubtful rows has paid.
    tighten: bool,
    placed: bool,
}

impl<T: Real> Assigned<T> {
    pub(super) fn new(range: Range<usize>, k: usize, dim: usize) -> Self {
        let n = range.len();
        Self {
            range,
            labels: vec![0; n],
            upper: vec![T::default(); n],
            lower: vec![T::default(); n],
            delta: Sums::new(k, dim),
            changed: 0,
            tighten: true,
            placed: false,
        }
    }
}

/// Puts every row of a range to its nearest centre. With `moves`, rows whose bounds prove
/// that even the rounded scores keep them are left out (Hamerly 2010).
pub(super) struct Assign<'a, T> {
    pub(super) table: &'a Table<'a, T>,
    pub(super) centres: &'a Centres<T>,
    pub(super) moves: Option<&'a Moves<T>>,
    /// Largest length of a centre.
    pub(super) reach: T,
    pub(super) state: &'a mut Assigned<T>,
    pub(super) task: &'a Task,
}

/// A panel from which more rows are doubtful than this share is searched as it is; fewer
/// are gathered into panels of doubtful rows.
const WHOLE: f64 = 0.6;

impl<T: Real> Kernel for Assign<'_, T> {
    type Output = Result<(), Stopped>;
    #[inline(always)]
    fn run<A: Arithmetic>(self) -> Result<(), Stopped> {
        let Self { table, centres, moves, reach, state, task } = self;
        let (start, n) = (state.range.start, state.range.len());
        let mut search = Search::new(table, centres, reach, n);
        let whole = (WHOLE * T::PANEL as f64) as usize;
        let (mut tried, mut settled) = (0_usize, 0_usize);
        let mut doubtful = Vec::with_capacity(T::PANEL);
        for first in (0..n).step_by(T::PANEL) {
            task.check()?;
            let last = (first + T::PANEL).min(n);
            doubtful.clear();
            if let Some(moves) = moves.filter(|_| state.placed) {
                for i in first..last {
                    let c = state.labels[i] as usize;
                    state.upper[i] += moves.own[c];
                    let lower = state.lower[i] - moves.others[c];
                    state.lower[i] = if lower > T::default() { lower } else { T::default() };
                    let bound = larger(state.lower[i], moves.half_gap[c]);
                    let slack = search.slack(table.squares[start + i]);
                    if apart(state.upper[i], bound, slack) {
                        continue;
                    }
                    if state.tighten {
                        tried += 1;
                        let (row, centre) = (table.row(start + i), centres.row(c));
                        let square = squared_distance(row, &table.shift, centre);
                        state.upper[i] = (square + slack).square_root();
                        if apart(state.upper[i], bound, slack) {
                            settled += 1;
                            continue;
                        }
                    }
                    doubtful.push(i);
                }
            } else {
                doubtful.extend(first..last);
            }
            if doubtful.len() > whole {
                search.panel::<A>(table.panel(start + first));
                for i in doubtful.iter().copied() {
                    search.place(state, i, i - first);
                }
            } else {
                for i in doubtful.iter().copied() {
                    search.queue.push(i);
                    if search.queue.len() == T::PANEL {
                        search.queued::<A>(state);
                    }
                }
            }
        }
        search.queued::<A>(state);
        // A measured distance costs about one centre of a search of them all.
        state.tighten = tried == 0 || settled * centres.len() > 2 * tried;
        search.settle(state);
        Ok(())
    }
}

#[inline(always)]
fn larger<T: Real>(a: T, b: T) -> T {
    if a > b { a } else { b }
}

/// Whether distances up to `upper` and from `lower` on cannot be confused by scores that
/// are wrong by `slack`. False for NaN.
#[inline(always)]
fn apart<T: Real>(upper: T, lower: T, slack: T) -> bool {
    lower > upper && (lower - upper) * (lower + upper) > slack
}

/// One search at a time, and the rows that wait for the next.
struct Search<'a, T> {
    table: &'a Table<'a, T>,
    centres: &'a Centres<T>,
    reach: T,
    rounding: T,
    queue: Vec<usize>,
    /// Rows that changed cluster, with the one they left.
    changed: Vec<(usize, u32)>,
    scratch: Vec<T>,
    index: Vec<u32>,
    best: Vec<T>,
    second: Vec<T>,
}

impl<'a, T: Real> Search<'a, T> {
    #[inline(always)]
    fn new(table: &'a Table<'a, T>, centres: &'a Centres<T>, reach: T, n: usize) -> Self {
        let dim = table.dim;
        Self {
            table,
            centres,
            reach,
            // Two scores, each a chain of `dim` roundings, doubled to be squared distances,
            // and as much again for the bounds themselves.
            rounding: T::from_f64(8.0 * T::ROUNDOFF * (dim as f64 + 8.0)),
            queue: Vec::with_capacity(T::PANEL.min(n)),
            changed: Vec::new(),
            scratch: vec![T::default(); dim * T::PANEL],
            index: vec![0; T::PANEL],
            best: vec![T::default(); T::PANEL],
            second: vec![T::default(); T::PANEL],
        }
    }

    /// How wrong a difference of squared distances of a row of squared length `square`
    /// may be: `|x . c| + |c|^2 / 2` is at most `|x|^2 + |c|^2`.
    #[inline(always)]
    fn slack(&self, square: T) -> T {
        self.rounding * (square + self.reach * self.reach)
    }

    #[inline(always)]
    fn panel<A: Arithmetic>(&mut self, panel: &[T]) {
        let Self { centres, index, best, second, .. } = self;
        nearest_two_in_panel::<T, A>(panel, centres, index, best, second);
    }

    #[inline(always)]
    fn queued<A: Arithmetic>(&mut self, state: &mut Assigned<T>) {
        if self.queue.is_empty() {
            return;
        }
        let (table, start) = (self.table, state.range.start);
        let rows = self.queue.iter().map(|i| table.row(start + i));
        pack(rows, &table.shift, &mut self.scratch);
        let Self { centres, scratch, index, best, second, .. } = self;
        nearest_two_in_panel::<T, A>(scratch, centres, index, best, second);
        for lane in 0..self.queue.len() {
            self.place(state, self.queue[lane], lane);
        }
        self.queue.clear();
    }

    /// Row `i` of the range goes where `lane` of the last search says.
    #[inline(always)]
    fn place(&mut self, state: &mut Assigned<T>, i: usize, lane: usize) {
        let row = state.range.start + i;
        let square = self.table.squares[row];
        let slack = self.slack(square);
        let squared = |score: T| square - score - score;
        let (near, next) = (squared(self.best[lane]) + slack, squared(self.second[lane]) - slack);
        state.upper[i] = larger(near, T::default()).square_root();
        state.lower[i] = larger(next, T::default()).square_root();
        let (old, new) = (state.labels[i], self.index[lane]);
        if !state.placed || old != new {
            state.labels[i] = new;
            self.changed.push((i, old));
        }
    }

    /// Brings the sums up to date, in the order of the rows: that in which they were placed
    /// depends on the bounds, and the result must not.
    #[inline(always)]
    fn settle(&mut self, state: &mut Assigned<T>) {
        self.changed.sort_unstable();
        for &(i, old) in &self.changed {
            let row = state.range.start + i;
            let (values, shift) = (self.table.row(row), &self.table.shift);
            let weight = self.table.weights[row];
            if state.placed {
                state.delta.add(old as usize, values, shift, weight, -1);
            }
            state.delta.add(state.labels[i] as usize, values, shift, weight, 1);
        }
        state.changed = self.changed.len();
        state.placed = true;
    }
}
