//! Spike-timing-dependent plasticity.

use super::lif::{Neurons, PATIENCE, Presentation, Response, State};
use crate::task::{Stopped, Task};

/// The pair rule of Song, Miller and Abbott (2000), "Competitive Hebbian learning through
/// spike-timing-dependent synaptic plasticity", for all pairs of spikes.
///
/// An input spike `d >= 0` ms before one of the neuron adds `potentiation exp(-d / tau_plus)`
/// to the weight, one `d > 0` ms after it takes `depression exp(-d / tau_minus)` away; the
/// weight stays in `low..=high` after every spike.
#[derive(Clone, Copy, Debug)]
pub struct Plasticity {
    /// Largest increase by one pair.
    pub potentiation: f64,
    /// Largest decrease by one pair.
    pub depression: f64,
    /// Time constant of increases, in ms.
    pub tau_plus: f64,
    /// Time constant of decreases, in ms.
    pub tau_minus: f64,
    /// Least weight.
    pub low: f64,
    /// Largest weight.
    pub high: f64,
}

/// The sum of `exp(-age / tau)` over all earlier spikes.
#[derive(Clone, Copy)]
struct Trace {
    value: f64,
    at: f64,
}

impl Trace {
    const SILENT: Self = Self { value: 0.0, at: 0.0 };

    fn at(self, t: f64, tau: f64) -> f64 {
        if self.value > 0.0 { self.value * (-(t - self.at) / tau).exp() } else { 0.0 }
    }

    fn spike(&mut self, t: f64, tau: f64) {
        *self = Self { value: self.at(t, tau) + 1.0, at: t };
    }
}

impl Plasticity {
    /// As [`Neurons::simulate`], the synaptic weights changing with every spike; input
    /// spikes after the last step are not seen. Stopped, it leaves some weights changed.
    pub fn learn(
        &self,
        neurons: &mut Neurons,
        shown: &Presentation<'_>,
        task: &Task,
    ) -> Result<Response, Stopped> {
        let n = neurons.len();
        let mut state = State::new(n, shown);
        let mut spikes = vec![0; n * shown.steps];
        let mut inputs = vec![Trace::SILENT; shown.counts.len()];
        let mut outputs = vec![Trace::SILENT; n];
        let (mut arrived, mut fired) = (Vec::new(), Vec::new());
        for step in 0..shown.steps {
            if step % PATIENCE == 0 {
                task.check()?;
            }
            let t = step as f64 * shown.dt;
            state.arrivals(t, &mut arrived);
            for (time, i) in &arrived {
                inputs[*i].spike(*time, self.tau_plus);
                // A neuron that fired at this very moment did so because of the spike.
                let weights = &mut neurons.synaptic[i * n..(i + 1) * n];
                for (weight, output) in weights.iter_mut().zip(&outputs) {
                    let change = self.depression * output.at(*time, self.tau_minus);
                    *weight = self.bounded(*weight - change);
                }
            }
            fired.clear();
            state.step(neurons, t, shown.dt, |j| fired.push(j));
            for j in &fired {
                spikes[j * shown.steps + step] = 1;
                outputs[*j].spike(t, self.tau_minus);
                for (i, input) in inputs.iter().enumerate() {
                    let weight = &mut neurons.synaptic[i * n + j];
                    let change = self.potentiation * input.at(t, self.tau_plus);
                    *weight = self.bounded(*weight + change);
                }
            }
        }
        Ok(state.into_response(spikes))
    }

    fn bounded(&self, weight: f64) -> f64 {
        weight.max(self.low).min(self.high)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::super::lif::Membrane;
    use super::*;

    #[test]
    fn an_input_before_the_spike_gains_and_one_after_it_loses() {
        let membrane = Membrane { threshold: 1.0, tau_membrane: 20.0, tau_synapse: 5.0 };
        let weights = array![[1.5], [0.0]];
        let mut neurons = Neurons::new(weights.view(), array![[0.0]].view(), membrane);
        let rule = Plasticity {
            potentiation: 0.1,
            depression: 0.2,
            tau_plus: 20.0,
            tau_minus: 10.0,
            low: -1.0,
            high: 2.0,
        };
        let shown = Presentation { times: &[0.0, 0.5], counts: &[1, 1], steps: 2, dt: 1.0 };
        let response = rule.learn(&mut neurons, &shown, &Task::new()).unwrap();
        assert_eq!(response.spikes, [1, 1]);
        let gained = 1.5 + 0.1 + 0.1 * (-1.0_f64 / 20.0).exp();
        let lost = -0.2 * (-0.5_f64 / 10.0).exp() + 0.1 * (-0.5_f64 / 20.0).exp();
        assert!((neurons.synaptic[0] - gained).abs() < 1e-15);
        assert!((neurons.synaptic[1] - lost).abs() < 1e-15);
    }
}
