//! Rows sorted into boxes of neighbours.

use ndarray::{ArrayView2, Axis};

use crate::task::{Stopped, Task};

/// Rows of a leaf: four of the widest registers.
pub(super) const LEAF: usize = 32;
/// Rows from which a branch is worth a thread.
const FORK: usize = 4096;

/// A k-d tree (Bentley, 1975) whose leaves hold their rows dimension by dimension, so that a
/// row is compared with a whole leaf at once. All leaves but the last are full.
#[derive(Debug)]
pub(super) struct Tree {
    /// Rows, leaf by leaf.
    pub(super) order: Vec<u32>,
    /// `(dim, LEAF)` of each leaf; lanes that are left over hold NaN, which is near nothing.
    panels: Vec<f64>,
    nodes: Vec<Node>,
    /// Least and largest values of each node, `2 * dim` numbers.
    boxes: Vec<f64>,
    dim: usize,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    /// Leaves `from..to`.
    from: u32,
    to: u32,
    /// The first half; the second follows it. A leaf has none.
    children: [u32; 2],
}

/// How near the rows of two boxes are.
enum Reach {
    None,
    Some,
    All,
}

impl Tree {
    /// Sorts the rows of `x`, which are finite and at least one.
    pub(super) fn new(x: ArrayView2<'_, f64>, task: &Task) -> Result<Self, Stopped> {
        let (n, dim) = x.dim();
        let mut order: Vec<u32> = (0..n as u32).collect();
        sort(x, &mut order, task)?;
        let mut panels = vec![f64::NAN; n.div_ceil(LEAF) * LEAF * dim];
        for (rows, panel) in order.chunks(LEAF).zip(panels.chunks_exact_mut(LEAF * dim)) {
            task.check()?;
            for (lane, row) in rows.iter().enumerate() {
                for (value, lanes) in x.row(*row as usize).iter().zip(panel.chunks_exact_mut(LEAF))
                {
                    lanes[lane] = *value;
                }
            }
        }
        let mut tree = Self { order, panels, nodes: Vec::new(), boxes: Vec::new(), dim };
        tree.grow(0, n.div_ceil(LEAF) as u32);
        Ok(tree)
    }

    /// Number of leaves.
    pub(super) fn leaves(&self) -> usize {
        self.order.len().div_ceil(LEAF)
    }

    /// Numbers of the rows of a leaf.
    pub(super) fn rows(&self, leaf: usize) -> &[u32] {
        &self.order[leaf * LEAF..((leaf + 1) * LEAF).min(self.order.len())]
    }

    /// `(dim, LEAF)` values of a leaf.
    pub(super) fn panel(&self, leaf: usize) -> &[f64] {
        let size = LEAF * self.dim;
        &self.panels[leaf * size..(leaf + 1) * size]
    }

    /// Adds the node of leaves `from..to` and all below it.
    fn grow(&mut self, from: u32, to: u32) -> u32 {
        let (index, dim) = (self.nodes.len(), self.dim);
        self.nodes.push(Node { from, to, children: [0; 2] });
        self.boxes.extend(std::iter::repeat_n(f64::INFINITY, dim));
        self.boxes.extend(std::iter::repeat_n(f64::NEG_INFINITY, dim));
        let at = index * 2 * dim;
        if to - from == 1 {
            let panel = from as usize * LEAF * dim;
            for j in 0..dim {
                for lane in 0..LEAF {
                    // NaN is neither least nor largest.
                    let value = self.panels[panel + j * LEAF + lane];
                    self.boxes[at + j] = self.boxes[at + j].min(value);
                    self.boxes[at + dim + j] = self.boxes[at + dim + j].max(value);
                }
            }
            return index as u32;
        }
        let middle = from + (to - from) / 2;
        let children = [self.grow(from, middle), self.grow(middle, to)];
        for child in children {
            let child = child as usize * 2 * dim;
            for j in 0..dim {
                self.boxes[at + j] = self.boxes[at + j].min(self.boxes[child + j]);
                let (own, below) = (at + dim + j, child + dim + j);
                self.boxes[own] = self.boxes[own].max(self.boxes[below]);
            }
        }
        self.nodes[index].children = children;
        index as u32
    }

    /// Leaves with rows that may be within the root of `square` of a row of `leaf`, itself
    /// first, and whether all of theirs are within that of all of its.
    pub(super) fn near(&self, leaf: usize, square: f64, found: &mut Vec<(u32, bool)>) {
        found.clear();
        let mut own = 0;
        while self.nodes[own].to - self.nodes[own].from > 1 {
            let [first, second] = self.nodes[own].children.map(|child| child as usize);
            own = if (leaf as u32) < self.nodes[first].to { first } else { second };
        }
        found.push((leaf as u32, matches!(self.reach(own, own, square), Reach::All)));
        let mut open = vec![0];
        while let Some(index) = open.pop() {
            let Node { from, to, children } = self.nodes[index];
            let others = (from..to).filter(|other| *other as usize != leaf);
            match self.reach(own, index, square) {
                Reach::None => {}
                Reach::All => found.extend(others.map(|other| (other, true))),
                Reach::Some if to - from == 1 => found.extend(others.map(|other| (other, false))),
                Reach::Some => open.extend(children.map(|child| child as usize)),
            }
        }
    }

    /// Of the rows of two nodes. Rounded the same way as distances of rows are, and every
    /// step is monotonous: it never contradicts them.
    fn reach(&self, a: usize, b: usize, square: f64) -> Reach {
        let dim = self.dim;
        let [a, b] = [a, b].map(|i| self.boxes[i * 2 * dim..(i + 1) * 2 * dim].split_at(dim));
        let (mut least, mut most) = (0.0, 0.0);
        for j in 0..dim {
            let (low, high) = (b.0[j] - a.1[j], a.0[j] - b.1[j]);
            let gap = low.max(high).max(0.0);
            let span = (-low).max(-high);
            least += gap * gap;
            most += span * span;
        }
        if least > square {
            Reach::None
        } else if most <= square {
            Reach::All
        } else {
            Reach::Some
        }
    }
}

/// Halves `rows` across their widest dimension, whole leaves to either side, and so on.
fn sort(x: ArrayView2<'_, f64>, rows: &mut [u32], task: &Task) -> Result<(), Stopped> {
    let leaves = rows.len().div_ceil(LEAF);
    if leaves < 2 {
        return Ok(());
    }
    task.check()?;
    let mut low = x.row(rows[0] as usize).to_vec();
    let mut high = low.clone();
    for row in &*rows {
        for ((low, high), value) in low.iter_mut().zip(&mut high).zip(x.row(*row as usize)) {
            *low = low.min(*value);
            *high = high.max(*value);
        }
    }
    let width = |j: &usize| high[*j] - low[*j];
    let widest = (0..low.len()).max_by(|i, j| width(i).total_cmp(&width(j))).unwrap_or(0);
    let values = x.index_axis(Axis(1), widest);
    let middle = leaves / 2 * LEAF;
    rows.select_nth_unstable_by(middle, |i, j| values[*i as usize].total_cmp(&values[*j as usize]));
    let (first, second) = rows.split_at_mut(middle);
    if second.len() < FORK {
        sort(x, first, task)?;
        return sort(x, second, task);
    }
    let (first, second) = rayon::join(|| sort(x, first, task), || sort(x, second, task));
    first.and(second)
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::random::Random;

    #[test]
    fn every_near_row_is_in_a_leaf_that_is_found() {
        let mut random = Random::new(0, 0);
        for (n, dim, radius) in [(1, 1, 0.1), (33, 1, 0.2), (500, 2, 0.3), (900, 5, 2.5)] {
            let x = Array2::from_shape_simple_fn((n, dim), || random.normal());
            let tree = Tree::new(x.view(), &Task::new()).unwrap();
            let mut sorted = tree.order.clone();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..n as u32));
            let square = |i: u32, j: u32| {
                let (a, b) = (x.row(i as usize), x.row(j as usize));
                a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
            };
            let (mut found, mut exactly) = (Vec::new(), 0);
            for leaf in 0..tree.leaves() {
                tree.near(leaf, radius * radius, &mut found);
                assert_eq!(found[0].0 as usize, leaf);
                for other in 0..tree.leaves() {
                    let all = found.iter().find(|(index, _)| *index as usize == other);
                    let near = |(i, j): (&u32, &u32)| square(*i, *j) <= radius * radius;
                    let mut pairs = tree
                        .rows(leaf)
                        .iter()
                        .flat_map(|i| tree.rows(other).iter().map(move |j| (i, j)));
                    match all {
                        None => assert!(!pairs.any(near)),
                        Some((_, true)) => assert!(pairs.all(near)),
                        Some((_, false)) => exactly += 1,
                    }
                }
            }
            assert!(n < 500 || exactly < tree.leaves().pow(2));
        }
    }
}
