//! Leaky integrate-and-fire neurons.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::encoding::encode;
use crate::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use crate::random::Random;
use crate::task::{Stopped, Task};

/// How long an input spike acts, in ms.
const REACH: f64 = 10.0;
/// How long a neuron that fired inhibits the others, in ms.
const INHIBITION: f64 = 5.0;
/// Share of a lateral weight that reaches the membrane.
const LATERAL: f64 = -0.5;
/// Spikes at most this many steps apart belong to a burst.
const BURST: usize = 5;
/// Steps between two looks at the task.
pub(super) const PATIENCE: usize = 256;

/// Weights `(inputs, neurons)`, 0.1 times normal, and `(neurons, neurons)`, 0.05 times normal
/// with an empty diagonal.
pub fn spiking_weights(neurons: usize, inputs: usize, seed: u64) -> (Array2<f64>, Array2<f64>) {
    let draw = |rows, scale, stream| {
        let mut random = Random::new(seed, stream);
        Array2::from_shape_simple_fn((rows, neurons), || scale * random.normal())
    };
    let (synaptic, mut lateral) = (draw(inputs, 0.1, 0), draw(neurons, 0.05, 1));
    lateral.diag_mut().fill(0.0);
    (synaptic, lateral)
}

/// What a membrane does with current.
#[derive(Clone, Copy, Debug)]
pub struct Membrane {
    /// Potential at which a neuron fires.
    pub threshold: f64,
    /// Time constant of the potential, in ms.
    pub tau_membrane: f64,
    /// Time constant of the current after an input spike, in ms.
    pub tau_synapse: f64,
}

/// Spike trains shown to the neurons.
#[derive(Clone, Copy, Debug)]
pub struct Presentation<'a> {
    /// Spike times in ms, in ascending order, of one input after the other.
    pub times: &'a [f64],
    /// How many of them each input has.
    pub counts: &'a [usize],
    /// Steps of the simulation.
    pub steps: usize,
    /// Length of a step in ms.
    pub dt: f64,
}

/// What the neurons did.
#[derive(Clone, Debug)]
pub struct Response {
    /// 1 where a neuron fired, `(neurons, steps)`.
    pub spikes: Vec<i8>,
    /// Potentials after the last step.
    pub potential: Vec<f64>,
}

/// Neurons with their weights.
#[derive(Clone, Debug)]
pub struct Neurons {
    pub(super) synaptic: Vec<f64>,
    lateral: Vec<f64>,
    count: usize,
    membrane: Membrane,
}

impl Neurons {
    /// Copies the weights, `(inputs, neurons)` and `(neurons, neurons)`.
    ///
    /// # Panics
    /// If the shapes do not fit together.
    pub fn new(
        synaptic: ArrayView2<'_, f64>,
        lateral: ArrayView2<'_, f64>,
        membrane: Membrane,
    ) -> Self {
        let count = synaptic.ncols();
        assert_eq!(lateral.dim(), (count, count), "one lateral weight per pair of neurons");
        Self {
            synaptic: synaptic.iter().copied().collect(),
            lateral: lateral.iter().copied().collect(),
            count,
            membrane,
        }
    }

    /// Weights of the inputs, `(inputs, neurons)`, row by row.
    pub fn synaptic(&self) -> &[f64] {
        &self.synaptic
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// From rest, what the neurons do with one presentation.
    ///
    /// With time `t = step * dt` every step is
    /// `V += dt (-V / tau_membrane + sum_i w_i exp(-(t - s_i) / tau_synapse) - sum_j l_j / 2)`,
    /// where `s_i` is the newest spike of input `i` in `[t - 10, t]` and `j` every neuron that
    /// fired in the last 5 ms; then neurons at the threshold fire and return to 0.
    pub fn simulate(
        &self,
        shown: &Presentation<'_>,
        level: Level,
        task: &Task,
    ) -> Result<Response, Stopped> {
        dispatch(level, Simulation { neurons: self, shown, task })
    }

    /// Rate (spikes per 1000 steps) and number of gaps of at most 5 steps, interleaved, of
    /// each neuron for each row of `energies` encoded as spikes: `(rows, 2 * neurons)`.
    pub fn features(
        &self,
        energies: ArrayView2<'_, f64>,
        duration: f64,
        (steps, dt): (usize, f64),
        seed: u64,
        level: Level,
        task: &Task,
    ) -> Result<Vec<f64>, Stopped> {
        let width = 2 * self.count;
        let mut out = vec![0.0; energies.nrows() * width];
        task.expect(energies.nrows());
        out.par_chunks_exact_mut(width.max(1)).enumerate().try_for_each(|(i, out)| {
            let trains = encode(&energies.row(i).to_vec(), duration, seed);
            let counts: Vec<usize> = trains.iter().map(Vec::len).collect();
            let times = trains.concat();
            let shown = Presentation { times: &times, counts: &counts, steps, dt };
            let response = self.simulate(&shown, level, task)?;
            let spikes = response.spikes.chunks_exact(steps.max(1));
            for (pair, spikes) in out.chunks_exact_mut(2).zip(spikes) {
                [pair[0], pair[1]] = rate_and_bursts(spikes);
            }
            task.advance(1);
            Ok(())
        })?;
        Ok(out)
    }
}

fn rate_and_bursts(spikes: &[i8]) -> [f64; 2] {
    let (mut fired, mut bursts, mut latest) = (0, 0, None);
    for (step, _) in spikes.iter().enumerate().filter(|(_, spike)| **spike != 0) {
        fired += 1;
        bursts += usize::from(latest.is_some_and(|latest| step - latest <= BURST));
        latest = Some(step);
    }
    [1000.0 * f64::from(fired) / spikes.len() as f64, bursts as f64]
}

/// Inputs and neurons at one moment.
pub(super) struct State<'a> {
    /// Spikes that are still to come, per input.
    coming: Vec<&'a [f64]>,
    /// Newest spike of each input.
    newest: Vec<f64>,
    potential: Vec<f64>,
    current: Vec<f64>,
    /// Newest spike of each neuron.
    fired: Vec<f64>,
}

impl<'a> State<'a> {
    pub(super) fn new(neurons: usize, shown: &Presentation<'a>) -> Self {
        let mut rest = shown.times;
        let coming = shown.counts.iter().map(|count| {
            let (train, others) = rest.split_at(*count);
            rest = others;
            train
        });
        Self {
            coming: coming.collect(),
            newest: vec![f64::NEG_INFINITY; shown.counts.len()],
            potential: vec![0.0; neurons],
            current: vec![0.0; neurons],
            fired: vec![f64::NEG_INFINITY; neurons],
        }
    }

    /// Takes in the input spikes up to time `t`, in order of time; ties by input.
    #[inline(always)]
    pub(super) fn arrivals(&mut self, t: f64, arrived: &mut Vec<(f64, usize)>) {
        arrived.clear();
        for (i, coming) in self.coming.iter_mut().enumerate() {
            while let Some((time, rest)) = coming.split_first().filter(|(time, _)| **time <= t) {
                arrived.push((*time, i));
                self.newest[i] = *time;
                *coming = rest;
            }
        }
        arrived.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    }

    /// One step of the membranes; `spike` is called for each neuron that fires.
    #[inline(always)]
    pub(super) fn step(
        &mut self,
        neurons: &Neurons,
        t: f64,
        dt: f64,
        mut spike: impl FnMut(usize),
    ) {
        let n = neurons.count;
        let Membrane { threshold, tau_membrane, tau_synapse } = neurons.membrane;
        self.current.fill(0.0);
        for (newest, weights) in self.fired.iter().zip(neurons.lateral.chunks_exact(n)) {
            if *newest >= t - INHIBITION {
                self.current.iter_mut().zip(weights).for_each(|(c, w)| *c += w);
            }
        }
        self.current.iter_mut().for_each(|c| *c *= LATERAL);
        for (newest, weights) in self.newest.iter().zip(neurons.synaptic.chunks_exact(n)) {
            if *newest >= t - REACH {
                let left = (-(t - newest) / tau_synapse).exp();
                self.current.iter_mut().zip(weights).for_each(|(c, w)| *c += w * left);
            }
        }
        // Multiplied and added apart, so that spikes are the same on every machine.
        for (v, current) in self.potential.iter_mut().zip(&self.current) {
            *v += dt * (-*v / tau_membrane + current);
        }
        for (j, v) in self.potential.iter_mut().enumerate() {
            if *v >= threshold {
                *v = 0.0;
                self.fired[j] = t;
                spike(j);
            }
        }
    }

    pub(super) fn into_response(self, spikes: Vec<i8>) -> Response {
        Response { spikes, potential: self.potential }
    }
}

struct Simulation<'a> {
    neurons: &'a Neurons,
    shown: &'a Presentation<'a>,
    task: &'a Task,
}

impl Kernel for Simulation<'_> {
    type Output = Result<Response, Stopped>;
    #[inline(always)]
    fn run<A: Arithmetic>(self) -> Self::Output {
        let Self { neurons, shown, task } = self;
        let mut state = State::new(neurons.len(), shown);
        let mut spikes = vec![0; neurons.len() * shown.steps];
        let mut arrived = Vec::new();
        for step in 0..shown.steps {
            if step % PATIENCE == 0 {
                task.check()?;
            }
            let t = step as f64 * shown.dt;
            state.arrivals(t, &mut arrived);
            state.step(neurons, t, shown.dt, |j| spikes[j * shown.steps + step] = 1);
        }
        Ok(state.into_response(spikes))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_spike_charges_the_membrane_until_it_fires() {
        let membrane = Membrane { threshold: 1.0, tau_membrane: 1e300, tau_synapse: 1e300 };
        let neurons = Neurons::new(array![[0.5]].view(), array![[0.0]].view(), membrane);
        let shown = Presentation { times: &[2.0], counts: &[1], steps: 16, dt: 1.0 };
        let response = neurons.simulate(&shown, Level::current(), &Task::new()).unwrap();
        // Half a unit per step from 2 to 12 ms: full every second step.
        assert_eq!(response.spikes, [0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0]);
        assert_eq!(response.potential, [0.5]);
    }

    #[test]
    fn rate_and_bursts_count_spikes_and_short_gaps() {
        assert_eq!(
            rate_and_bursts(&[1, 0, 0, 0, 0, 1, 0, 0, 0, 0]).map(f64::to_bits),
            [200.0, 1.0].map(f64::to_bits)
        );
        assert_eq!(
            rate_and_bursts(&[1, 0, 0, 0, 0, 0, 1, 0, 0, 0]).map(f64::to_bits),
            [200.0, 0.0].map(f64::to_bits)
        );
    }
}
