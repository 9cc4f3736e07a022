use ndarray::ArrayView2;
use numpy::{Element, IntoPyArray, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use super::arguments::count;
use super::boundary::{KernelError, Limits, run};
use super::errors::InvalidParameterError;
use crate::linalg::real::Real;
use crate::linalg::simd::Level;
use crate::linalg::spectral;
use crate::reservoir::{self, Network, ReservoirError, Statistic};
use crate::series::Series;
use crate::task::Task;

impl KernelError for ReservoirError {
    fn is_stopped(&self) -> bool {
        matches!(self, Self::Stopped(_))
    }
}

/// Largest modulus of an eigenvalue of `matrix`.
#[pyfunction]
pub(crate) fn spectral_radius(
    py: Python<'_>,
    matrix: PyReadonlyArray2<'_, f64>,
    limits: Limits,
) -> PyResult<f64> {
    let matrix = matrix.as_array();
    run(py, &limits, |task| -> Result<f64, ReservoirError> {
        Ok(spectral::spectral_radius(matrix, Level::current(), task)?)
    })
}

/// Input weights of a reservoir, `(units, channels)`.
#[pyfunction]
pub(crate) fn draw_input_weights(
    py: Python<'_>,
    units: i64,
    channels: i64,
    scale: f64,
    seed: u64,
) -> PyResult<Bound<'_, PyArray2<f64>>> {
    let (units, channels) = (count("units", units)?, count("channels", channels)?);
    let weights = py.detach(|| reservoir::input_weights(units, channels, scale, seed));
    Ok(weights.into_pyarray(py))
}

/// Recurrent weights of an echo state network, `(units, units)`.
#[pyfunction]
pub(crate) fn draw_echo_state_weights(
    py: Python<'_>,
    units: i64,
    radius: f64,
    drop: f64,
    seed: u64,
    limits: Limits,
) -> PyResult<Bound<'_, PyArray2<f64>>> {
    let units = count("units", units)?;
    let weights = run(py, &limits, |task| {
        reservoir::echo_state_weights(units, radius, drop, seed, Level::current(), task)
    })?;
    Ok(weights.into_pyarray(py))
}

/// Recurrent weights of a liquid state machine, `(units, units)`.
#[pyfunction]
pub(crate) fn draw_liquid_weights(
    py: Python<'_>,
    units: i64,
    probability: f64,
    seed: u64,
    limits: Limits,
) -> PyResult<Bound<'_, PyArray2<f64>>> {
    let units = count("units", units)?;
    let weights = run(py, &limits, |task| -> Result<_, ReservoirError> {
        Ok(reservoir::liquid_weights(units, probability, seed, task)?)
    })?;
    Ok(weights.into_pyarray(py))
}

/// Weights laid out for the kernels; single or double precision is that of the data
/// they are called with.
#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct Reservoir(Precision);

enum Precision {
    Single(Network<f32>),
    Double(Network<f64>),
}

#[derive(FromPyObject)]
pub(crate) enum Values<'py> {
    Single(PyReadonlyArray2<'py, f32>),
    Double(PyReadonlyArray2<'py, f64>),
}

#[derive(FromPyObject)]
pub(crate) enum Vector<'py> {
    Single(PyReadonlyArray1<'py, f32>),
    Double(PyReadonlyArray1<'py, f64>),
}

pub(super) fn other_precision<T>() -> PyResult<T> {
    Err(InvalidParameterError::new_err("weights and values must have one dtype"))
}

#[pymethods]
impl Reservoir {
    #[new]
    fn new(
        py: Python<'_>,
        inputs: PyReadonlyArray2<'_, f64>,
        recurrent: PyReadonlyArray2<'_, f64>,
        single: bool,
    ) -> PyResult<Self> {
        let (input, recurrent) = (inputs.as_array(), recurrent.as_array());
        if recurrent.dim() != (input.nrows(), input.nrows()) || input.ncols() == 0 {
            return Err(InvalidParameterError::new_err(format!(
                "weights must be (units, inputs) and (units, units), got {:?} and {:?}",
                input.shape(),
                recurrent.shape()
            )));
        }
        Ok(Self(py.detach(|| {
            if single {
                Precision::Single(Network::new(input, recurrent))
            } else {
                Precision::Double(Network::new(input, recurrent))
            }
        })))
    }

    /// All states, `(sum of lengths, units)`.
    fn states<'py>(
        &self,
        py: Python<'py>,
        values: Values<'py>,
        lengths: Vec<usize>,
        leak: f64,
        bias: f64,
        hold: usize,
        limits: Limits,
    ) -> PyResult<Bound<'py, PyAny>> {
        let work = States { lengths, leak, bias, hold, limits };
        match (&self.0, values) {
            (Precision::Single(n), Values::Single(v)) => work.run(py, n, v.as_array()),
            (Precision::Double(n), Values::Double(v)) => work.run(py, n, v.as_array()),
            _ => other_precision(),
        }
    }

    /// Pooled states, `(len(lengths), len(pooling) * units)`.
    fn features<'py>(
        &self,
        py: Python<'py>,
        values: Values<'py>,
        lengths: Vec<usize>,
        pooling: Vec<String>,
        thresholds: Vec<f64>,
        leak: f64,
        bias: f64,
        hold: usize,
        limits: Limits,
    ) -> PyResult<Bound<'py, PyAny>> {
        let pooling = pooling.iter().map(|name| statistic(name)).collect::<PyResult<_>>()?;
        let work = States { lengths, leak, bias, hold, limits };
        let work = Features { work, pooling, thresholds };
        match (&self.0, values) {
            (Precision::Single(n), Values::Single(v)) => work.run(py, n, v.as_array()),
            (Precision::Double(n), Values::Double(v)) => work.run(py, n, v.as_array()),
            _ => other_precision(),
        }
    }

    /// The state after one update.
    fn update<'py>(
        &self,
        py: Python<'py>,
        state: Vector<'py>,
        inputs: Vector<'py>,
        leak: f64,
        bias: f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        match (&self.0, state, inputs) {
            (Precision::Single(n), Vector::Single(state), Vector::Single(input)) => {
                update(py, n, &state, &input, leak, bias)
            }
            (Precision::Double(n), Vector::Double(state), Vector::Double(input)) => {
                update(py, n, &state, &input, leak, bias)
            }
            _ => other_precision(),
        }
    }
}

struct States {
    lengths: Vec<usize>,
    leak: f64,
    bias: f64,
    hold: usize,
    limits: Limits,
}

impl States {
    fn run<'py, T: Real + Element>(
        self,
        py: Python<'py>,
        network: &Network<T>,
        values: ArrayView2<T>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let network = network.clone().with(self.leak, self.bias);
        let rows = values.nrows();
        let states = run(py, &self.limits, |task| {
            let series = Series::new(values, &self.lengths)?;
            network.states(&series, self.hold, Level::current(), task)
        })?;
        let shape = [rows, network.len()];
        Ok(states.into_pyarray(py).reshape(shape)?.into_any())
    }
}

struct Features {
    work: States,
    pooling: Vec<Statistic>,
    thresholds: Vec<f64>,
}

impl Features {
    fn run<'py, T: Real + Element>(
        self,
        py: Python<'py>,
        network: &Network<T>,
        values: ArrayView2<T>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Self { work, pooling, thresholds } = self;
        let network = network.clone().with(work.leak, work.bias);
        let thresholds: Vec<T> = thresholds.into_iter().map(T::rounded).collect();
        let features = run(py, &work.limits, |task| {
            let series = Series::new(values, &work.lengths)?;
            let level = Level::current();
            network.features(&series, &pooling, &thresholds, work.hold, level, task)
        })?;
        let shape = [work.lengths.len(), pooling.len() * network.len()];
        Ok(features.into_pyarray(py).reshape(shape)?.into_any())
    }
}

fn update<'py, T: Real + Element>(
    py: Python<'py>,
    network: &Network<T>,
    state: &PyReadonlyArray1<'py, T>,
    input: &PyReadonlyArray1<'py, T>,
    leak: f64,
    bias: f64,
) -> PyResult<Bound<'py, PyAny>> {
    let network = network.clone().with(leak, bias);
    let (state, input) = (state.as_slice()?, input.as_slice()?);
    if (state.len(), input.len()) != (network.len(), network.channels()) {
        return Err(InvalidParameterError::new_err("state or inputs have the wrong size"));
    }
    let after = py.detach(|| network.update(state, input, Level::current(), &Task::new()));
    Ok(after.map_err(ReservoirError::from)?.into_pyarray(py).into_any())
}

fn statistic(name: &str) -> PyResult<Statistic> {
    Statistic::ALL.into_iter().find(|s| s.name() == name).ok_or_else(|| {
        let known = Statistic::ALL.map(Statistic::name);
        InvalidParameterError::new_err(format!("pooling must be among {known:?}, got {name:?}"))
    })
}
