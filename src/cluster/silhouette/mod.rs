//! How well rows sit in their clusters.

mod block;
mod pairs;

#[cfg(test)]
mod tests;

use ndarray::ArrayView2;
use rayon::prelude::*;

use self::block::{BLOCK, Table};
use self::pairs::Pairs;
use crate::linalg::simd::{Level, dispatch};
use crate::task::{Stopped, Task};

/// Sums of distances, by row and cluster, that may be held at once.
const HELD: usize = 1 << 24;

/// Silhouette `(b - a) / max(a, b)` of every row (Rousseeuw, 1987, "Silhouettes: a graphical
/// aid to the interpretation and validation of cluster analysis").
///
/// `a` is the mean distance to the other rows of its cluster, `b` the least mean distance to
/// the rows of another; 0 for a row alone in its cluster. Labels are below `clusters`, and
/// every cluster has a row. Distances carry the error of single precision, some `1e-7` of
/// each; sums are kept in double precision and in a fixed order.
///
/// # Panics
/// If there is not one label per row, or a label is not below `clusters`.
pub fn silhouettes(
    rows: ArrayView2<'_, f64>,
    labels: &[u32],
    clusters: usize,
    level: Level,
    task: &Task,
) -> Result<Vec<f64>, Stopped> {
    assert!(rows.nrows() == labels.len(), "one label per row");
    let table = Table::new(rows, labels, clusters, level);
    let widths = if table.len() * clusters <= HELD {
        every_pair_once(&table, level, task)?
    } else {
        row_by_row(&table, level, task)?
    };
    let mut given = vec![0.0; widths.len()];
    table.order.iter().zip(widths).for_each(|(i, width)| given[*i] = width);
    Ok(given)
}

/// A distance serves both of its rows. In round `r` each block meets the one `r` further on,
/// as in a tournament: nobody adds to the same sums as another, and the order of additions
/// is that of the rounds.
fn every_pair_once(table: &Table, level: Level, task: &Task) -> Result<Vec<f64>, Stopped> {
    let (n, clusters, blocks) = (table.len(), table.clusters(), table.blocks.len());
    let mut as_left = vec![0.0; n * clusters];
    let mut as_right = vec![0.0; n * clusters];
    task.expect(blocks * (blocks + 1) / 2);
    for round in 0..=blocks / 2 {
        let met_from_both_sides = round > 0 && 2 * round == blocks;
        let pairs = if met_from_both_sides { blocks / 2 } else { blocks };
        let lefts = as_left.par_chunks_mut(BLOCK * clusters).enumerate().take(pairs);
        let mut rights: Vec<_> = as_right.chunks_mut(BLOCK * clusters).collect();
        rights.rotate_left(round.min(blocks));
        lefts.zip(rights).try_for_each(|((left, by_row), by_column)| {
            let right = (left + round) % blocks;
            let by_column = (round > 0).then_some(by_column);
            dispatch(level, Pairs { table, left, right, by_row, by_column, task })?;
            task.advance(1);
            Ok(())
        })?;
    }
    let width = |((i, left), right): ((usize, &mut [f64]), &[f64])| {
        left.iter_mut().zip(right).for_each(|(left, right)| *left += right);
        table.width(left, i)
    };
    let sums = as_left.par_chunks_mut(clusters).enumerate().zip(as_right.par_chunks(clusters));
    Ok(sums.map(width).collect())
}

/// Twice the work, for so many clusters that the sums of all rows are too much to hold.
fn row_by_row(table: &Table, level: Level, task: &Task) -> Result<Vec<f64>, Stopped> {
    let (clusters, blocks) = (table.clusters(), table.blocks.len());
    task.expect(blocks);
    let widths = table.blocks.par_iter().enumerate().with_max_len(1).map(|(left, block)| {
        let mut sums = vec![0.0; block.range.len() * clusters];
        for right in 0..blocks {
            let by_row = &mut sums;
            dispatch(level, Pairs { table, left, right, by_row, by_column: None, task })?;
        }
        task.advance(1);
        let rows = block.range.clone().zip(sums.chunks_exact(clusters));
        Ok(rows.map(|(i, sums)| table.width(sums, i)).collect::<Vec<_>>())
    });
    Ok(widths.collect::<Result<Vec<_>, Stopped>>()?.concat())
}
