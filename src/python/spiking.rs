use numpy::{IntoPyArray, PyArray1, PyArray2, PyArray3, PyArrayMethods};
use numpy::{PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use rayon::prelude::*;

use super::boundary::{Limits, run};
use super::errors::InvalidParameterError;
use crate::linalg::simd::Level;
use crate::spiking::{self, Membrane, Neurons, Plasticity, Presentation, Response};
use crate::task::Stopped;

type Matrix<'py> = Bound<'py, PyArray2<f64>>;
type Learned<'py> = (Matrix<'py>, Bound<'py, PyArray2<i8>>, Bound<'py, PyArray1<f64>>);

/// Synaptic weights `(inputs, neurons)` and lateral weights `(neurons, neurons)`.
#[pyfunction]
pub(crate) fn draw_spiking_weights(
    py: Python<'_>,
    neurons: usize,
    inputs: usize,
    seed: u64,
) -> (Matrix<'_>, Matrix<'_>) {
    let (synaptic, lateral) = py.detach(|| spiking::spiking_weights(neurons, inputs, seed));
    (synaptic.into_pyarray(py), lateral.into_pyarray(py))
}

/// Spike times in ms, one sorted train per number.
#[pyfunction]
pub(crate) fn encode_spikes(energy: Vec<f64>, duration: f64, seed: u64) -> Vec<Vec<f64>> {
    spiking::encode(&energy, duration, seed)
}

fn neurons(
    synaptic: &PyReadonlyArray2<'_, f64>,
    lateral: &PyReadonlyArray2<'_, f64>,
    (threshold, tau_membrane, tau_synapse): (f64, f64, f64),
) -> PyResult<Neurons> {
    let (synaptic, lateral) = (synaptic.as_array(), lateral.as_array());
    let (inputs, count) = synaptic.dim();
    if inputs == 0 || count == 0 || lateral.dim() != (count, count) {
        return Err(InvalidParameterError::new_err(format!(
            "weights must be (inputs, neurons) and (neurons, neurons), got {:?} and {:?}",
            synaptic.shape(),
            lateral.shape()
        )));
    }
    let membrane = Membrane { threshold, tau_membrane, tau_synapse };
    Ok(Neurons::new(synaptic, lateral, membrane))
}

fn check(times: &[f64], counts: &[usize], inputs: usize) -> PyResult<()> {
    if counts.len().is_multiple_of(inputs) && counts.iter().sum::<usize>() == times.len() {
        return Ok(());
    }
    Err(InvalidParameterError::new_err("counts must be one per input and sum to the times"))
}

/// Spikes `(samples, neurons, steps)` and last potentials `(samples, neurons)`; `counts` has
/// one entry per sample and input.
#[pyfunction]
pub(crate) fn simulate_spikes<'py>(
    py: Python<'py>,
    synaptic: PyReadonlyArray2<'py, f64>,
    lateral: PyReadonlyArray2<'py, f64>,
    membrane: (f64, f64, f64),
    times: PyReadonlyArray1<'py, f64>,
    counts: Vec<usize>,
    steps: usize,
    dt: f64,
    limits: Limits,
) -> PyResult<(Bound<'py, PyArray3<i8>>, Matrix<'py>)> {
    let inputs = synaptic.as_array().nrows();
    let neurons = neurons(&synaptic, &lateral, membrane)?;
    let times = times.as_slice()?;
    check(times, &counts, inputs)?;
    let mut shown = Vec::new();
    let mut rest = times;
    for counts in counts.chunks_exact(inputs) {
        let (own, others) = rest.split_at(counts.iter().sum());
        shown.push(Presentation { times: own, counts, steps, dt });
        rest = others;
    }
    let responses = run(py, &limits, |task| -> Result<Vec<Response>, Stopped> {
        task.expect(shown.len());
        let respond = |shown: &Presentation<'_>| {
            let response = neurons.simulate(shown, Level::current(), task)?;
            task.advance(1);
            Ok(response)
        };
        shown.par_iter().map(respond).collect()
    })?;
    let (samples, n) = (responses.len(), neurons.len());
    let potentials: Vec<f64> = responses.iter().flat_map(|r| r.potential.iter().copied()).collect();
    let spikes: Vec<i8> = responses.into_iter().flat_map(|r| r.spikes).collect();
    Ok((
        spikes.into_pyarray(py).reshape([samples, n, steps])?,
        potentials.into_pyarray(py).reshape([samples, n])?,
    ))
}

/// Rate and bursts of every neuron for every row, `(rows, 2 * neurons)`.
#[pyfunction]
pub(crate) fn spiking_features<'py>(
    py: Python<'py>,
    synaptic: PyReadonlyArray2<'py, f64>,
    lateral: PyReadonlyArray2<'py, f64>,
    membrane: (f64, f64, f64),
    energies: PyReadonlyArray2<'py, f64>,
    duration: f64,
    steps: usize,
    dt: f64,
    seed: u64,
    limits: Limits,
) -> PyResult<Matrix<'py>> {
    let energies = energies.as_array();
    let neurons = neurons(&synaptic, &lateral, membrane)?;
    if energies.ncols() != synaptic.as_array().nrows() {
        return Err(InvalidParameterError::new_err("energies must have one column per input"));
    }
    let features = run(py, &limits, |task| {
        neurons.features(energies, duration, (steps, dt), seed, Level::current(), task)
    })?;
    features.into_pyarray(py).reshape([energies.nrows(), 2 * neurons.len()])
}

/// Weights after learning, spikes `(neurons, steps)` and last potentials.
#[pyfunction]
pub(crate) fn learn_spikes<'py>(
    py: Python<'py>,
    synaptic: PyReadonlyArray2<'py, f64>,
    lateral: PyReadonlyArray2<'py, f64>,
    membrane: (f64, f64, f64),
    rule: (f64, f64, f64, f64, f64, f64),
    times: PyReadonlyArray1<'py, f64>,
    counts: Vec<usize>,
    steps: usize,
    dt: f64,
    limits: Limits,
) -> PyResult<Learned<'py>> {
    let inputs = synaptic.as_array().nrows();
    let mut neurons = neurons(&synaptic, &lateral, membrane)?;
    let (potentiation, depression, tau_plus, tau_minus, low, high) = rule;
    let rule = Plasticity { potentiation, depression, tau_plus, tau_minus, low, high };
    let times = times.as_slice()?;
    check(times, &counts, inputs)?;
    if counts.len() != inputs {
        return Err(InvalidParameterError::new_err("learning takes one presentation at a time"));
    }
    let shown = Presentation { times, counts: &counts, steps, dt };
    let response = run(py, &limits, |task| rule.learn(&mut neurons, &shown, task))?;
    let n = neurons.len();
    Ok((
        neurons.synaptic().to_vec().into_pyarray(py).reshape([inputs, n])?,
        response.spikes.into_pyarray(py).reshape([n, steps])?,
        response.potential.into_pyarray(py),
    ))
}
