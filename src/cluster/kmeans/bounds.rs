//! Assignment of rows to centres that leaves out what bounds decide.

use std::ops::Range;

use super::distances::{Between, squared_distance};
use super::pause::Pause;
use super::sums::Sums;
use super::table::Table;
use crate::linalg::packed::{Centres, nearest_in_panel, nearest_two_in_panel, pack};
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
    /// The gaps cost `k * k` distances: without `gaps` they count as zero.
    pub(super) fn new(before: &Centres<T>, after: &Centres<T>, gaps: bool, level: Level) -> Self {
        const UP: f64 = 1.0 + 1e-6;
        let k = after.len();
        let zeros = vec![T::default(); after.dim()];
        let distance =
            |a: &[T], b: &[T]| dispatch(level, Between { a, b, zeros: &zeros }).wide().sqrt();
        let own: Vec<f64> = (0..k).map(|c| UP * distance(before.row(c), after.row(c))).collect();
        let others = (0..k).map(|c| {
            (0..k).filter(|other| *other != c).map(|other| own[other]).fold(0.0, f64::max)
        });
        let half_gap = (0..k).map(|c| {
            if !gaps {
                return 0.0;
            }
            let gaps = (0..k).filter(|o| *o != c).map(|o| distance(after.row(c), after.row(o)));
            gaps.fold(f64::INFINITY, f64::min) / 2.0 / UP
        });
        Self {
            others: others.map(|m| T::rounded(UP * m)).collect(),
            half_gap: half_gap.map(T::rounded).collect(),
            own: own.iter().map(|m| T::rounded(UP * *m)).collect(),
        }
    }
}

/// Where the rows of one range are, and how surely.
pub(super) struct Assigned<T> {
    range: Range<usize>,
    /// One per lane, as all that follows.
    labels: Vec<u32>,
    /// At least the distance to the own centre.
    upper: Vec<T>,
    /// At most the distance to any other centre.
    lower: Vec<T>,
    /// Whether these two hold.
    pub(super) bounded: bool,
    /// What changed since it was last absorbed.
    pub(super) delta: Sums,
    pub(super) changed: usize,
    placed: bool,
    without_bounds: Pause,
    without_tightening: Pause,
}

impl<T: Real> Assigned<T> {
    pub(super) fn new(range: Range<usize>, k: usize, dim: usize) -> Self {
        let lanes = range.len().next_multiple_of(T::PANEL);
        Self {
            range,
            labels: vec![0; lanes],
            upper: vec![T::default(); lanes],
            lower: vec![T::default(); lanes],
            bounded: false,
            delta: Sums::new(k, dim),
            changed: 0,
            placed: false,
            without_bounds: Pause::default(),
            without_tightening: Pause::default(),
        }
    }

    pub(super) fn labels(&self) -> &[u32] {
        &self.labels[..self.range.len()]
    }
}

/// Puts every row of a range to its nearest centre. With `moves`, rows whose bounds prove
/// that even the rounded scores keep them are left out (Hamerly 2010), for as long as there
/// are enough of them.
pub(super) struct Assign<'a, T> {
    pub(super) table: &'a Table<'a, T>,
    pub(super) centres: &'a Centres<T>,
    pub(super) moves: Option<&'a Moves<T>>,
    /// Largest length of a centre.
    pub(super) reach: f64,
    pub(super) state: &'a mut Assigned<T>,
    pub(super) task: &'a Task,
}

// What things cost a row, roughly, in units of one more centre in a search of its panel.
// They decide what is skipped, never what comes out.

/// To be gathered into a panel of doubtful rows.
const GATHER: usize = 24;
/// To have the distance to its own centre measured.
const MEASURE: usize = 8;
/// To have its bounds tested.
const TEST: usize = 4;
/// Bounds are learnt once fewer rows change their cluster than `rows * clusters / UNREST`.
const UNREST: usize = 128;
/// Panels between two looks at whether bounds pay.
const PROBE: usize = 8;

impl<T: Real> Kernel for Assign<'_, T> {
    type Output = Result<(), Stopped>;
    #[inline(always)]
    fn run<A: Arithmetic>(self) -> Result<(), Stopped> {
        let Self { table, centres, moves, reach, state, task } = self;
        let n = state.range.len();
        let mut known = moves.filter(|_| state.bounded);
        let k = centres.len();
        // While many rows change, bounds of most are soon lost.
        let calm = state.placed && UNREST * state.changed < n * k;
        let pause = state.without_bounds.holds();
        let score = known.is_some() || (moves.is_some() && calm && !pause);
        let mut tighten = known.is_some() && !state.without_tightening.holds();
        let mut search = Search::new(table, centres, reach, score);
        let whole = T::PANEL * k / (k + GATHER);
        let (mut tried, mut settled, mut cost, mut lost) = (0, 0, 0, false);
        let mut doubtful = Vec::with_capacity(T::PANEL);
        for (p, first) in (0..n).step_by(T::PANEL).enumerate() {
            task.check()?;
            if p > 0 && p % PROBE == 0 && known.is_some() {
                if tighten && settled * (k + GATHER) <= MEASURE * tried {
                    tighten = false;
                } else if cost + first * TEST + tried * MEASURE >= first * k {
                    (known, tighten, search.score, lost) = (None, false, false, true);
                }
            }
            let rows = (n - first).min(T::PANEL);
            doubtful.clear();
            match known {
                None => doubtful.extend(first..first + rows),
                Some(moves) => {
                    search.doubt(state, moves, first);
                    let doubts = search.doubts[..rows].iter().enumerate();
                    doubtful.extend(doubts.filter(|(_, d)| **d).map(|(l, _)| first + l));
                }
            }
            if tighten {
                let mut kept = 0;
                for d in 0..doubtful.len() {
                    let i = doubtful[d];
                    if !search.tightened(state, i) {
                        doubtful[kept] = i;
                        kept += 1;
                    }
                }
                tried += doubtful.len();
                settled += doubtful.len() - kept;
                doubtful.truncate(kept);
            }
            if doubtful.len() > whole {
                cost += T::PANEL * k;
                search.panel::<A>(state, first, rows);
            } else {
                cost += doubtful.len() * (k + GATHER);
                for i in doubtful.iter().copied() {
                    search.queue.push(i);
                    if search.queue.len() == T::PANEL {
                        search.queued::<A>(state);
                    }
                }
            }
        }
        search.queued::<A>(state);
        state.bounded = score;
        if tried > 0 {
            state.without_tightening.judge(settled * (k + GATHER) > MEASURE * tried);
        }
        if known.is_some() || lost {
            let paid = !lost && cost + n * TEST + tried * MEASURE < n * k;
            state.without_bounds.judge(paid);
            state.bounded = paid;
        }
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
    /// Whether to learn bounds.
    score: bool,
    rounding: T,
    reach_squared: T,
    up: T,
    down: T,
    doubts: Vec<bool>,
    queue: Vec<usize>,
    /// Rows that changed cluster, with the one they left.
    changed: Vec<(usize, u32)>,
    scratch: Vec<T>,
    index: Vec<u32>,
    best: Vec<T>,
    second: Vec<T>,
    own: Vec<T>,
    others: Vec<T>,
    half_gap: Vec<T>,
}

impl<'a, T: Real> Search<'a, T> {
    #[inline(always)]
    fn new(table: &'a Table<'a, T>, centres: &'a Centres<T>, reach: f64, score: bool) -> Self {
        let dim = table.dim;
        let lanes = || vec![T::default(); T::PANEL];
        Self {
            table,
            centres,
            score,
            // Two scores, each a chain of `dim` roundings, doubled to be squared distances,
            // and as much again for the bounds themselves.
            rounding: T::rounded(8.0 * T::ROUNDOFF * (dim as f64 + 8.0)),
            reach_squared: T::rounded(reach * reach),
            up: T::rounded(1.0 + 4.0 * T::ROUNDOFF),
            down: T::rounded(1.0 - 4.0 * T::ROUNDOFF),
            doubts: vec![true; T::PANEL],
            queue: Vec::with_capacity(T::PANEL),
            changed: Vec::new(),
            scratch: vec![T::default(); dim * T::PANEL],
            index: vec![0; T::PANEL],
            best: lanes(),
            second: lanes(),
            own: lanes(),
            others: lanes(),
            half_gap: lanes(),
        }
    }

    /// How wrong a difference of squared distances of a row of squared length `square`
    /// may be: `|x . c| + |c|^2 / 2` is at most `|x|^2 + |c|^2`.
    #[inline(always)]
    fn slack(&self, square: T) -> T {
        self.rounding * (square + self.reach_squared)
    }

    /// Lets the bounds of a panel follow the centres and says which rows they leave open.
    #[inline(always)]
    fn doubt(&mut self, state: &mut Assigned<T>, moves: &Moves<T>, first: usize) {
        let n = T::PANEL;
        for (l, label) in state.labels[first..first + n].iter().enumerate() {
            let c = *label as usize;
            self.own[l] = moves.own[c];
            self.others[l] = moves.others[c];
            self.half_gap[l] = moves.half_gap[c];
        }
        let at = state.range.start + first;
        let squares = &self.table.squares[at..at + n];
        let (upper, lower) =
            (&mut state.upper[first..first + n], &mut state.lower[first..first + n]);
        let (own, others, gaps) = (&self.own[..n], &self.others[..n], &self.half_gap[..n]);
        let doubts = &mut self.doubts[..n];
        for l in 0..n {
            let farthest = (upper[l] + own[l]) * self.up;
            let nearest = larger((lower[l] - others[l]) * self.down, T::default());
            upper[l] = farthest;
            lower[l] = nearest;
            let slack = self.rounding * (squares[l] + self.reach_squared);
            doubts[l] = !apart(farthest, larger(nearest, gaps[l]), slack);
        }
    }

    /// Whether row `i` stays, now that its own distance has been measured.
    #[inline(always)]
    fn tightened(&self, state: &mut Assigned<T>, i: usize) -> bool {
        let row = state.range.start + i;
        let centre = self.centres.row(state.labels[i] as usize);
        let square = squared_distance(self.table.row(row), &self.table.shift, centre);
        let slack = self.slack(self.table.squares[row]);
        state.upper[i] = (square + slack).square_root();
        let bound = larger(state.lower[i], self.half_gap[i % T::PANEL]);
        apart(state.upper[i], bound, slack)
    }

    #[inline(always)]
    fn search<A: Arithmetic>(&mut self, panel: &[T]) {
        let Self { centres, index, best, second, .. } = self;
        if self.score {
            nearest_two_in_panel::<T, A>(panel, centres, index, best, second);
        } else {
            nearest_in_panel::<T, A>(panel, centres, index);
        }
    }

    #[inline(always)]
    fn panel<A: Arithmetic>(&mut self, state: &mut Assigned<T>, first: usize, rows: usize) {
        let n = T::PANEL;
        let at = state.range.start + first;
        self.search::<A>(self.table.panel(at));
        let labels = &mut state.labels[first..first + rows];
        for (l, (label, new)) in labels.iter_mut().zip(&self.index).enumerate() {
            if !state.placed || *label != *new {
                self.changed.push((first + l, *label));
                *label = *new;
            }
        }
        if self.score {
            let squares = &self.table.squares[at..at + n];
            let (best, second) = (&self.best[..n], &self.second[..n]);
            let upper = &mut state.upper[first..first + n];
            let lower = &mut state.lower[first..first + n];
            for l in 0..n {
                let slack = self.rounding * (squares[l] + self.reach_squared);
                let near = squares[l] - best[l] - best[l] + slack;
                let next = squares[l] - second[l] - second[l] - slack;
                upper[l] = larger(near, T::default()).square_root();
                lower[l] = larger(next, T::default()).square_root();
            }
        }
    }

    #[inline(always)]
    fn queued<A: Arithmetic>(&mut self, state: &mut Assigned<T>) {
        if self.queue.is_empty() {
            return;
        }
        let (table, start) = (self.table, state.range.start);
        let mut scratch = std::mem::take(&mut self.scratch);
        pack(self.queue.iter().map(|i| table.row(start + i)), &table.shift, &mut scratch);
        self.search::<A>(&scratch);
        self.scratch = scratch;
        for (l, i) in self.queue.iter().copied().enumerate() {
            if self.score {
                let square = table.squares[start + i];
                let slack = self.slack(square);
                let near = square - self.best[l] - self.best[l] + slack;
                let next = square - self.second[l] - self.second[l] - slack;
                state.upper[i] = larger(near, T::default()).square_root();
                state.lower[i] = larger(next, T::default()).square_root();
            }
            if !state.placed || state.labels[i] != self.index[l] {
                self.changed.push((i, state.labels[i]));
                state.labels[i] = self.index[l];
            }
        }
        self.queue.clear();
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
