//! An order of the rows that depends on their values alone.

use rayon::prelude::*;

use super::table::Table;
use crate::linalg::real::Real;
use crate::random::Random;
use crate::task::{Stopped, Task};

/// Parts the order is cut into, so that drawing a row need not walk along all of it.
const BUCKETS: usize = 1024;

/// Rows sorted by a hash of their values.
///
/// Whoever draws a row by its position here draws the same row from a table whose rows are
/// shuffled, or repeated instead of weighted.
pub(super) struct Order {
    rows: Vec<usize>,
    hashes: Vec<u64>,
    buckets: Vec<u16>,
}

impl Order {
    pub(super) fn new<T: Real>(table: &Table<'_, T>, task: &Task) -> Result<Self, Stopped> {
        let mut keys: Vec<(u64, usize)> =
            (0..table.len).into_par_iter().map(|i| (hash(table.row(i)), i)).collect();
        task.check()?;
        let buckets = keys.iter().map(|(hash, _)| bucket(*hash) as u16).collect();
        keys.par_sort_unstable();
        task.check()?;
        let (hashes, rows) = keys.into_iter().unzip();
        Ok(Self { rows, hashes, buckets })
    }

    /// Sums of `mass` by bucket, for the rows from `first` on.
    pub(super) fn weigh(&self, first: usize, mass: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut sums = vec![0.0; BUCKETS];
        for (bucket, mass) in self.buckets[first..].iter().zip(mass) {
            sums[*bucket as usize] += mass;
        }
        sums
    }

    /// A row drawn in proportion to `mass(row)`, of which `sums` are the sums by bucket.
    pub(super) fn draw(
        &self,
        sums: &[f64],
        mass: impl Fn(usize) -> f64,
        random: &mut Random,
    ) -> usize {
        let total: f64 = sums.iter().sum();
        let (bucket, left) = at(sums.iter().copied(), random.uniform() * total);
        let first = self.hashes.partition_point(|hash| self::bucket(*hash) < bucket);
        let (position, _) = at(self.rows[first..].iter().map(|row| mass(*row)), left);
        self.rows[first + position]
    }

    /// All rows with the values of `row`.
    pub(super) fn equals<T: Real>(&self, table: &Table<'_, T>, row: usize) -> &[usize] {
        let hash = hash(table.row(row));
        let first = self.hashes.partition_point(|h| *h < hash);
        let last = self.hashes.partition_point(|h| *h <= hash);
        &self.rows[first..last]
    }
}

fn bucket(hash: u64) -> usize {
    (hash >> (u64::BITS - BUCKETS.ilog2())) as usize
}

/// The index at which the running sum of `mass` exceeds `target`, and what is then left of
/// the target; the last index with mass if rounding leaves a little over.
fn at(mass: impl Iterator<Item = f64>, target: f64) -> (usize, f64) {
    let (mut left, mut last) = (target, (0, 0.0));
    for (i, mass) in mass.enumerate() {
        if mass > 0.0 {
            last = (i, left);
            if left < mass {
                break;
            }
            left -= mass;
        }
    }
    last
}

/// Equal for equal values of either precision.
fn hash<T: Real>(row: &[T]) -> u64 {
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15; // 2^64 over the golden ratio
    // Four chains, or the multiplications would wait for each other.
    let mut chains = [1_u64, 2, 3, 4];
    for values in row.chunks(4) {
        for (chain, value) in chains.iter_mut().zip(values) {
            // Adding zero makes -0 the zero it equals.
            let bits = (value.wide() + 0.0).to_bits();
            *chain = (*chain ^ bits).wrapping_mul(MIX).rotate_left(29);
        }
    }
    chains.into_iter().fold(0, |hash: u64, chain| {
        let mixed = (hash ^ chain).wrapping_mul(MIX);
        mixed ^ (mixed >> 32)
    })
}
