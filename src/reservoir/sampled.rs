//! States of some series, unit by unit, from which scales and thresholds are taken.

use rayon::prelude::*;

use super::block::Pool;
use super::delay_line::DelayLine;
use super::driven::{Units, run};
use super::lanes::Lanes;
use crate::linalg::simd::{Arithmetic, Level};
use crate::random::Random;
use crate::series::Series;
use crate::task::{Stopped, Task};

/// Series side by side.
const LANES: usize = 16;

/// For each block of series, for each unit, its states in no order that matters.
pub(super) struct Sampled(Vec<Vec<Vec<f32>>>);

impl Sampled {
    /// States of the series in `which`; without `units` the currents they would get.
    pub(super) fn of(
        line: &DelayLine,
        units: Option<&Units>,
        series: &Series<f32>,
        which: &[usize],
        level: Level,
        task: &Task,
    ) -> Result<Self, Stopped> {
        let blocks = which.par_chunks(LANES).map(|which| {
            let lengths: Vec<_> = which.iter().map(|i| series.length(*i)).collect();
            let states = vec![Vec::with_capacity(lengths.iter().sum()); line.len()];
            let mut columns = Columns { lengths, states };
            run::<_, LANES>(line, units, series, which, &mut columns, level, task)?;
            Ok(columns.states)
        });
        Ok(Self(blocks.collect::<Result<_, Stopped>>()?))
    }

    /// All states of each unit.
    fn units(&self) -> impl IndexedParallelIterator<Item = Vec<f32>> {
        let units = self.0.first().map_or(0, Vec::len);
        let all = |unit: usize| self.0.iter().flat_map(|block| &block[unit]).copied().collect();
        (0..units).into_par_iter().map(all)
    }

    /// Standard deviation of the states of each unit.
    pub(super) fn deviations(&self) -> Vec<f64> {
        let deviation = |states: Vec<f32>| {
            let n = states.len().max(1) as f64;
            // Side by side, or each addition would wait for the one before.
            let mut sums = [[0.0; 8]; 2];
            for states in states.chunks(8) {
                for (l, x) in states.iter().enumerate() {
                    sums[0][l] += f64::from(*x);
                    sums[1][l] += f64::from(*x) * f64::from(*x);
                }
            }
            let [sum, squares] = sums.map(|sums| sums.iter().sum::<f64>());
            (squares / n - (sum / n) * (sum / n)).max(0.0).sqrt()
        };
        self.units().map(deviation).collect()
    }

    /// For each unit one quantile of its states; over the units the quantiles are a
    /// low-discrepancy sequence in random order.
    pub(super) fn quantiles(&self, random: &mut Random) -> Vec<f32> {
        const GOLDEN: f64 = 0.618_033_988_7;
        let units = self.0.first().map_or(0, Vec::len);
        let mut share: Vec<f64> = (1..=units).map(|i| (i as f64 * GOLDEN).fract()).collect();
        random.shuffle(&mut share);
        let quantile = |(mut states, share): (Vec<f32>, &f64)| {
            let n = states.len();
            let at = ((share * n as f64) as usize).min(n.saturating_sub(1));
            if states.is_empty() {
                return 0.0;
            }
            *states.select_nth_unstable_by(at, f32::total_cmp).1
        };
        self.units().zip(&share).map(quantile).collect()
    }
}

struct Columns {
    lengths: Vec<usize>,
    /// Per unit.
    states: Vec<Vec<f32>>,
}

impl Pool<f32, LANES> for &mut Columns {
    #[inline(always)]
    fn observe<A: Arithmetic>(&mut self, step: usize, states: &[Lanes<f32, LANES>]) {
        let all = self.lengths.len() == LANES && self.lengths.iter().all(|length| step < *length);
        for (column, state) in self.states.iter_mut().zip(states) {
            if all {
                column.extend_from_slice(&state.0);
            } else {
                let lanes = self.lengths.iter().zip(&state.0);
                column.extend(lanes.filter(|(length, _)| step < **length).map(|(_, x)| *x));
            }
        }
    }

    fn finish(&mut self, _lane: usize, _length: usize, _states: &[Lanes<f32, LANES>]) {}
}
