use std::sync::Arc;

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::block::{Block, Pool};
use super::error::ReservoirError;
use super::input::Input;
use super::leaky::Leaky;
use super::record::Record;
use super::recurrent::Recurrent;
use super::statistics::{Statistic, Statistics};
use crate::linalg::real::Real;
use crate::linalg::simd::{Level, dispatch};
use crate::series::Series;
use crate::task::{Stopped, Task};

/// A reservoir with its input weights: an echo state network without its readout, or a
/// liquid of leaky units. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Network<T> {
    /// `(units, channels)`, row-major.
    input: Arc<[T]>,
    channels: usize,
    recurrent: Arc<Recurrent<T>>,
    units: Leaky<T>,
}

impl<T: Real> Network<T> {
    /// `input` is `(units, channels)`, `recurrent` `(units, units)`. Leak 1, no bias.
    ///
    /// # Panics
    /// If the shapes differ from that.
    pub fn new<S: Real>(input: ArrayView2<S>, recurrent: ArrayView2<S>) -> Self {
        let units = recurrent.nrows();
        assert_eq!(input.nrows(), units, "one row of input weights per unit");
        let recurrent = Arc::new(Recurrent::new(recurrent));
        Self {
            input: input.iter().map(|w| T::rounded(w.wide())).collect(),
            channels: input.ncols(),
            units: Leaky::new(Arc::clone(&recurrent), &vec![1.0; units], &vec![0.0; units]),
            recurrent,
        }
    }

    /// The same weights with another leak and bias, equal for all units.
    #[must_use]
    pub fn with(mut self, leak: f64, bias: f64) -> Self {
        let (leak, bias) = (vec![leak; self.len()], vec![bias; self.len()]);
        self.units = Leaky::new(Arc::clone(&self.recurrent), &leak, &bias);
        self
    }

    /// Number of units.
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Whether there is no unit.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// Numbers per input.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// States of every series over time, from zero: `(time, units)` each, one after the
    /// other. An input is held for `hold` updates, of which the last is kept.
    pub fn states(
        &self,
        series: &Series<T>,
        hold: usize,
        level: Level,
        task: &Task,
    ) -> Result<Vec<T>, ReservoirError> {
        self.check(series)?;
        let sizes = (0..series.len()).map(|i| series.length(i) * self.len());
        let mut states = vec![T::default(); sizes.clone().sum()];
        let out = cut(&mut states, sizes);
        self.run(series, hold, level, task, out, &RecordAll)?;
        Ok(states)
    }

    /// `wanted` statistics of the states of every series: `wanted.len() * units` numbers
    /// each. Zeros for a series without a step. No states are stored.
    pub fn features(
        &self,
        series: &Series<T>,
        wanted: &[Statistic],
        thresholds: &[T],
        hold: usize,
        level: Level,
        task: &Task,
    ) -> Result<Vec<T>, ReservoirError> {
        self.check(series)?;
        if thresholds.len() != self.len() {
            let (expected, got) = (self.len(), thresholds.len());
            let (name, unit) = ("thresholds", "entries");
            return Err(ReservoirError::WrongSize { name, unit, expected, got });
        }
        let width = wanted.len() * self.len();
        let mut features = vec![T::default(); series.len() * width];
        let out = cut(&mut features, std::iter::repeat_n(width, series.len()));
        self.run(series, hold, level, task, out, &PoolAll { wanted, thresholds })?;
        Ok(features)
    }

    /// The state after one update with `input`, starting from `state`. Runs on the calling
    /// thread.
    ///
    /// # Panics
    /// If the sizes differ from the network's.
    pub fn update(
        &self,
        state: &[T],
        input: &[T],
        level: Level,
        task: &Task,
    ) -> Result<Vec<T>, Stopped> {
        assert_eq!((state.len(), input.len()), (self.len(), self.channels), "one per unit, input");
        let mut after = vec![T::default(); self.len()];
        // One 64-byte vector is the least a kernel takes.
        if size_of::<T>() == 4 {
            self.block::<_, 16>(&[input], state, 1, level, task, Record::new(vec![&mut after]))?;
        } else {
            self.block::<_, 8>(&[input], state, 1, level, task, Record::new(vec![&mut after]))?;
        }
        Ok(after)
    }

    fn check(&self, series: &Series<T>) -> Result<(), ReservoirError> {
        if series.channels() != self.channels {
            let (expected, got) = (self.channels, series.channels());
            return Err(ReservoirError::WrongSize { name: "X", unit: "channels", expected, got });
        }
        for i in 0..series.len() {
            if let Some(at) = series.get(i).iter().position(|x| !x.is_finite()) {
                return Err(ReservoirError::NotFinite {
                    name: "X",
                    value: series.get(i)[at].wide(),
                    sequence: i,
                    step: at / self.channels,
                });
            }
        }
        Ok(())
    }

    /// Blocks of 256 bytes of series per unit, or of 64 while there are too few series to
    /// fill the wide ones on all threads. Lanes do not interact, so the width cannot be
    /// seen in the results.
    fn run<P: Pools<T>>(
        &self,
        series: &Series<T>,
        hold: usize,
        level: Level,
        task: &Task,
        out: Vec<&mut [T]>,
        pools: &P,
    ) -> Result<(), Stopped> {
        let wide = 256 / size_of::<T>();
        let fills = series.len() > (wide / 4) * 3 * rayon::current_num_threads();
        match (size_of::<T>(), fills) {
            (4, true) => self.blocks::<P, 64>(series, hold, level, task, out, pools),
            (4, false) => self.blocks::<P, 16>(series, hold, level, task, out, pools),
            (_, true) => self.blocks::<P, 32>(series, hold, level, task, out, pools),
            (_, false) => self.blocks::<P, 8>(series, hold, level, task, out, pools),
        }
    }

    fn blocks<P: Pools<T>, const L: usize>(
        &self,
        series: &Series<T>,
        hold: usize,
        level: Level,
        task: &Task,
        out: Vec<&mut [T]>,
        pools: &P,
    ) -> Result<(), Stopped> {
        // Series of like length share a block, so that few lanes run on after their end.
        let mut work: Vec<_> = out.into_iter().enumerate().collect();
        work.sort_by_key(|(i, _)| std::cmp::Reverse(series.length(*i)));
        let mut blocks = Vec::with_capacity(work.len().div_ceil(L));
        while !work.is_empty() {
            let rest = work.split_off(L.min(work.len()));
            blocks.push(std::mem::replace(&mut work, rest));
        }
        let start = vec![T::default(); self.len()];
        task.expect(series.len());
        blocks.into_par_iter().with_max_len(1).try_for_each(|block| {
            let (which, out): (Vec<_>, Vec<_>) = block.into_iter().unzip();
            let values: Vec<_> = which.iter().map(|i| series.get(*i)).collect();
            self.block::<_, L>(&values, &start, hold, level, task, pools.pool::<L>(out))?;
            task.advance(which.len());
            Ok(())
        })
    }

    fn block<P: Pool<T, L>, const L: usize>(
        &self,
        series: &[&[T]],
        start: &[T],
        hold: usize,
        level: Level,
        task: &Task,
        pool: P,
    ) -> Result<(), Stopped> {
        let lane = |l: usize| series.get(l).copied();
        let values = std::array::from_fn(|l| lane(l).unwrap_or_default());
        let block = Block {
            units: &self.units,
            start,
            lengths: std::array::from_fn(|l| lane(l).map(|values| values.len() / self.channels)),
            hold,
            drive: Input::<T, L>::new(&self.input, self.channels, values),
            pool,
            task,
        };
        dispatch(level, block).map(|_| ())
    }
}

/// Makes the pool of each block.
trait Pools<T>: Sync {
    type Pool<'a, const L: usize>: Pool<T, L>
    where
        Self: 'a,
        T: 'a;
    fn pool<'a, const L: usize>(&'a self, out: Vec<&'a mut [T]>) -> Self::Pool<'a, L>;
}

struct RecordAll;

impl<T: Real> Pools<T> for RecordAll {
    type Pool<'a, const L: usize> = Record<'a, T>;
    fn pool<'a, const L: usize>(&'a self, out: Vec<&'a mut [T]>) -> Record<'a, T> {
        Record::new(out)
    }
}

struct PoolAll<'p, T> {
    wanted: &'p [Statistic],
    thresholds: &'p [T],
}

impl<T: Real> Pools<T> for PoolAll<'_, T> {
    type Pool<'a, const L: usize>
        = Statistics<'a, T, L>
    where
        Self: 'a;
    fn pool<'a, const L: usize>(&'a self, out: Vec<&'a mut [T]>) -> Statistics<'a, T, L> {
        Statistics::new(self.wanted, self.thresholds, out)
    }
}

/// `all` in consecutive slices of the given sizes.
fn cut<T>(mut all: &mut [T], sizes: impl Iterator<Item = usize>) -> Vec<&mut [T]> {
    sizes
        .map(|size| {
            let (head, tail) = std::mem::take(&mut all).split_at_mut(size);
            all = tail;
            head
        })
        .collect()
}
