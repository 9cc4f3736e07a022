use ndarray::ArrayView2;
use numpy::{Element, IntoPyArray, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use super::boundary::{Limits, run};
use super::errors::InvalidParameterError;
use super::reservoir::{Values, other_precision};
use crate::linalg::real::Real;
use crate::linalg::simd::Level;
use crate::reservoir::ReservoirError;
use crate::series::Series;
use crate::spiking::{self, Leaky, Reset, Statistic};

type Matrix<'py> = Bound<'py, PyArray2<f64>>;
type Recording<'py> = (Bound<'py, PyAny>, Option<Bound<'py, PyAny>>);

/// Input weights `(neurons, inputs)` and recurrent weights `(neurons, neurons)`.
#[pyfunction]
pub(crate) fn draw_lif_weights(
    py: Python<'_>,
    neurons: usize,
    inputs: usize,
    seed: u64,
) -> (Matrix<'_>, Matrix<'_>) {
    let (inputs, recurrent) = py.detach(|| spiking::lif_weights(neurons, inputs, seed));
    (inputs.into_pyarray(py), recurrent.into_pyarray(py))
}

/// Neurons with their weights laid out for the kernels, in one precision.
#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct LIFNetwork(Precision);

enum Precision {
    Single(spiking::LIFNetwork<f32>),
    Double(spiking::LIFNetwork<f64>),
}

#[pymethods]
impl LIFNetwork {
    #[new]
    #[pyo3(signature = (inputs, recurrent, bias, beta, threshold, reset, single))]
    fn new(
        py: Python<'_>,
        inputs: PyReadonlyArray2<'_, f64>,
        recurrent: Option<PyReadonlyArray2<'_, f64>>,
        bias: PyReadonlyArray1<'_, f64>,
        beta: PyReadonlyArray1<'_, f64>,
        threshold: PyReadonlyArray1<'_, f64>,
        reset: &str,
        single: bool,
    ) -> PyResult<Self> {
        let inputs = inputs.as_array();
        let recurrent = recurrent.as_ref().map(|weights| weights.as_array());
        let (bias, beta, threshold) = (bias.as_slice()?, beta.as_slice()?, threshold.as_slice()?);
        let n = inputs.nrows();
        if inputs.is_empty()
            || recurrent.is_some_and(|weights| weights.dim() != (n, n))
            || [bias, beta, threshold].iter().any(|values| values.len() != n)
        {
            return Err(InvalidParameterError::new_err(
                "weights must be (neurons, inputs) and (neurons, neurons), bias, beta and \
                 threshold one per neuron",
            ));
        }
        let reset = Reset::ALL.into_iter().find(|r| r.name() == reset).ok_or_else(|| {
            let known = Reset::ALL.map(Reset::name);
            InvalidParameterError::new_err(format!("reset must be among {known:?}, got {reset:?}"))
        })?;
        Ok(Self(py.detach(|| {
            if single {
                let leaky = Leaky::new(beta, threshold, reset);
                Precision::Single(spiking::LIFNetwork::new(inputs, recurrent, bias, leaky))
            } else {
                let leaky = Leaky::new(beta, threshold, reset);
                Precision::Double(spiking::LIFNetwork::new(inputs, recurrent, bias, leaky))
            }
        })))
    }

    /// Spikes, and potentials if `potentials`, `(sum of lengths, neurons)`.
    fn simulate<'py>(
        &self,
        py: Python<'py>,
        values: Values<'py>,
        lengths: Vec<usize>,
        potentials: bool,
        limits: Limits,
    ) -> PyResult<Recording<'py>> {
        match (&self.0, values) {
            (Precision::Single(n), Values::Single(v)) => {
                simulate(py, n, v.as_array(), &lengths, potentials, &limits)
            }
            (Precision::Double(n), Values::Double(v)) => {
                simulate(py, n, v.as_array(), &lengths, potentials, &limits)
            }
            _ => other_precision(),
        }
    }

    /// Statistics of every neuron, `(len(lengths), len(statistics) * neurons)`.
    fn features<'py>(
        &self,
        py: Python<'py>,
        values: Values<'py>,
        lengths: Vec<usize>,
        statistics: Vec<String>,
        limits: Limits,
    ) -> PyResult<Bound<'py, PyAny>> {
        let statistics = statistics.iter().map(|s| statistic(s)).collect::<PyResult<Vec<_>>>()?;
        match (&self.0, values) {
            (Precision::Single(n), Values::Single(v)) => {
                features(py, n, v.as_array(), &lengths, &statistics, &limits)
            }
            (Precision::Double(n), Values::Double(v)) => {
                features(py, n, v.as_array(), &lengths, &statistics, &limits)
            }
            _ => other_precision(),
        }
    }
}

fn simulate<'py, T: Real + Element>(
    py: Python<'py>,
    network: &spiking::LIFNetwork<T>,
    values: ArrayView2<T>,
    lengths: &[usize],
    potentials: bool,
    limits: &Limits,
) -> PyResult<Recording<'py>> {
    let shape = [values.nrows(), network.len()];
    let recording = run(py, limits, |task| -> Result<_, ReservoirError> {
        let series = fitting(network, values, lengths)?;
        Ok(network.simulate(&series, potentials, Level::current(), task)?)
    })?;
    let spikes = recording.spikes.into_pyarray(py).reshape(shape)?.into_any();
    let potentials = recording.potentials.map(|v| v.into_pyarray(py).reshape(shape)).transpose()?;
    Ok((spikes, potentials.map(Bound::into_any)))
}

fn features<'py, T: Real + Element>(
    py: Python<'py>,
    network: &spiking::LIFNetwork<T>,
    values: ArrayView2<T>,
    lengths: &[usize],
    statistics: &[Statistic],
    limits: &Limits,
) -> PyResult<Bound<'py, PyAny>> {
    let shape = [lengths.len(), statistics.len() * network.len()];
    let features = run(py, limits, |task| -> Result<_, ReservoirError> {
        let series = fitting(network, values, lengths)?;
        Ok(network.features(&series, statistics, Level::current(), task)?)
    })?;
    Ok(features.into_pyarray(py).reshape(shape)?.into_any())
}

/// The sequences, if they have one channel per input.
fn fitting<'a, T: Real>(
    network: &spiking::LIFNetwork<T>,
    values: ArrayView2<'a, T>,
    lengths: &[usize],
) -> Result<Series<'a, T>, ReservoirError> {
    let (expected, got) = (network.channels(), values.ncols());
    if expected != got {
        return Err(ReservoirError::WrongSize { name: "values", unit: "channels", expected, got });
    }
    Ok(Series::new(values, lengths)?)
}

fn statistic(name: &str) -> PyResult<Statistic> {
    Statistic::ALL.into_iter().find(|s| s.name() == name).ok_or_else(|| {
        let known = Statistic::ALL.map(Statistic::name);
        InvalidParameterError::new_err(format!("pooling must be among {known:?}, got {name:?}"))
    })
}
