//! Reservoirs driven through delay lines, pooled over time: features of whole series.

use std::sync::Arc;

use ndarray::Array2;
use rayon::prelude::*;

use super::block::{Block, Drive, Pool};
use super::delay_line::DelayLine;
use super::error::ReservoirError;
use super::leaky::Leaky;
use super::liquid::{LiquidBlock, LiquidUnits};
use super::recurrent::Recurrent;
use super::sampled::Sampled;
use super::statistics::{Statistic, Statistics};
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::linalg::spectral::spectral_radius;
use crate::random::Random;
use crate::series::Series;
use crate::task::{Stopped, Task};

/// What is taken of each unit: how long, how long in one go and how often it was above its
/// threshold, over the length of the series.
const POOLED: [Statistic; 3] = [Statistic::Ppv, Statistic::Lspv, Statistic::Crossings];
/// Series from which scales and thresholds are taken.
const SAMPLED: usize = 32;

/// Parameters of [`Driven::echo_state`].
#[derive(Clone, Debug)]
pub struct EchoState {
    /// Units.
    pub units: usize,
    /// Spectral radius of the recurrent weights.
    pub spectral_radius: f64,
    /// Recurrent inputs of each unit.
    pub degree: usize,
    /// Standard deviation of the input current.
    pub input_scaling: f64,
    /// Bounds of the leak, drawn log-uniform.
    pub leak: (f64, f64),
}

/// Parameters of [`Driven::liquid`].
#[derive(Clone, Debug)]
pub struct Liquid {
    /// Units.
    pub units: usize,
    /// Recurrent inputs of each unit.
    pub degree: usize,
    /// Strength of the recurrent synapses, in standard deviations of the potential.
    pub strength: f64,
    /// Share of excitatory synapses.
    pub excitatory: f64,
}

/// All numbers of a [`Driven`] reservoir, one row per unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// Spiking units; else leaky ones.
    pub liquid: bool,
    /// Channels of the series it reads.
    pub channels: usize,
    /// Dilation, channel and three peaks.
    pub taps: Vec<[u32; 5]>,
    /// Factor of the input current.
    pub scales: Vec<f32>,
    /// Leak of a leaky unit, decay of the potential of a spiking one.
    pub leak: Vec<f64>,
    /// Bias of a leaky unit.
    pub bias: Vec<f64>,
    /// Sources of recurrent inputs, in ascending order.
    pub sources: Array2<u32>,
    /// Weights of recurrent inputs.
    pub weights: Array2<f32>,
    /// State that counts as active; for a spiking unit the one at which it fires.
    pub thresholds: Vec<f32>,
}

/// A reservoir whose scales and thresholds were taken from some series.
#[derive(Clone, Debug)]
pub struct Driven {
    parts: Parts,
    line: DelayLine,
    units: Units,
    /// Of the states that are pooled.
    thresholds: Vec<f32>,
}

#[derive(Clone, Debug)]
pub(super) enum Units {
    Leaky(Leaky<f32>),
    Liquid(LiquidUnits),
}

impl Driven {
    /// Leaky tanh units (Jaeger, 2001), each with a leak of its own.
    pub fn echo_state(
        parameters: &EchoState,
        series: &Series<f32>,
        seed: u64,
        level: Level,
        task: &Task,
    ) -> Result<Self, ReservoirError> {
        let mut random = Random::new(seed, 0);
        let units = parameters.units;
        let (sources, mut weights) = sparse(units, parameters.degree, &mut random, Random::normal);
        let mut dense = Array2::<f32>::zeros((units, units));
        for ((i, k), weight) in weights.indexed_iter() {
            dense[(i, sources[(i, k)] as usize)] = *weight;
        }
        let radius = spectral_radius(dense.view(), level, task)?;
        if radius > 0.0 {
            weights *= (parameters.spectral_radius / radius) as f32;
        }
        let bias: Vec<f64> = (0..units).map(|_| random.between(-0.2, 0.2)).collect();
        let (low, high) = (parameters.leak.0.ln(), parameters.leak.1.ln());
        let leak: Vec<f64> = (0..units).map(|_| random.between(low, high).exp()).collect();
        let mut line = DelayLine::new(units, series.channels(), median_length(series), &mut random);
        let sample = random.distinct(series.len(), SAMPLED);
        let currents = Sampled::of(&line, None, series, &sample, level, task)?;
        let spread = currents.deviations();
        line.rescale(spread.iter().map(|s| parameters.input_scaling / (s + 1e-9)));
        let leaky = Units::leaky(&sources, &weights, &leak, &bias);
        let states = Sampled::of(&line, Some(&leaky), series, &sample, level, task)?;
        let thresholds = states.quantiles(&mut random);
        Ok(Self::from_parts(Parts {
            liquid: false,
            channels: series.channels(),
            taps: line.taps(),
            scales: line.scales(),
            leak,
            bias,
            sources,
            weights,
            thresholds,
        }))
    }

    /// Leaky integrators that spike above a threshold and excite or inhibit each other
    /// through decaying synapses (after Maass, Natschläger and Markram, 2002).
    pub fn liquid(
        parameters: &Liquid,
        series: &Series<f32>,
        seed: u64,
        level: Level,
        task: &Task,
    ) -> Result<Self, ReservoirError> {
        let mut random = Random::new(seed, 0);
        let units = parameters.units;
        let line = DelayLine::new(units, series.channels(), median_length(series), &mut random);
        let decay: Vec<f64> = (0..units).map(|_| random.between(0.0, 0.9)).collect();
        let excitatory = parameters.excitatory;
        let (sources, mut weights) = sparse(units, parameters.degree, &mut random, |random| {
            // Excitation and inhibition balance where four in five synapses excite.
            let sign = if random.uniform() < excitatory { 1.0 } else { -4.0 };
            sign * random.uniform()
        });
        let sample = random.distinct(series.len(), SAMPLED);
        let silent = Units::Liquid(LiquidUnits::silent(&decay));
        let potentials = Sampled::of(&line, Some(&silent), series, &sample, level, task)?;
        let spread = potentials.deviations();
        let thresholds = potentials.quantiles(&mut random);
        let strength = parameters.strength / (parameters.degree.max(1) as f64).sqrt();
        for (mut row, spread) in weights.rows_mut().into_iter().zip(&spread) {
            row *= (strength * spread) as f32;
        }
        Ok(Self::from_parts(Parts {
            liquid: true,
            channels: series.channels(),
            taps: line.taps(),
            scales: line.scales(),
            leak: decay,
            bias: vec![0.0; units],
            sources,
            weights,
            thresholds,
        }))
    }

    /// The reservoir with exactly these numbers.
    ///
    /// # Panics
    /// If they are not as many for each.
    pub fn from_parts(parts: Parts) -> Self {
        let line = DelayLine::from_taps(parts.channels, &parts.taps, &parts.scales);
        let Parts { sources, weights, leak, bias, thresholds, .. } = &parts;
        let (units, thresholds) = if parts.liquid {
            let recurrent = Recurrent::from_rows(line.len(), rows(sources, weights));
            let units = LiquidUnits::new(leak, recurrent, thresholds.clone());
            // A spike is a state of one.
            (Units::Liquid(units), vec![0.5; line.len()])
        } else {
            (Units::leaky(sources, weights, leak, bias), thresholds.clone())
        };
        Self { parts, line, units, thresholds }
    }

    /// All its numbers.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Features per series: three per unit.
    pub fn width(&self) -> usize {
        POOLED.len() * self.line.len()
    }

    /// Writes the features of every series, `width` each, to `out`.
    ///
    /// # Panics
    /// If `out` has another size or the series another number of channels.
    pub fn features(
        &self,
        series: &Series<f32>,
        out: &mut [f32],
        level: Level,
        task: &Task,
    ) -> Result<(), Stopped> {
        assert_eq!(out.len(), series.len() * self.width(), "one row of features per series");
        assert_eq!(series.channels(), self.line.channels(), "the channels it was made for");
        let rows: Vec<_> = out.chunks_exact_mut(self.width()).collect();
        task.expect(series.len());
        if series.len() > 48 * rayon::current_num_threads() {
            self.blocks::<64>(series, rows, level, task)
        } else {
            self.blocks::<16>(series, rows, level, task)
        }
    }

    fn blocks<const L: usize>(
        &self,
        series: &Series<f32>,
        rows: Vec<&mut [f32]>,
        level: Level,
        task: &Task,
    ) -> Result<(), Stopped> {
        // Series of like length share a block, so that few lanes run on after their end.
        let mut work: Vec<_> = rows.into_iter().enumerate().collect();
        work.sort_by_key(|(i, _)| series.length(*i));
        let mut blocks = Vec::with_capacity(work.len().div_ceil(L));
        while !work.is_empty() {
            blocks.push(work.split_off(work.len().saturating_sub(L)));
        }
        blocks.into_par_iter().with_max_len(1).try_for_each(|block| {
            let (which, out): (Vec<usize>, Vec<_>) = block.into_iter().unzip();
            let pool = Statistics::new(&POOLED, &self.thresholds, out);
            run::<_, L>(&self.line, Some(&self.units), series, &which, pool, level, task)?;
            task.advance(which.len());
            Ok(())
        })
    }
}

/// Input alone, as if it were the state.
struct Passing<D, P, const L: usize> {
    lengths: [Option<usize>; L],
    units: usize,
    drive: D,
    pool: P,
}

impl<D: Drive<f32, L>, P: Pool<f32, L>, const L: usize> Kernel for Passing<D, P, L> {
    type Output = P;
    #[inline(always)]
    fn run<A: Arithmetic>(mut self) -> P {
        let mut current = super::lanes::Lanes::zeros(self.units);
        for step in 0..self.lengths.iter().flatten().max().copied().unwrap_or(0) {
            self.drive.fill::<A>(step, &mut current);
            self.pool.observe::<A>(step, &current);
        }
        self.pool
    }
}

pub(super) fn run<P: Pool<f32, L>, const L: usize>(
    line: &DelayLine,
    units: Option<&Units>,
    series: &Series<f32>,
    which: &[usize],
    pool: P,
    level: Level,
    task: &Task,
) -> Result<(), Stopped> {
    let values: Vec<&[f32]> = which.iter().map(|i| series.get(*i)).collect();
    let drive = line.drive::<L>(&values);
    let lengths = std::array::from_fn(|l| which.get(l).map(|i| series.length(*i)));
    match units {
        None => {
            dispatch(level, Passing { lengths, units: line.len(), drive, pool });
        }
        Some(Units::Leaky(units)) => {
            let start = vec![0.0; line.len()];
            dispatch(level, Block { units, start: &start, lengths, hold: 1, drive, pool, task })?;
        }
        Some(Units::Liquid(units)) => {
            dispatch(level, LiquidBlock { units, lengths, drive, pool, task })?;
        }
    }
    Ok(())
}

impl Units {
    fn leaky(sources: &Array2<u32>, weights: &Array2<f32>, leak: &[f64], bias: &[f64]) -> Self {
        let recurrent = Recurrent::from_rows(leak.len(), rows(sources, weights));
        Self::Leaky(Leaky::new(Arc::new(recurrent), leak, bias))
    }
}

/// Sources and weights of each unit, in pairs.
fn rows(sources: &Array2<u32>, weights: &Array2<f32>) -> impl Iterator<Item = Vec<(usize, f32)>> {
    sources.rows().into_iter().zip(weights.rows()).map(|(sources, weights)| {
        sources.iter().map(|j| *j as usize).zip(weights.iter().copied()).collect()
    })
}

/// For each unit `degree` different sources, in ascending order, with weights from `draw`.
fn sparse(
    units: usize,
    degree: usize,
    random: &mut Random,
    mut draw: impl FnMut(&mut Random) -> f64,
) -> (Array2<u32>, Array2<f32>) {
    let shape = (units, degree.min(units));
    let (mut sources, mut weights) = (Array2::zeros(shape), Array2::zeros(shape));
    for (mut sources, mut weights) in sources.rows_mut().into_iter().zip(weights.rows_mut()) {
        let mut drawn = random.distinct(units, degree);
        drawn.sort_unstable();
        sources.iter_mut().zip(drawn).for_each(|(slot, j)| *slot = j as u32);
        weights.mapv_inplace(|_: f32| draw(random) as f32);
    }
    (sources, weights)
}

fn median_length(series: &Series<f32>) -> usize {
    let mut lengths: Vec<usize> = (0..series.len()).map(|i| series.length(i)).collect();
    lengths.sort_unstable();
    let n = lengths.len();
    if n == 0 { 0 } else { usize::midpoint(lengths[(n - 1) / 2], lengths[n / 2]) }
}
