//! Starting centres.

use ndarray::Array2;
use rayon::prelude::*;

use super::parameters::Init;
use super::table::Table;
use crate::linalg::packed::dots_in_panel;
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::random::Random;
use crate::task::{Stopped, Task};

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
                T::rounded(centres[[c, j]]) - table.shift[j]
            }));
        }
        Init::Random => distinct_rows(table, k, random),
        Init::PlusPlus => plus_plus(table, k, 1, random, level, task)?,
        Init::GreedyPlusPlus => {
            plus_plus(table, k, 2 + (k as f64).ln() as usize, random, level, task)?
        }
    };
    Ok(Array2::from_shape_fn((k, table.dim), |(c, j)| {
        table.row(chosen[c])[j] - table.shift[j]
    }))
}

/// Index drawn with probability in proportion to `mass`; `at` is uniform in `[0, 1)`.
fn draw(mass: impl Iterator<Item = f64> + Clone, total: f64, at: f64) -> usize {
    let (mut left, mut last) = (at * total, 0);
    for (i, mass) in mass.enumerate() {
        if mass > 0.0 {
            last = i;
            left -= mass;
            if left < 0.0 {
                break;
            }
        }
    }
    // Rounding may leave a little over after the last one.
    last
}

/// Rows drawn by weight, each value once while there are enough.
fn distinct_rows<T: Real>(table: &Table<'_, T>, k: usize, random: &mut Random) -> Vec<usize> {
    let mut mass = table.weights[..table.len()].to_vec();
    let mut chosen = Vec::with_capacity(k);
    for _ in 0..k {
        let mut total: f64 = mass.iter().sum();
        if total <= 0.0 {
            mass.copy_from_slice(&table.weights[..table.len()]);
            total = mass.iter().sum();
        }
        let row = draw(mass.iter().copied(), total, random.uniform());
        let hash = table.hashes[row];
        let first = table.hashes.partition_point(|h| *h < hash);
        let last = table.hashes.partition_point(|h| *h <= hash);
        mass[first..last].fill(0.0);
        chosen.push(row);
    }
    chosen
}

/// What one range of rows knows of the nearest centre so far.
struct Nearest<T> {
    first: usize,
    /// Squared distances, one per lane.
    squares: Vec<T>,
    /// Their weighted sum.
    potential: f64,
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
                potential: 0.0,
                candidates: vec![(vec![T::default(); lanes], 0.0); trials],
            }
        })
        .collect();
    let total: f64 = table.weights.iter().sum();
    let any = |random: &mut Random| draw(table.weights.iter().copied(), total, random.uniform());
    let mut chosen = Vec::with_capacity(k);
    while chosen.len() < k {
        let potential: f64 = ranges.iter().map(|range| range.potential).sum();
        let candidates: Vec<usize> = if chosen.is_empty() {
            vec![any(random)]
        } else if potential > 0.0 && potential.is_finite() {
            (0..trials).map(|_| draw_far(table, &ranges, potential, random.uniform())).collect()
        } else {
            // Every row lies on a centre: there are fewer different rows than clusters.
            chosen.push(any(random));
            continue;
        };
        let values: Vec<T> = candidates
            .iter()
            .flat_map(|row| table.row(*row).iter().zip(&table.shift).map(|(x, s)| *x - *s))
            .collect();
        ranges.par_iter_mut().try_for_each(|range| {
            dispatch(level, Consider { table, range, rows: &candidates, values: &values, task })
        })?;
        let potential = |c: usize| ranges.iter().map(|range| range.candidates[c].1).sum::<f64>();
        let potentials: Vec<f64> = (0..candidates.len()).map(potential).collect();
        let best = (0..candidates.len())
            .reduce(|best, c| if potentials[c] < potentials[best] { c } else { best })
            .unwrap_or_default();
        for range in &mut ranges {
            std::mem::swap(&mut range.squares, &mut range.candidates[best].0);
            range.potential = range.candidates[best].1;
        }
        chosen.push(candidates[best]);
    }
    Ok(chosen)
}

fn draw_far<T: Real>(
    table: &Table<'_, T>,
    ranges: &[Nearest<T>],
    potential: f64,
    at: f64,
) -> usize {
    let chosen = draw(ranges.iter().map(|range| range.potential), potential, at);
    let range = &ranges[chosen];
    // What is left of `at` within the range is uniform there.
    let before: f64 = ranges[..chosen].iter().map(|range| range.potential).sum();
    let within = ((at * potential - before) / range.potential).clamp(0.0, 1.0);
    let weights = &table.weights[range.first..];
    let mass = range.squares.iter().zip(weights).map(|(square, w)| square.wide() * w);
    range.first + draw(mass, range.potential, within)
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
            dots_in_panel::<T, A>(values, table.dim, table.panel(at), &mut dots, T::PANEL);
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
