//! Leaky integrate-and-fire neurons with weights, many sequences at a time.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::leaky::Leaky;
use super::record::{Keep, Recording, Statistic, Totals};
use super::sources::Sources;
use crate::linalg::packed::Strips;
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::random::Random;
use crate::series::Series;
use crate::task::{Stopped, Task};

/// Most sequences a thread takes through time together, so that a strip of weights is
/// fetched once for all of them.
const TOGETHER: usize = 64;

/// Weights `(neurons, inputs)` and `(neurons, neurons)`, uniform within one over the square
/// root of the number of sources.
pub fn lif_weights(neurons: usize, inputs: usize, seed: u64) -> (Array2<f64>, Array2<f64>) {
    let draw = |sources: usize, stream| {
        let (mut random, bound) = (Random::new(seed, stream), 1.0 / (sources as f64).sqrt());
        Array2::from_shape_simple_fn((neurons, sources), || random.between(-bound, bound))
    };
    (draw(inputs, 0), draw(neurons, 1))
}

/// Neurons with feed-forward and recurrent weights; the spikes of a step reach the other
/// neurons in the next: `I[t] = bias + W_in x[t] + W_rec s[t - 1]`.
///
/// The result for a sequence depends neither on those beside it nor on the number of threads.
#[derive(Clone, Debug)]
pub struct LIFNetwork<T> {
    inputs: Strips<T>,
    recurrent: Option<Strips<T>>,
    bias: Vec<T>,
    leaky: Leaky<T>,
    neurons: usize,
}

impl<T: Real> LIFNetwork<T> {
    /// Copies the weights, `(neurons, inputs)` and `(neurons, neurons)`, all finite.
    ///
    /// # Panics
    /// If the shapes do not fit together.
    pub fn new(
        inputs: ArrayView2<'_, f64>,
        recurrent: Option<ArrayView2<'_, f64>>,
        bias: &[f64],
        leaky: Leaky<T>,
    ) -> Self {
        let neurons = leaky.len();
        assert!(inputs.nrows() == neurons && bias.len() == neurons, "a row and a bias each");
        assert!(recurrent.is_none_or(|w| w.dim() == (neurons, neurons)), "a weight per pair");
        let padded = neurons.next_multiple_of(Strips::<T>::WIDTH);
        let mut bias: Vec<T> = bias.iter().map(|b| T::rounded(*b)).collect();
        bias.resize(padded, T::default());
        Self {
            inputs: Strips::new(inputs),
            recurrent: recurrent.map(Strips::new),
            bias,
            leaky: leaky.padded(padded),
            neurons,
        }
    }

    /// Number of neurons.
    pub fn len(&self) -> usize {
        self.neurons
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.neurons == 0
    }

    /// Values a step of a sequence has.
    pub fn channels(&self) -> usize {
        self.inputs.sources()
    }

    /// Spikes, and potentials if `potentials`, of every sequence from rest.
    ///
    /// # Panics
    /// If the sequences have another number of channels.
    pub fn simulate(
        &self,
        series: &Series<'_, T>,
        potentials: bool,
        level: Level,
        task: &Task,
    ) -> Result<Recording<T>, Stopped> {
        let steps: usize = (0..series.len()).map(|i| series.length(i)).sum();
        let mut spikes = vec![0; steps * self.neurons];
        let mut voltages = potentials.then(|| vec![T::default(); steps * self.neurons]);
        let mut keeps = Vec::new();
        let (mut fired, mut volts) = (spikes.as_mut_slice(), voltages.as_deref_mut());
        for i in 0..series.len() {
            let size = series.length(i) * self.neurons;
            let own = fired.split_off_mut(..size).unwrap_or_default();
            let voltage = volts.as_mut().and_then(|volts| volts.split_off_mut(..size));
            keeps.push(Keep::All(own, voltage));
        }
        self.run(series, &mut keeps, level, task)?;
        drop(keeps);
        Ok(Recording { spikes, potentials: voltages })
    }

    /// Statistics of every neuron, `(sequences, statistics, neurons)`; zeros for a sequence
    /// without a step.
    ///
    /// # Panics
    /// If the sequences have another number of channels.
    pub fn features(
        &self,
        series: &Series<'_, T>,
        statistics: &[Statistic],
        level: Level,
        task: &Task,
    ) -> Result<Vec<T>, Stopped> {
        let width = statistics.len() * self.neurons;
        let pooled = |_| Keep::Pooled(Totals::new(self.neurons, statistics));
        let mut keeps: Vec<_> = (0..series.len()).map(pooled).collect();
        self.run(series, &mut keeps, level, task)?;
        let mut out = vec![T::default(); series.len() * width];
        for (i, (keep, out)) in keeps.iter().zip(out.chunks_exact_mut(width.max(1))).enumerate() {
            let Keep::Pooled(totals) = keep else { continue };
            for (statistic, out) in statistics.iter().zip(out.chunks_exact_mut(self.neurons)) {
                totals.finish(*statistic, series.length(i), out);
            }
        }
        Ok(out)
    }

    fn run(
        &self,
        series: &Series<'_, T>,
        keeps: &mut [Keep<'_, T>],
        level: Level,
        task: &Task,
    ) -> Result<(), Stopped> {
        assert_eq!(series.channels(), self.channels(), "one channel per input");
        task.expect((0..series.len()).map(|i| series.length(i)).sum());
        let together = series.len().div_ceil(rayon::current_num_threads()).clamp(1, TOGETHER);
        keeps.par_chunks_mut(together).enumerate().try_for_each(|(i, keeps)| {
            let first = i * together;
            dispatch(level, Block { network: self, series, first, keeps, task })
        })
    }
}

/// Sequences `first..` that one thread takes through time.
struct Block<'a, 'b, T> {
    network: &'a LIFNetwork<T>,
    series: &'a Series<'a, T>,
    first: usize,
    keeps: &'a mut [Keep<'b, T>],
    task: &'a Task,
}

impl<T: Real> Kernel for Block<'_, '_, T> {
    type Output = Result<(), Stopped>;

    #[inline(always)]
    fn run<A: Arithmetic>(self) -> Result<(), Stopped> {
        let Self { network, series, first, keeps, task } = self;
        let (width, padded) = (Strips::<T>::WIDTH, network.bias.len());
        let longest = (0..keeps.len()).map(|i| series.length(first + i)).max().unwrap_or(0);
        let mut potential = vec![T::default(); keeps.len() * padded];
        let mut fired = vec![0; keeps.len() * padded];
        let mut sums = vec![T::default(); keeps.len() * width];
        let (mut input, mut spikes) = (Sources::default(), Sources::default());
        let mut active: Vec<usize> = (0..keeps.len()).collect();
        for step in 0..longest {
            active.retain(|i| step < series.length(first + i));
            input.take(
                network.channels(),
                active.iter().map(|i| {
                    &series.get(first + i)[step * network.channels()..][..network.channels()]
                }),
            );
            if network.recurrent.is_some() {
                let rows = active.iter().map(|i| &fired[i * padded..][..network.neurons]);
                spikes.take_spikes(network.neurons, rows);
            }
            let sums = &mut sums[..active.len() * width];
            for strip in 0..padded / width {
                task.check()?;
                let from = strip * width;
                for sums in sums.chunks_exact_mut(width) {
                    sums.copy_from_slice(&network.bias[from..from + width]);
                }
                input.add::<A>(&network.inputs, strip, sums);
                if let Some(recurrent) = &network.recurrent {
                    spikes.add::<A>(recurrent, strip, sums);
                }
                for (i, sums) in active.iter().zip(sums.chunks_exact(width)) {
                    let at = i * padded + from;
                    network.leaky.step(from, sums, &mut potential[at..], &mut fired[at..]);
                }
            }
            for i in &active {
                let neurons = i * padded..i * padded + network.neurons;
                keeps[*i].observe(step, &fired[neurons.clone()], &potential[neurons]);
            }
            task.advance(active.len());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::leaky::Reset;
    use super::*;

    fn network(neurons: usize, inputs: usize, threshold: f64) -> LIFNetwork<f64> {
        let (w_in, w_rec) = lif_weights(neurons, inputs, 3);
        let (w_in, w_rec) = (w_in * 4.0, w_rec * 3.0);
        let leaky = Leaky::new(&vec![0.9; neurons], &vec![threshold; neurons], Reset::Subtract);
        LIFNetwork::new(w_in.view(), Some(w_rec.view()), &vec![0.05; neurons], leaky)
    }

    #[test]
    fn a_sequence_gives_the_same_alone_and_beside_others_on_every_level() {
        // A low threshold makes the dense product the quicker one, a high one the sparse.
        for threshold in [-0.5, 0.2, 2.0] {
            let net = network(133, 5, threshold);
            let mut random = Random::new(1, 0);
            let values = Array2::from_shape_simple_fn((90, 5), || random.normal());
            let lengths = [30, 0, 17, 43];
            let series = Series::new(values.view(), &lengths).unwrap();
            let (best, task) = (Level::current(), Task::new());
            let all = net.simulate(&series, true, best, &task).unwrap();
            let portable = net.simulate(&series, true, Level::Portable, &task).unwrap();
            assert_eq!(all.spikes, portable.spikes);
            assert!(all.spikes.contains(&1), "threshold {threshold}");
            let mut begin = 0;
            for length in lengths {
                let own = values.slice(ndarray::s![begin..begin + length, ..]);
                let own = Series::new(own, &[length]).unwrap();
                let alone = net.simulate(&own, true, best, &task).unwrap();
                let range = begin * 133..(begin + length) * 133;
                assert_eq!(alone.spikes, all.spikes[range.clone()]);
                assert_eq!(alone.potentials.unwrap(), all.potentials.as_ref().unwrap()[range]);
                begin += length;
            }
        }
    }

    #[test]
    fn a_stopped_network_stops() {
        let task = Task::new();
        task.stop();
        let values = Array2::zeros((3, 2));
        let series = Series::new(values.view(), &[3]).unwrap();
        let stopped = network(4, 2, 1.0).simulate(&series, false, Level::current(), &task);
        assert_eq!(stopped.err(), Some(Stopped));
    }
}
