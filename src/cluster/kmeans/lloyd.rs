//! Lloyd's iteration (1982).

use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::assign::Assign;
use super::assigned::Assigned;
use super::distances::squared_distance;
use super::fitted::Fitted;
use super::moves::Moves;
use super::parameters::KMeans;
use super::search::Target;
use super::sums::Sums;
use super::table::Table;
use crate::linalg::packed::{Centres, QuantisedCentres};
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::task::{Stopped, Task};

/// Iterates from `centres` (less the table's shift) until no row changes its cluster, or
/// the centres move by less than the tolerance.
pub(super) fn lloyd<T: Real>(
    table: &Table<'_, T>,
    mut centres: Array2<T>,
    settings: &KMeans,
    level: Level,
    task: &Task,
) -> Result<Fitted<T>, Stopped> {
    let tolerance = settings.tol * table.variance;
    let mut run = Run::new(table, &centres, settings.bounds, level, task);
    let mut n_iter = 0;
    while n_iter < settings.max_iter {
        n_iter += 1;
        let changed = run.assign(&centres)?;
        task.advance(1);
        let mut next = centres.clone();
        let sums = run.sums_with_reseeded(&centres)?;
        for (c, mut centre) in next.axis_iter_mut(Axis(0)).enumerate() {
            if let Some(mean) = sums.mean::<T>(c) {
                centre.iter_mut().zip(mean).for_each(|(value, mean)| *value = mean);
            }
        }
        let moved = |(a, b): (&T, &T)| (*a - *b).wide().powi(2);
        let shift: f64 = next.iter().zip(&centres).map(moved).sum();
        centres = next;
        if changed == 0 || shift <= tolerance {
            break;
        }
    }
    // The caller's centres are rounded once more when the shift is added; the labels are
    // those of these very numbers, as `predict` will find them.
    let frame = &table.frame;
    for mut centre in centres.axis_iter_mut(Axis(0)) {
        for (value, shift) in centre.iter_mut().zip(&frame.shift) {
            *value = frame.unscaled(*value + *shift);
        }
    }
    run.assign_to(frame.centres(centres.view()))?;
    let flat: Vec<T> = centres.iter().map(|value| frame.scaled(value.wide())).collect();
    let inertia = run.states.par_iter().zip(&table.ranges).map(|(state, range)| {
        dispatch(
            level,
            Inertia { table, first: range.start, labels: state.labels(), centres: &flat },
        )
    });
    let inertia = inertia.collect::<Vec<f64>>().into_iter().sum();
    let labels = run.states.iter().flat_map(Assigned::labels).copied().collect();
    Ok(Fitted { centres, frame: frame.clone(), labels, inertia, n_iter })
}

/// The state of one start.
struct Run<'a, T> {
    table: &'a Table<'a, T>,
    centres: Centres<T>,
    states: Vec<Assigned<T>>,
    sums: Sums,
    bounds: bool,
    level: Level,
    task: &'a Task,
}

impl<'a, T: Real> Run<'a, T> {
    fn new(
        table: &'a Table<'a, T>,
        centres: &Array2<T>,
        bounds: bool,
        level: Level,
        task: &'a Task,
    ) -> Self {
        let (k, dim) = centres.dim();
        let ranges = table.ranges.iter().cloned();
        Self {
            table,
            centres: Centres::new(centres.view()),
            states: ranges.map(|range| Assigned::new(range, k, dim)).collect(),
            sums: Sums::new(k, dim),
            bounds,
            level,
            task,
        }
    }

    fn assign(&mut self, centres: &Array2<T>) -> Result<usize, Stopped> {
        self.assign_to(Centres::new(centres.view()))
    }

    /// Puts every row to its nearest centre; how many went to another one.
    fn assign_to(&mut self, centres: Centres<T>) -> Result<usize, Stopped> {
        let known = self.states.iter().any(|state| state.bounded);
        let gaps = known && centres.len().pow(2) <= self.table.len;
        let moves = self.bounds.then(|| Moves::new(&self.centres, &centres, gaps, self.level));
        let length = |c: usize| centres.row(c).iter().map(|x| x.wide().powi(2)).sum::<f64>();
        let reach = (0..centres.len()).map(length).fold(0.0, f64::max).sqrt();
        let (table, level, task) = (self.table, self.level, self.task);
        let quantised = table.quantised.as_ref().map(|_| QuantisedCentres::new(&centres));
        let target = Target { centres: &centres, quantised: quantised.as_ref(), reach };
        self.states.par_iter_mut().try_for_each(|state| {
            let moves = moves.as_ref();
            dispatch(level, Assign { table, target, moves, state, task })
        })?;
        let mut changed = 0;
        for state in &mut self.states {
            changed += state.changed;
            self.sums.absorb(&mut state.delta);
        }
        self.centres = centres;
        Ok(changed)
    }

    /// The sums, in which each empty cluster has been given the row farthest from its
    /// centre, as scikit-learn does; never the last row of a cluster, nor one that lies on
    /// its centre: with too few different rows a cluster stays empty.
    fn sums_with_reseeded(&self, centres: &Array2<T>) -> Result<Sums, Stopped> {
        let mut sums = self.sums.clone();
        let empty: Vec<usize> = (0..centres.nrows()).filter(|c| sums.counts[*c] == 0).collect();
        if empty.is_empty() {
            return Ok(sums);
        }
        self.task.check()?;
        let table = self.table;
        let labels: Vec<u32> = self.states.iter().flat_map(Assigned::labels).copied().collect();
        let distance = |i: usize| -> f64 {
            let centre = centres.row(labels[i] as usize);
            let row = table.row(i).iter().zip(&table.frame.shift).zip(centre);
            row.map(|((x, shift), c)| (*x - *shift - *c).wide().powi(2)).sum()
        };
        let mut rows: Vec<(f64, usize)> = (0..table.len)
            .into_par_iter()
            .filter(|i| table.weights[*i] > 0.0)
            .map(|i| (distance(i), i))
            .filter(|(distance, _)| *distance > 0.0)
            .collect();
        rows.par_sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut rows = rows.into_iter();
        for c in empty {
            let donor = rows.find(|(_, i)| sums.counts[labels[*i] as usize] > 1);
            let Some((_, i)) = donor else { break };
            let (row, weight) = (table.row(i), table.weights[i]);
            sums.add(labels[i] as usize, row, &table.frame.shift, weight, -1);
            sums.add(c, row, &table.frame.shift, weight, 1);
        }
        Ok(sums)
    }
}

struct Inertia<'a, T> {
    table: &'a Table<'a, T>,
    first: usize,
    labels: &'a [u32],
    centres: &'a [T],
}

impl<T: Real> Kernel for Inertia<'_, T> {
    type Output = f64;
    #[inline(always)]
    fn run<A: Arithmetic>(self) -> f64 {
        let dim = self.table.dim;
        let zeros = vec![T::default(); dim];
        let mut total = 0.0;
        for (i, label) in self.labels.iter().enumerate() {
            let row = self.table.row(self.first + i);
            let centre = &self.centres[*label as usize * dim..(*label as usize + 1) * dim];
            let square = squared_distance(row, &zeros, centre).wide();
            total += self.table.weights[self.first + i] * square;
        }
        total
    }
}
