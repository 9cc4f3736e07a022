//! Assignment of rows to centres that leaves out what bounds and whole numbers decide.

use super::assigned::Assigned;
use super::moves::Moves;
use super::search::{Search, Target};
use super::table::Table;
use crate::linalg::packed::LANES;
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel};
use crate::task::{Stopped, Task};

/// Puts every row of a range to its nearest centre. With `moves`, rows whose bounds prove
/// that even the rounded scores keep them are left out (Hamerly 2010), for as long as there
/// are enough of them; with quantised centres, only rows they leave open are scored.
pub(super) struct Assign<'a, T> {
    pub(super) table: &'a Table<'a, T>,
    pub(super) target: Target<'a, T>,
    pub(super) moves: Option<&'a Moves<T>>,
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
/// Centres a search in whole numbers goes through meanwhile.
const RANK: usize = 2;
/// Bounds are learnt once fewer rows change their cluster than `rows * clusters / UNREST`.
const UNREST: usize = 128;
/// Panels between two looks at whether bounds pay.
const PROBE: usize = 8;

impl<T: Real> Kernel for Assign<'_, T> {
    type Output = Result<(), Stopped>;
    #[inline(always)]
    fn run<A: Arithmetic>(self) -> Result<(), Stopped> {
        let Self { table, target, moves, state, task } = self;
        let n = state.range.len();
        state.before.copy_from_slice(&state.labels);
        let mut known = moves.filter(|_| state.bounded);
        let k = target.centres.len();
        let alone = k + GATHER;
        let scored = if table.has_panels() { k } else { alone };
        // While many rows change, bounds of most are soon lost.
        let calm = state.placed && UNREST * state.changed < n * k;
        let pause = state.without_bounds.holds();
        let score = known.is_some() || (moves.is_some() && calm && !pause);
        let mut tighten = known.is_some() && !state.without_tightening.holds();
        let mut search = Search::new(table, target, score);
        search.rank = target.quantised.is_some() && !state.without_ranking.holds();
        let (mut tried, mut settled, mut cost, mut lost) = (0, 0, 0, false);
        let mut doubtful = Vec::with_capacity(LANES);
        for (p, first) in (0..n).step_by(LANES).enumerate() {
            task.check()?;
            let each = if search.rank { k.div_ceil(RANK) } else { scored };
            if p > 0 && p % PROBE == 0 {
                if tighten && settled * alone <= MEASURE * tried {
                    tighten = false;
                } else if known.is_some() && cost + first * TEST + tried * MEASURE >= first * each {
                    (known, tighten, search.score, lost) = (None, false, false, true);
                }
                search.rank &= search.open * alone + search.ranked * each < search.ranked * scored
                    || search.ranked == 0;
            }
            let rows = (n - first).min(LANES);
            doubtful.clear();
            if let Some(moves) = known {
                search.doubt(state, moves, first);
                let doubts = search.doubts[..rows].iter().enumerate();
                doubtful.extend(doubts.filter(|(_, d)| **d).map(|(l, _)| first + l));
                if tighten {
                    let before = doubtful.len();
                    doubtful.retain(|i| !search.tightened(state, *i));
                    tried += before;
                    settled += before - doubtful.len();
                }
                if doubtful.len() * alone <= LANES * each {
                    cost += doubtful.len() * alone;
                    for i in doubtful.iter().copied() {
                        search.wait::<A>(state, i);
                    }
                    continue;
                }
            }
            cost += LANES * each;
            search.panel::<A>(state, first, rows);
        }
        search.flush::<A>(state);
        state.bounded = score;
        if tried > 0 {
            state.without_tightening.judge(settled * alone > MEASURE * tried);
        }
        if search.ranked > 0 {
            state.without_ranking.judge(search.rank);
        }
        if known.is_some() || lost {
            let each = if search.rank { k.div_ceil(RANK) } else { scored };
            let paid = !lost && cost + n * TEST + tried * MEASURE < n * each;
            state.without_bounds.judge(paid);
            state.bounded = paid;
        }
        search.settle(state);
        Ok(())
    }
}
