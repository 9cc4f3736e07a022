//! DBSCAN (Ester, Kriegel, Sander and Xu, 1996, "A density-based algorithm for discovering
//! clusters in large spatial databases with noise").

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::sets::Sets;
use super::tree::{LEAF, Tree};
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::task::{Stopped, Task};

/// Dimensions after which a leaf is given up if none of it is near any more.
const PATIENCE: usize = 8;
/// Not a label.
const NOISE: u32 = u32::MAX;

/// What is dense.
#[derive(Clone, Debug)]
pub struct Dbscan {
    /// Cluster of each row, numbered by their first core rows; -1 for noise.
    pub labels: Vec<i64>,
    /// Whether each row is a core row.
    pub core: Vec<bool>,
}

/// Rows with a weight of at least `least` within `radius` of them, themselves included, are
/// core rows; core rows within `radius` of each other share a cluster, and others join the
/// first of the clusters of the core rows within `radius` of them.
///
/// Squares of distances are summed in the order of the dimensions, each rounded on its own,
/// and compared with that of `radius`; nothing depends on the level or the threads.
///
/// # Panics
/// If there are no rows, 2^32 or more, or not as many `weights`.
pub fn dbscan(
    x: ArrayView2<'_, f64>,
    weights: Option<&[f64]>,
    radius: f64,
    least: f64,
    level: Level,
    task: &Task,
) -> Result<Dbscan, Stopped> {
    let n = x.nrows();
    assert!(n > 0 && n < NOISE as usize, "from one to 2^32 - 1 rows");
    assert!(weights.is_none_or(|weights| weights.len() == n), "a weight per row");
    let tree = Tree::new(x, task)?;
    task.expect(3 * n);
    let sorted = weights.map(|weights| {
        let mut sorted: Vec<f64> = tree.order.iter().map(|i| weights[*i as usize]).collect();
        sorted.resize(tree.leaves() * LEAF, 0.0);
        sorted
    });
    let search = Search {
        tree: &tree,
        square: radius * radius,
        least,
        growing: sorted.as_ref().is_none_or(|weights| weights.iter().all(|w| *w >= 0.0)),
        weights: sorted,
        level,
        task,
    };
    let core = search.core()?;
    let sets = search.join(&core)?;
    search.labels(core, &sets)
}

struct Search<'a> {
    tree: &'a Tree,
    square: f64,
    least: f64,
    /// In the order of the tree; 1 each if none.
    weights: Option<Vec<f64>>,
    /// Whether no weight is negative.
    growing: bool,
    level: Level,
    task: &'a Task,
}

impl Search<'_> {
    /// One bit per core row of each leaf.
    fn core(&self) -> Result<Vec<u32>, Stopped> {
        self.each_leaf(|leaf, near| {
            let rows = self.tree.rows(leaf).len();
            dispatch(self.level, Dense { search: self, leaf, rows, near })
        })
    }

    /// The sets of core rows.
    fn join(&self, core: &[u32]) -> Result<Sets, Stopped> {
        let sets = Sets::new(self.tree.order.len());
        self.each_leaf(|leaf, near| {
            near.retain(|(other, _)| *other as usize >= leaf);
            dispatch(self.level, Join { search: self, leaf, near, core, sets: &sets });
        })?;
        Ok(sets)
    }

    fn labels(&self, core: Vec<u32>, sets: &Sets) -> Result<Dbscan, Stopped> {
        let n = self.tree.order.len();
        let first = self.each_leaf(|leaf, near| {
            dispatch(self.level, First { search: self, leaf, near, core: &core, sets })
        })?;
        let (mut own, mut is_core) = (vec![NOISE; n], vec![false; n]);
        for leaf in 0..self.tree.leaves() {
            for (lane, row) in self.tree.rows(leaf).iter().enumerate() {
                own[*row as usize] = first[leaf][lane];
                is_core[*row as usize] = core[leaf] >> lane & 1 == 1;
            }
        }
        // A set goes by its least row: in ascending order they number the clusters.
        let mut numbers = vec![-1; n];
        let mut clusters = 0;
        for row in 0..n {
            if is_core[row] && own[row] as usize == row {
                numbers[row] = clusters;
                clusters += 1;
            }
        }
        let number = |set: &u32| if *set == NOISE { -1 } else { numbers[*set as usize] };
        Ok(Dbscan { labels: own.iter().map(number).collect(), core: is_core })
    }

    fn each_leaf<R: Send>(
        &self,
        work: impl Fn(usize, &mut Vec<(u32, bool)>) -> R + Sync,
    ) -> Result<Vec<R>, Stopped> {
        (0..self.tree.leaves())
            .into_par_iter()
            .map_init(Vec::new, |near, leaf| {
                self.task.check()?;
                self.tree.near(leaf, self.square, near);
                let result = work(leaf, near);
                self.task.advance(self.tree.rows(leaf).len());
                Ok(result)
            })
            .collect()
    }

    /// Bits of the rows of leaf `other` that are near the row in `lane` of `leaf`.
    #[inline(always)]
    fn near(&self, leaf: usize, lane: usize, other: usize) -> u32 {
        let (own, panel) = (self.tree.panel(leaf), self.tree.panel(other));
        let mut sums = [0.0; LEAF];
        let (own, panel) = (own.chunks(PATIENCE * LEAF), panel.chunks(PATIENCE * LEAF));
        let mut bits = 0;
        for (own, panel) in own.zip(panel) {
            for (own, lanes) in own.as_chunks::<LEAF>().0.iter().zip(panel.as_chunks().0) {
                add_squares(own[lane], lanes, &mut sums);
            }
            bits = bits_within(&sums, self.square);
            if bits == 0 {
                break;
            }
        }
        bits
    }
}

#[inline(always)]
fn add_squares(x: f64, lanes: &[f64; LEAF], sums: &mut [f64; LEAF]) {
    for l in 0..LEAF {
        let difference = x - lanes[l];
        sums[l] += difference * difference;
    }
}

#[inline(always)]
fn bits_within(sums: &[f64; LEAF], square: f64) -> u32 {
    let mut bits = 0;
    for l in 0..LEAF {
        bits |= u32::from(sums[l] <= square) << l;
    }
    bits
}

/// Bits of a leaf, one by one.
fn lanes(mut bits: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lane = bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
        (lane < 32).then_some(lane as usize)
    })
}

/// Which rows of a leaf are core rows.
struct Dense<'a> {
    search: &'a Search<'a>,
    leaf: usize,
    rows: usize,
    near: &'a [(u32, bool)],
}

impl Kernel for Dense<'_> {
    type Output = u32;
    #[inline(always)]
    fn run<A: Arithmetic>(self) -> u32 {
        let Self { search, leaf, rows, near } = self;
        let mut core = 0;
        for lane in 0..rows {
            let mut weight = 0.0;
            for (other, all) in near {
                let other = *other as usize;
                weight += match &search.weights {
                    None if *all => search.tree.rows(other).len() as f64,
                    weights => {
                        let bits = if *all { u32::MAX } else { search.near(leaf, lane, other) };
                        let weight = |weights: &Vec<f64>| {
                            lanes(bits).map(|l| weights[other * LEAF + l]).sum()
                        };
                        weights.as_ref().map_or(f64::from(bits.count_ones()), weight)
                    }
                };
                if search.growing && weight >= search.least {
                    break;
                }
            }
            core |= u32::from(weight >= search.least) << lane;
        }
        core
    }
}

/// Unites the core rows of a leaf with those near them.
struct Join<'a> {
    search: &'a Search<'a>,
    leaf: usize,
    near: &'a [(u32, bool)],
    core: &'a [u32],
    sets: &'a Sets,
}

impl Kernel for Join<'_> {
    type Output = ();
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let Self { search, leaf, near, core, sets } = self;
        let own = search.tree.rows(leaf);
        for (other, all) in near {
            let other = *other as usize;
            let theirs = search.tree.rows(other);
            if core[leaf] == 0 || core[other] == 0 || self.is_one_set(other) {
                continue;
            }
            for lane in lanes(core[leaf]) {
                let near = if *all { u32::MAX } else { search.near(leaf, lane, other) };
                for their in lanes(near & core[other]) {
                    sets.unite(own[lane], theirs[their]);
                }
            }
        }
    }
}

impl Join<'_> {
    /// Whether all core rows of both leaves are in one set already.
    fn is_one_set(&self, other: usize) -> bool {
        let mut sets = [self.leaf, other].into_iter().flat_map(|leaf| {
            let rows = self.search.tree.rows(leaf);
            lanes(self.core[leaf]).map(|lane| self.sets.find(rows[lane]))
        });
        let first = sets.next();
        sets.all(|set| Some(set) == first)
    }
}

/// The set of each row of a leaf: its own, or the first of the core rows near it.
struct First<'a> {
    search: &'a Search<'a>,
    leaf: usize,
    near: &'a [(u32, bool)],
    core: &'a [u32],
    sets: &'a Sets,
}

impl Kernel for First<'_> {
    type Output = [u32; LEAF];
    #[inline(always)]
    fn run<A: Arithmetic>(self) -> [u32; LEAF] {
        let Self { search, leaf, near, core, sets } = self;
        let mut first = [NOISE; LEAF];
        for (lane, row) in search.tree.rows(leaf).iter().enumerate() {
            if core[leaf] >> lane & 1 == 1 {
                first[lane] = sets.find(*row);
                continue;
            }
            for (other, all) in near.iter().filter(|(other, _)| core[*other as usize] != 0) {
                let (other, rows) = (*other as usize, search.tree.rows(*other as usize));
                let near = if *all { u32::MAX } else { search.near(leaf, lane, other) };
                for their in lanes(near & core[other]) {
                    first[lane] = first[lane].min(sets.find(rows[their]));
                }
            }
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;
    use crate::random::Random;

    /// The definition, by a matrix of neighbours.
    fn plain(x: &Array2<f64>, radius: f64, least: f64) -> (Vec<i64>, Vec<bool>) {
        let n = x.nrows();
        let near = |i: usize, j: usize| {
            let squares = x.row(i).into_iter().zip(x.row(j)).map(|(a, b)| (a - b) * (a - b));
            squares.sum::<f64>() <= radius * radius
        };
        let count = |i| (0..n).filter(|j| near(i, *j)).count() as f64;
        let core: Vec<bool> = (0..n).map(|i| count(i) >= least).collect();
        let mut labels = vec![-1; n];
        let mut next = 0;
        for start in 0..n {
            if !core[start] || labels[start] >= 0 {
                continue;
            }
            let mut open = vec![start];
            labels[start] = next;
            while let Some(i) = open.pop() {
                for j in (0..n).filter(|j| core[i] && near(i, *j)) {
                    if labels[j] < 0 {
                        labels[j] = next;
                        open.push(j);
                    }
                }
            }
            next += 1;
        }
        (labels, core)
    }

    #[test]
    fn labels_follow_the_definition_on_every_level() {
        let mut random = Random::new(0, 0);
        for (n, dim, radius, least) in
            [(1, 1, 0.1, 1.0), (40, 1, 0.05, 2.0), (700, 2, 0.15, 5.0), (500, 20, 5.0, 4.0)]
        {
            let x = Array2::from_shape_simple_fn((n, dim), || random.normal());
            let (labels, core) = plain(&x, radius, least);
            for level in Level::ALL.into_iter().filter(|level| level.available()) {
                let found = dbscan(x.view(), None, radius, least, level, &Task::new()).unwrap();
                assert_eq!((&found.labels, &found.core), (&labels, &core), "{n} x {dim}");
            }
        }
    }

    #[test]
    fn weights_count_and_may_be_negative() {
        let x = array![[0.0], [0.1], [5.0]];
        let labels = |weights: &[f64]| {
            let (level, task) = (Level::current(), Task::new());
            dbscan(x.view(), Some(weights), 0.2, 3.0, level, &task).unwrap().labels
        };
        assert_eq!(labels(&[1.0, 2.0, 3.0]), [0, 0, 1]);
        assert_eq!(labels(&[4.0, -2.0, 1.0]), [-1, -1, -1]);
    }

    #[test]
    fn it_stops_when_told() {
        let task = Task::new();
        task.stop();
        let x = Array2::zeros((100, 2));
        let stopped = dbscan(x.view(), None, 1.0, 2.0, Level::current(), &task);
        assert_eq!(stopped.err(), Some(Stopped));
    }
}
