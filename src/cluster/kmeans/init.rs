//! Starting centres.

use ndarray::Array2;
use rayon::prelude::*;

use super::order::Order;
use super::parameters::Init;
use super::table::Table;
use crate::linalg::packed::dots_in_panel;
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::random::Random;
use crate::task::{Stopped, Task};

/// Part of a sum of squared distances by which two must differ to be told apart.
const ALIKE: f64 = 1e-6;

/// `k` centres less the table's shift.
pub(super) fn seed<T: Real>(
    table: &Table<'_, T>,
    k: usize,
    init: &Init,
    random: &mut Random,
    level: Level,
    task: &Task,
) -> Result<Array2<T>, Stopped> {
    let chosen = match init {
        Init::Given(centres) => {
            return Ok(Array2::from_shape_fn((k, table.dim), |(c, j)| {
                table.frame.scaled(centres[[c, j]]) - table.frame.shift[j]
            }));
        }
        Init::Random => distinct_rows(table, &Order::new(table, task)?, k, random),
        Init::PlusPlus => plus_plus(table, k, 1, random, level, task)?,
        Init::GreedyPlusPlus => {
            plus_plus(table, k, 2 + (k as f64).ln() as usize, random, level, task)?
        }
    };
    Ok(Array2::from_shape_fn((k, table.dim), |(c, j)| {
        table.row(chosen[c])[j] - table.frame.shift[j]
    }))
}

/// Rows drawn by weight, each value once while there are enough.
fn distinct_rows<T: Real>(
    table: &Table<'_, T>,
    order: &Order,
    k: usize,
    random: &mut Random,
) -> Vec<usize> {
    let mut mass = table.weights.clone();
    let mut chosen = Vec::with_capacity(k);
    for _ in 0..k {
        let mut sums = order.weigh(0, mass.iter().copied());
        if sums.iter().all(|sum| *sum <= 0.0) {
            mass.clone_from(&table.weights);
            sums = order.weigh(0, mass.iter().copied());
        }
        let row = order.draw(&sums, |row| mass[row], random);
        for equal in order.equals(table, row) {
            mass[*equal] = 0.0;
        }
        chosen.push(row);
    }
    chosen
}

/// What one range of rows knows of the nearest centre so far.
struct Nearest<T> {
    first: usize,
    /// Squared distances, one per lane.
    squares: Vec<T>,
    /// The same had each candidate been taken.
    candidates: Vec<(Vec<T>, f64)>,
}

/// k-means++ (Arthur and Vassilvitskii 2007): the next centre is a row drawn in proportion
/// to its squared distance from those there are; the best of `trials` such rows.
fn plus_plus<T: Real>(
    table: &Table<'_, T>,
    k: usize,
    trials: usize,
    random: &mut Random,
    level: Level,
    task: &Task,
) -> Result<Vec<usize>, Stopped> {
    let mut ranges: Vec<Nearest<T>> = table
        .ranges
        .iter()
        .map(|range| {
            let lanes = range.len().next_multiple_of(T::PANEL);
            Nearest {
                first: range.start,
                squares: vec![T::HIGHEST; lanes],
                candidates: vec![(vec![T::default(); lanes], 0.0); trials],
            }
        })
        .collect();
    let order = Order::new(table, task)?;
    let weights = order.weigh(0, table.weights.iter().copied());
    let any = |random: &mut Random| order.draw(&weights, |row| table.weights[row], random);
    let mut chosen = Vec::with_capacity(k);
    while chosen.len() < k {
        let candidates: Vec<usize> = if chosen.is_empty() {
            vec![any(random)]
        } else {
            let sums = potentials(table, &order, &ranges);
            let total: f64 = sums.iter().sum();
            if total <= 0.0 || !total.is_finite() {
                // Every row lies on a centre: there are fewer different rows than clusters.
                chosen.push(any(random));
                continue;
            }
            let length = table.ranges[0].len();
            let mass =
                |row: usize| ranges[row / length].squares[row % length].wide() * table.weights[row];
            (0..trials).map(|_| order.draw(&sums, mass, random)).collect()
        };
        let values: Vec<T> = candidates
            .iter()
            .flat_map(|row| table.row(*row).iter().zip(&table.frame.shift).map(|(x, s)| *x - *s))
            .collect();
        ranges.par_iter_mut().try_for_each(|range| {
            dispatch(level, Consider { table, range, rows: &candidates, values: &values, task })
        })?;
        let potential = |c: usize| ranges.iter().map(|range| range.candidates[c].1).sum::<f64>();
        let by_candidate: Vec<f64> = (0..candidates.len()).map(potential).collect();
        // Of candidates that rounding alone tells apart the first is taken, so that a weight
        // and as many repetitions choose the same.
        let clearly = |c: usize, best: usize| by_candidate[c] < by_candidate[best] * (1.0 - ALIKE);
        let best = (0..candidates.len())
            .reduce(|best, c| if clearly(c, best) { c } else { best })
            .unwrap_or_default();
        for range in &mut ranges {
            std::mem::swap(&mut range.squares, &mut range.candidates[best].0);
        }
        chosen.push(candidates[best]);
    }
    Ok(chosen)
}

/// Weighted squared distances, summed by bucket.
fn potentials<T: Real>(table: &Table<'_, T>, order: &Order, ranges: &[Nearest<T>]) -> Vec<f64> {
    let parts: Vec<Vec<f64>> = ranges
        .par_iter()
        .map(|range| {
            let squares = range.squares.iter().zip(&table.weights[range.first..]);
            let squares = squares.map(|(square, weight)| square.wide() * weight);
            order.weigh(range.first, squares)
        })
        .collect();
    let add = |mut sums: Vec<f64>, part: Vec<f64>| {
        sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        sums
    };
    parts.into_iter().reduce(add).unwrap_or_default()
}

struct Consider<'a, T> {
    table: &'a Table<'a, T>,
    range: &'a mut Nearest<T>,
    rows: &'a [usize],
    values: &'a [T],
    task: &'a Task,
}

impl<T: Real> Kernel for Consider<'_, T> {
    type Output = Result<(), Stopped>;
    #[inline(always)]
    fn run<A: Arithmetic>(self) -> Result<(), Stopped> {
        let Self { table, range, rows, values, task } = self;
        let mut dots = vec![T::default(); rows.len() * T::PANEL];
        // Sums by lane, so that the loop below has no chain of additions.
        let mut potentials = vec![0.0; rows.len() * T::PANEL];
        // Below this share of the lengths a distance is rounding: the row is the centre.
        let noise = T::rounded(4.0 * T::ROUNDOFF * (table.dim as f64 + 8.0));
        for lane in (0..range.squares.len()).step_by(T::PANEL) {
            task.check()?;
            let at = range.first + lane;
            let panel = table.panel(at).expect("seeding asks for panels");
            dots_in_panel::<T, A>(values, table.dim, panel, &mut dots, T::PANEL);
            let squares = &table.squares[at..at + T::PANEL];
            let weights = &table.weights[at..at + T::PANEL];
            let nearest = &range.squares[lane..lane + T::PANEL];
            for (c, row) in rows.iter().enumerate() {
                let own = table.squares[*row];
                let dots = &dots[c * T::PANEL..(c + 1) * T::PANEL];
                let sums = &mut potentials[c * T::PANEL..(c + 1) * T::PANEL];
                let out = &mut range.candidates[c].0[lane..lane + T::PANEL];
                for i in 0..T::PANEL {
                    let lengths = squares[i] + own;
                    let square = lengths - dots[i] - dots[i];
                    let square = if square > noise * lengths { square } else { T::default() };
                    let square = if square < nearest[i] { square } else { nearest[i] };
                    out[i] = square;
                    sums[i] += weights[i] * square.wide();
                }
            }
        }
        for (c, sums) in potentials.chunks_exact(T::PANEL).enumerate() {
            range.candidates[c].1 = sums.iter().sum();
        }
        Ok(())
    }
}
