//! What is kept of spikes and potentials.

use crate::linalg::real::Real;

/// What to keep of a neuron over a whole sequence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Statistic {
    /// Share of the steps at which it fired.
    Rate,
    /// Step of its first spike over the number of steps; 1 if it never fired.
    Latency,
    /// Mean of its potential.
    Potential,
}

impl Statistic {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rate, Self::Latency, Self::Potential];

    /// As users spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Latency => "latency",
            Self::Potential => "potential",
        }
    }
}

/// Spikes, and potentials if wanted, of all steps of all sequences: `(steps, neurons)`.
#[derive(Clone, Debug)]
pub struct Recording<T> {
    /// 1 where a neuron fired.
    pub spikes: Vec<i8>,
    /// Potentials after each step.
    pub potentials: Option<Vec<T>>,
}

/// What becomes of the spikes and potentials of one sequence.
pub(super) enum Keep<'a, T> {
    All(&'a mut [i8], Option<&'a mut [T]>),
    Pooled(Totals),
}

impl<T: Real> Keep<'_, T> {
    #[inline(always)]
    pub(super) fn observe(&mut self, step: usize, fired: &[i8], potential: &[T]) {
        match self {
            Self::All(spikes, potentials) => {
                let n = fired.len();
                spikes[step * n..(step + 1) * n].copy_from_slice(fired);
                if let Some(potentials) = potentials {
                    potentials[step * n..(step + 1) * n].copy_from_slice(potential);
                }
            }
            Self::Pooled(totals) => totals.observe(step, fired, potential),
        }
    }
}

/// One entry per neuron each; empty if no statistic asks for it.
pub(super) struct Totals {
    spikes: Vec<u32>,
    first: Vec<u32>,
    potential: Vec<f64>,
}

impl Totals {
    pub(super) fn new(neurons: usize, statistics: &[Statistic]) -> Self {
        let wanted = |statistic| if statistics.contains(&statistic) { neurons } else { 0 };
        Self {
            spikes: vec![0; wanted(Statistic::Rate)],
            first: vec![u32::MAX; wanted(Statistic::Latency)],
            potential: vec![0.0; wanted(Statistic::Potential)],
        }
    }

    #[inline(always)]
    fn observe<T: Real>(&mut self, step: usize, fired: &[i8], potential: &[T]) {
        for (spikes, fired) in self.spikes.iter_mut().zip(fired) {
            *spikes += *fired as u32;
        }
        for (first, fired) in self.first.iter_mut().zip(fired) {
            *first = (*first).min(if *fired == 0 { u32::MAX } else { step as u32 });
        }
        for (sum, v) in self.potential.iter_mut().zip(potential) {
            *sum += v.wide();
        }
    }

    /// `statistic` of every neuron after `steps`; zeros if there was none.
    pub(super) fn finish<T: Real>(&self, statistic: Statistic, steps: usize, out: &mut [T]) {
        if steps == 0 {
            return;
        }
        let share = |count: u32| f64::from(count) / steps as f64;
        for (i, out) in out.iter_mut().enumerate() {
            *out = T::rounded(match statistic {
                Statistic::Rate => share(self.spikes[i]),
                Statistic::Latency if self.first[i] == u32::MAX => 1.0,
                Statistic::Latency => share(self.first[i]),
                Statistic::Potential => self.potential[i] / steps as f64,
            });
        }
    }
}
