use super::block::{Drive, Pool};
use super::lanes::Lanes;
use super::recurrent::Recurrent;
use crate::linalg::simd::{Arithmetic, Kernel};
use crate::task::{Stopped, Task};

/// How much of a synaptic current is left after a step.
const SYNAPSE: f32 = 0.5;
/// Series of a block that one register holds. Results pass through a local array of so many,
/// since two rows might be the same, for all LLVM knows.
const W: usize = 16;

/// Leaky integrators that spike where potential and synaptic current pass a threshold.
/// The potential is not reset: resetting scored lower.
#[derive(Clone, Debug)]
pub struct LiquidUnits {
    decay: Vec<f32>,
    synapses: Option<(Recurrent<f32>, Vec<f32>)>,
}

impl LiquidUnits {
    /// Units that never spike; their state is the potential.
    pub fn silent(decay: &[f64]) -> Self {
        Self { decay: decay.iter().map(|d| *d as f32).collect(), synapses: None }
    }

    /// Spiking units; their state is one in a step with a spike, else zero.
    pub fn new(decay: &[f64], recurrent: Recurrent<f32>, thresholds: Vec<f32>) -> Self {
        Self { synapses: Some((recurrent, thresholds)), ..Self::silent(decay) }
    }
}

/// One block of series through a liquid.
#[derive(Debug)]
pub(super) struct LiquidBlock<'a, D, P, const L: usize> {
    pub(super) units: &'a LiquidUnits,
    pub(super) lengths: [Option<usize>; L],
    pub(super) drive: D,
    pub(super) pool: P,
    pub(super) task: &'a Task,
}

impl<D: Drive<f32, L>, P: Pool<f32, L>, const L: usize> Kernel for LiquidBlock<'_, D, P, L> {
    type Output = Result<P, Stopped>;

    #[inline(always)]
    fn run<A: Arithmetic>(self) -> Result<P, Stopped> {
        let Self { units, lengths, mut drive, mut pool, task } = self;
        let n = units.decay.len();
        let mut potential = Lanes::<f32, L>::zeros(n);
        let mut current = Lanes::zeros(n);
        let mut synapse = Lanes::zeros(n);
        let mut spikes = Lanes::zeros(n);
        let longest = lengths.iter().flatten().max().copied().unwrap_or(0);
        for step in 0..=longest {
            for lane in 0..L {
                if lengths[lane] == Some(step) {
                    pool.finish(lane, step, &spikes);
                }
            }
            if step == longest {
                break;
            }
            task.check()?;
            drive.fill::<A>(step, &mut current);
            for ((potential, current), decay) in
                potential.iter_mut().zip(&current).zip(&units.decay)
            {
                let lanes = potential.0.as_chunks_mut::<W>().0.iter_mut();
                for (out, current) in lanes.zip(current.0.as_chunks::<W>().0) {
                    let mut lanes = *out;
                    for l in 0..W {
                        lanes[l] = A::mul_add32(*decay, lanes[l], (1.0 - decay) * current[l]);
                    }
                    *out = lanes;
                }
            }
            let Some((recurrent, thresholds)) = &units.synapses else {
                pool.observe::<A>(step, &potential);
                continue;
            };
            for row in &mut synapse {
                for l in 0..L {
                    row.0[l] *= SYNAPSE;
                }
            }
            recurrent.add::<A, L>(&spikes, &mut synapse, task)?;
            for (((spike, potential), synapse), threshold) in
                spikes.iter_mut().zip(&potential).zip(&synapse).zip(thresholds)
            {
                let [potential, synapse] = [potential, synapse].map(|x| x.0.as_chunks::<W>().0);
                let lanes = potential.iter().zip(synapse);
                for ((potential, synapse), out) in lanes.zip(spike.0.as_chunks_mut::<W>().0) {
                    let mut lanes = [0.0; W];
                    for l in 0..W {
                        let above = potential[l] + synapse[l] > *threshold;
                        lanes[l] = if above { 1.0 } else { 0.0 };
                    }
                    *out = lanes;
                }
            }
            pool.observe::<A>(step, &spikes);
        }
        Ok(pool)
    }
}
