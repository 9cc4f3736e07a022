//! The nearest centres of some rows, by whole numbers where they decide, and what bounds
//! follow from it.

use super::assigned::Assigned;
use super::distances::squared_distance;
use super::moves::Moves;
use super::table::Table;
use crate::linalg::packed::{
    Centres, LANES, QuantisedCentres, Ranking, nearest_in_panel, nearest_two_in_panel, pack,
};
use crate::linalg::real::Real;
use crate::linalg::simd::Arithmetic;

/// The centres of one step.
#[derive(Clone, Copy)]
pub(super) struct Target<'a, T> {
    pub(super) centres: &'a Centres<T>,
    /// The same in whole numbers.
    pub(super) quantised: Option<&'a QuantisedCentres>,
    /// Largest length of a centre.
    pub(super) reach: f64,
}

#[inline(always)]
pub(super) fn larger<T: Real>(a: T, b: T) -> T {
    if a > b { a } else { b }
}

/// Whether distances up to `upper` and from `lower` on cannot be confused by scores that
/// are wrong by `slack`. False for NaN.
#[inline(always)]
fn apart<T: Real>(upper: T, lower: T, slack: T) -> bool {
    lower > upper && (lower - upper) * (lower + upper) > slack
}

/// One search at a time, and the rows that wait for the next.
pub(super) struct Search<'a, T> {
    table: &'a Table<'a, T>,
    target: Target<'a, T>,
    /// Whether to learn bounds.
    pub(super) score: bool,
    /// Whether whole numbers have the first word.
    pub(super) rank: bool,
    /// Rows whole numbers were asked for.
    pub(super) ranked: usize,
    /// Those they did not decide.
    pub(super) open: usize,
    rounding: T,
    reach_squared: T,
    up: T,
    down: T,
    pub(super) doubts: [bool; LANES],
    queue: Vec<usize>,
    scratch: Vec<T>,
    ranking: Ranking,
    index: [u32; LANES],
    best: [T; LANES],
    second: [T; LANES],
    own: [T; LANES],
    others: [T; LANES],
    half_gap: [T; LANES],
}

impl<'a, T: Real> Search<'a, T> {
    #[inline(always)]
    pub(super) fn new(table: &'a Table<'a, T>, target: Target<'a, T>, score: bool) -> Self {
        let dim = table.dim;
        let zeros = [T::default(); LANES];
        Self {
            table,
            target,
            score,
            rank: false,
            ranked: 0,
            open: 0,
            // Two scores, each a chain of `dim` roundings, doubled to be squared distances,
            // and as much again for the bounds themselves.
            rounding: T::rounded(8.0 * T::ROUNDOFF * (dim as f64 + 8.0)),
            reach_squared: T::rounded(target.reach * target.reach),
            up: T::rounded(1.0 + 4.0 * T::ROUNDOFF),
            down: T::rounded(1.0 - 4.0 * T::ROUNDOFF),
            doubts: [true; LANES],
            queue: Vec::with_capacity(T::PANEL),
            scratch: vec![T::default(); dim * T::PANEL],
            ranking: Ranking::default(),
            index: [0; LANES],
            best: zeros,
            second: zeros,
            own: zeros,
            others: zeros,
            half_gap: zeros,
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
    pub(super) fn doubt(&mut self, state: &mut Assigned<T>, moves: &Moves<T>, first: usize) {
        for (l, label) in state.labels[first..first + LANES].iter().enumerate() {
            let c = *label as usize;
            self.own[l] = moves.own[c];
            self.others[l] = moves.others[c];
            self.half_gap[l] = moves.half_gap[c];
        }
        let at = state.range.start + first;
        let squares = &self.table.squares[at..at + LANES];
        let upper = &mut state.upper[first..first + LANES];
        let lower = &mut state.lower[first..first + LANES];
        for l in 0..LANES {
            let farthest = (upper[l] + self.own[l]) * self.up;
            let nearest = larger((lower[l] - self.others[l]) * self.down, T::default());
            upper[l] = farthest;
            lower[l] = nearest;
            let slack = self.rounding * (squares[l] + self.reach_squared);
            self.doubts[l] = !apart(farthest, larger(nearest, self.half_gap[l]), slack);
        }
    }

    /// Whether row `i` stays, now that its own distance has been measured.
    #[inline(always)]
    pub(super) fn tightened(&self, state: &mut Assigned<T>, i: usize) -> bool {
        let row = state.range.start + i;
        let centre = self.target.centres.row(state.labels[i] as usize);
        let square = squared_distance(self.table.row(row), &self.table.frame.shift, centre);
        let slack = self.slack(self.table.squares[row]);
        state.upper[i] = (square + slack).square_root();
        let bound = larger(state.lower[i], self.half_gap[i % LANES]);
        apart(state.upper[i], bound, slack)
    }

    /// Searches for all of the `rows` from `first` on, at most [`LANES`].
    #[inline(always)]
    pub(super) fn panel<A: Arithmetic>(
        &mut self,
        state: &mut Assigned<T>,
        first: usize,
        rows: usize,
    ) {
        match self.target.quantised {
            Some(centres) if self.rank => self.by_rank::<A>(centres, state, first, rows),
            _ => self.by_scores::<A>(state, first, rows),
        }
    }

    #[inline(always)]
    fn by_rank<A: Arithmetic>(
        &mut self,
        centres: &QuantisedCentres,
        state: &mut Assigned<T>,
        first: usize,
        rows: usize,
    ) {
        let at = state.range.start + first;
        let Some(table) = &self.table.quantised else { return };
        table.rank::<A>(at, centres, &mut self.ranking);
        let ranking = &self.ranking;
        if self.score {
            let squares = &self.table.squares[at..at + LANES];
            let upper = &mut state.upper[first..first + LANES];
            let lower = &mut state.lower[first..first + LANES];
            for l in 0..LANES {
                let worth = |score: f32| T::single(score) * T::single(ranking.unit[l]);
                let slack =
                    self.rounding * (squares[l] + self.reach_squared) + worth(ranking.slack[l]);
                let (best, second) = (worth(ranking.best[l]), worth(ranking.second[l]));
                let near = squares[l] - best - best + slack;
                let next = squares[l] - second - second - slack;
                upper[l] = larger(near, T::default()).square_root();
                lower[l] = larger(next, T::default()).square_root();
            }
        }
        let labels = &state.labels[first..first + LANES];
        // Ones, eight of which are looked at together: most rows stay.
        let mut looks = [0_u8; LANES];
        for l in 0..LANES {
            looks[l] = u8::from(labels[l] != ranking.index[l]) | u8::from(!ranking.decides(l));
        }
        self.ranked += rows;
        for (group, looks) in looks.as_chunks::<8>().0.iter().enumerate() {
            if u64::from_ne_bytes(*looks) == 0 {
                continue;
            }
            for l in group * 8..(group * 8 + 8).min(rows) {
                if self.ranking.decides(l) {
                    state.labels[first + l] = self.ranking.index[l];
                } else {
                    self.open += 1;
                    self.wait::<A>(state, first + l);
                }
            }
        }
    }

    #[inline(always)]
    fn by_scores<A: Arithmetic>(&mut self, state: &mut Assigned<T>, first: usize, rows: usize) {
        let (table, at) = (self.table, state.range.start + first);
        for part in (0..rows).step_by(T::PANEL) {
            if let Some(panel) = table.panel(at + part) {
                self.score::<A>(panel);
            } else {
                let end = (at + rows).min(at + part + T::PANEL);
                self.score_rows::<A>(at + part..end);
            }
            for l in part..rows.min(part + T::PANEL) {
                state.labels[first + l] = self.index[l - part];
            }
            if self.score {
                let squares = &table.squares[at + part..at + part + T::PANEL];
                let upper = &mut state.upper[first + part..first + part + T::PANEL];
                let lower = &mut state.lower[first + part..first + part + T::PANEL];
                for l in 0..T::PANEL {
                    let slack = self.rounding * (squares[l] + self.reach_squared);
                    let near = squares[l] - self.best[l] - self.best[l] + slack;
                    let next = squares[l] - self.second[l] - self.second[l] - slack;
                    upper[l] = larger(near, T::default()).square_root();
                    lower[l] = larger(next, T::default()).square_root();
                }
            }
        }
    }

    #[inline(always)]
    fn score<A: Arithmetic>(&mut self, panel: &[T]) {
        let centres = self.target.centres;
        let index = &mut self.index[..T::PANEL];
        if self.score {
            let (best, second) = (&mut self.best[..T::PANEL], &mut self.second[..T::PANEL]);
            nearest_two_in_panel::<T, A>(panel, centres, index, best, second);
        } else {
            nearest_in_panel::<T, A>(panel, centres, index);
        }
    }

    #[inline(always)]
    fn score_rows<A: Arithmetic>(&mut self, rows: impl ExactSizeIterator<Item = usize>) {
        let table = self.table;
        let mut scratch = std::mem::take(&mut self.scratch);
        pack(rows.map(|i| table.row(i)), &table.frame.shift, &mut scratch);
        self.score::<A>(&scratch);
        self.scratch = scratch;
    }

    /// Puts row `i` among those that wait until they fill a panel.
    #[inline(always)]
    pub(super) fn wait<A: Arithmetic>(&mut self, state: &mut Assigned<T>, i: usize) {
        // Rows that wait are far apart.
        self.table.prefetch(state.range.start + i);
        self.queue.push(i);
        if self.queue.len() == T::PANEL {
            self.flush::<A>(state);
        }
    }

    /// Searches for the rows that wait.
    #[inline(always)]
    pub(super) fn flush<A: Arithmetic>(&mut self, state: &mut Assigned<T>) {
        if self.queue.is_empty() {
            return;
        }
        let mut queue = std::mem::take(&mut self.queue);
        let start = state.range.start;
        self.score_rows::<A>(queue.iter().map(|i| start + i));
        for (l, i) in queue.iter().copied().enumerate() {
            if self.score {
                let square = self.table.squares[start + i];
                let slack = self.slack(square);
                let near = square - self.best[l] - self.best[l] + slack;
                let next = square - self.second[l] - self.second[l] - slack;
                state.upper[i] = larger(near, T::default()).square_root();
                state.lower[i] = larger(next, T::default()).square_root();
            }
            state.labels[i] = self.index[l];
        }
        queue.clear();
        self.queue = queue;
    }

    /// Brings the sums up to date, in the order of the rows: that in which they were placed
    /// depends on what was left out, and the result must not.
    #[inline(always)]
    pub(super) fn settle(&mut self, state: &mut Assigned<T>) {
        /// Rows asked for ahead of the one that is read: they are far apart.
        const AHEAD: usize = 8;
        let (table, n) = (self.table, state.range.len());
        let Assigned { labels, before, delta, placed, .. } = state;
        let mut changed = std::mem::take(&mut self.queue);
        for first in (0..n).step_by(LANES) {
            let (new, old) = (&labels[first..first + LANES], &before[first..first + LANES]);
            if !*placed {
                changed.extend(first..n.min(first + LANES));
            } else if new != old {
                let differ = (0..LANES.min(n - first)).filter(|l| new[*l] != old[*l]);
                changed.extend(differ.map(|l| first + l));
            }
        }
        for (c, i) in changed.iter().copied().enumerate() {
            if let Some(next) = changed.get(c + AHEAD).filter(|_| *placed) {
                table.prefetch(state.range.start + next);
            }
            let row = state.range.start + i;
            let (values, weight) = (table.row(row), table.weights[row]);
            let to = labels[i] as usize;
            if *placed {
                delta.transfer([before[i] as usize, to], values, &table.frame.shift, weight);
            } else {
                delta.add(to, values, &table.frame.shift, weight, 1);
            }
        }
        state.changed = changed.len();
        state.placed = true;
    }
}
