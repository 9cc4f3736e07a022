//! The membrane of a leaky integrate-and-fire neuron in discrete time.

use crate::linalg::real::Real;

/// What becomes of a potential in the step after it exceeded the threshold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reset {
    /// It is lowered by the threshold: what it was above is kept.
    Subtract,
    /// It starts again from zero; the current of the step counts.
    Zero,
    /// It is zero; the current of the step is lost.
    Refractory,
    /// Nothing: the neuron goes on firing until the potential has leaked away.
    None,
}

impl Reset {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Subtract, Self::Zero, Self::Refractory, Self::None];

    /// As users spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Subtract => "subtract",
            Self::Zero => "zero",
            Self::Refractory => "refractory",
            Self::None => "none",
        }
    }
}

/// Leak, threshold and reset of neurons, `V <- beta V + I - reset`, one spike wherever
/// `V > threshold` (Eshraghian et al., 2023, "Training spiking neural networks using lessons
/// from deep learning", equation 4).
#[derive(Clone, Debug)]
pub struct Leaky<T> {
    beta: Vec<T>,
    threshold: Vec<T>,
    reset: Reset,
}

impl<T: Real> Leaky<T> {
    /// One beta and one threshold per neuron.
    ///
    /// # Panics
    /// If their numbers differ.
    pub fn new(beta: &[f64], threshold: &[f64], reset: Reset) -> Self {
        assert_eq!(beta.len(), threshold.len(), "one beta and one threshold per neuron");
        let rounded = |values: &[f64]| values.iter().map(|v| T::rounded(*v)).collect();
        Self { beta: rounded(beta), threshold: rounded(threshold), reset }
    }

    /// Number of neurons.
    pub fn len(&self) -> usize {
        self.beta.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.beta.is_empty()
    }

    /// Up to `count` neurons, the further ones such that never fire.
    pub(super) fn padded(mut self, count: usize) -> Self {
        self.beta.resize(count, T::default());
        self.threshold.resize(count, T::HIGHEST);
        self
    }

    /// One step of the neurons from `first` on: 1 in `fired` for each that fires.
    #[inline(always)]
    pub(super) fn step(&self, first: usize, current: &[T], potential: &mut [T], fired: &mut [i8]) {
        let zero = T::default();
        // One loop per rule, so that none branches.
        match self.reset {
            Reset::Subtract => {
                self.each(first, current, potential, fired, |v, i, beta, threshold| {
                    beta * v + i - if v > threshold { threshold } else { zero }
                });
            }
            Reset::Zero => {
                self.each(first, current, potential, fired, |v, i, beta, threshold| {
                    beta * if v > threshold { zero } else { v } + i
                });
            }
            Reset::Refractory => {
                self.each(first, current, potential, fired, |v, i, beta, threshold| {
                    if v > threshold { zero } else { beta * v + i }
                });
            }
            Reset::None => {
                let grows = |v, i, beta, _| beta * v + i;
                self.each(first, current, potential, fired, grows);
            }
        }
    }

    #[inline(always)]
    fn each(
        &self,
        first: usize,
        current: &[T],
        potential: &mut [T],
        fired: &mut [i8],
        rule: impl Fn(T, T, T, T) -> T,
    ) {
        let n = current.len();
        let (beta, threshold) = (&self.beta[first..first + n], &self.threshold[first..first + n]);
        let (potential, fired) = (&mut potential[..n], &mut fired[..n]);
        for i in 0..n {
            let v = rule(potential[i], current[i], beta[i], threshold[i]);
            potential[i] = v;
            fired[i] = i8::from(v > threshold[i]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(reset: Reset) -> (Vec<f64>, Vec<i8>) {
        let leaky = Leaky::<f64>::new(&[0.5], &[1.0], reset);
        let (mut v, mut fired, mut spikes) = (vec![0.0], vec![0], Vec::new());
        let potentials = [1.5, 1.0, 0.0].map(|current| {
            leaky.step(0, &[current], &mut v, &mut fired);
            spikes.push(fired[0]);
            v[0]
        });
        (potentials.to_vec(), spikes)
    }

    #[test]
    fn a_spike_resets_the_potential_in_the_next_step() {
        let table = [
            (Reset::Subtract, [1.5, 0.75, 0.375], [1, 0, 0]),
            (Reset::Zero, [1.5, 1.0, 0.5], [1, 0, 0]),
            (Reset::Refractory, [1.5, 0.0, 0.0], [1, 0, 0]),
            (Reset::None, [1.5, 1.75, 0.875], [1, 1, 0]),
        ];
        for (reset, potentials, spikes) in table {
            assert_eq!(trace(reset), (potentials.to_vec(), spikes.to_vec()), "{reset:?}");
        }
    }
}
