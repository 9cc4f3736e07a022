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
/// liquid of leaky units.
#[derive(Clone, Debug)]
pub struct Network<T> {
    /// `(units, channels)`, row-major.
    input: Vec<T>,
    channels: usize,
    units: Leaky<T>,
}

impl<T: Real> Network<T> {
    /// `input` is `(units, channels)`, `recurrent` `(units, units)`.
    pub fn new<S: Real>(
        input: ArrayView2<S>,
        recurrent: ArrayView2<S>,
        leak: f64,
        bias: f64,
    ) -> Result<Self, ReservoirError> {
        let units = recurrent.nrows();
        let wrong = |name, unit, expected, got| {
            Err(ReservoirError::WrongSize { name, unit, expected, got })
        };
        if recurrent.ncols() != units {
            return wrong("recurrent weights", "columns", units, recurrent.ncols());
        }
        if input.nrows() != units {
            return wrong("input weights", "rows", units, input.nrows());
        }
        Ok(Self {
            input: input.iter().map(|w| T::rounded(w.wide())).collect(),
            channels: input.ncols(),
            units: Leaky::new(Recurrent::new(recurrent), &vec![leak; units], &vec![bias; units]),
        })
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
        self.run(series, &[], hold, level, task, out, &RecordAll)?;
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
        self.run(series, &[], hold, level, task, out, &PoolAll { wanted, thresholds })?;
        Ok(features)
    }

    /// The state after `hold` updates with `input`, starting from `state`.
    pub fn update(
        &self,
        state: &[T],
        input: &Series<T>,
        level: Level,
        task: &Task,
    ) -> Result<Vec<T>, ReservoirError> {
        self.check(input)?;
        let mut after = vec![T::default(); self.len()];
        let out = cut(&mut after, std::iter::once(self.len()));
        self.run(input, state, 1, level, task, out, &RecordAll)?;
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
        start: &[T],
        hold: usize,
        level: Level,
        task: &Task,
        out: Vec<&mut [T]>,
        pools: &P,
    ) -> Result<(), Stopped> {
        let wide = 256 / size_of::<T>();
        let fills = series.len() > (wide / 4) * 3 * rayon::current_num_threads();
        match (size_of::<T>(), fills) {
            (4, true) => self.blocks::<P, 64>(series, start, hold, level, task, out, pools),
            (4, false) => self.blocks::<P, 16>(series, start, hold, level, task, out, pools),
            (_, true) => self.blocks::<P, 32>(series, start, hold, level, task, out, pools),
            (_, false) => self.blocks::<P, 8>(series, start, hold, level, task, out, pools),
        }
    }

    fn blocks<P: Pools<T>, const L: usize>(
        &self,
        series: &Series<T>,
        start: &[T],
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
        let zeros;
        let start = if start.is_empty() {
            zeros = vec![T::default(); self.len()];
            &zeros
        } else {
            start
        };
        task.expect(series.len());
        blocks.into_par_iter().with_max_len(1).try_for_each(|block| {
            let (which, out): (Vec<_>, Vec<_>) = block.into_iter().unzip();
            let lane = |l: usize| which.get(l).copied();
            let values = std::array::from_fn(|l| lane(l).map_or(&[][..], |i| series.get(i)));
            let block = Block {
                units: &self.units,
                start,
                lengths: std::array::from_fn(|l| lane(l).map(|i| series.length(i))),
                hold,
                drive: Input::new(&self.input, self.channels, values),
                pool: pools.pool::<L>(out),
                task,
            };
            dispatch::<Block<T, Input<T, L>, P::Pool<'_, L>, L>>(level, block)?;
            task.advance(which.len());
            Ok(())
        })
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
