//! Features of whole series.

use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::boundary::{Limits, run};
use crate::linalg::simd::Level;
use crate::reservoir::{Driven, EchoState, Liquid, Parts, ReservoirError, dilations};
use crate::series::Series;
use crate::spiking::{Competition, Dictionary, Layers};

type Values<'py> = PyReadonlyArray2<'py, f32>;
type Features<'py> = Bound<'py, PyArray2<f32>>;

/// Dilations of the layers of a dictionary, at most `count`, for series of `length` steps.
#[pyfunction]
pub(crate) fn layer_dilations(length: usize, count: usize) -> Vec<usize> {
    dilations(length, count)
}

/// Weights of one layer of winner-take-all units, `(units, channels * 9)`.
#[pyfunction]
#[pyo3(signature = (values, lengths, *, channels, dilation, units, sample, epsilon, seed, limits))]
pub(crate) fn learn_dictionary<'py>(
    py: Python<'py>,
    values: Values<'py>,
    lengths: Vec<usize>,
    channels: Vec<usize>,
    dilation: usize,
    units: usize,
    sample: usize,
    epsilon: f32,
    seed: u64,
    limits: Limits,
) -> PyResult<Features<'py>> {
    let values = values.as_array();
    let weights = run(py, &limits, |task| -> Result<_, ReservoirError> {
        let series = Series::new(values, &lengths)?;
        let rule = Competition { units, sample, epsilon, seed };
        Ok(rule.learn(&series, &channels, dilation, Level::current(), task)?)
    })?;
    Ok(weights.into_pyarray(py))
}

/// Square roots of the firing rates of all `layers`: `(series, units of all layers)`.
#[pyfunction]
pub(crate) fn dictionary_features<'py>(
    py: Python<'py>,
    values: Values<'py>,
    lengths: Vec<usize>,
    layers: Vec<(Vec<usize>, usize, PyReadonlyArray2<'py, f32>)>,
    epsilon: f32,
    limits: Limits,
) -> PyResult<Features<'py>> {
    let values = values.as_array();
    let layers = layers.into_iter().map(|(channels, dilation, weights)| {
        Dictionary::new(channels, dilation, epsilon, weights.as_array())
    });
    let layers = Layers(layers.collect());
    let features = run(py, &limits, |task| -> Result<_, ReservoirError> {
        let series = Series::new(values, &lengths)?;
        let mut features = vec![0.0; lengths.len() * layers.width()];
        layers.features(&series, &mut features, Level::current(), task)?;
        Ok(features)
    })?;
    features.into_pyarray(py).reshape([lengths.len(), layers.width()])
}

/// Leaky units behind delay lines, scaled to the series; every number of them.
#[pyfunction]
#[pyo3(signature = (values, lengths, *, units, spectral_radius, degree, input_scaling, leak, seed, limits))]
pub(crate) fn fit_driven_echo_state<'py>(
    py: Python<'py>,
    values: Values<'py>,
    lengths: Vec<usize>,
    units: usize,
    spectral_radius: f64,
    degree: usize,
    input_scaling: f64,
    leak: (f64, f64),
    seed: u64,
    limits: Limits,
) -> PyResult<Bound<'py, PyDict>> {
    let parameters = EchoState { units, spectral_radius, degree, input_scaling, leak };
    let values = values.as_array();
    let driven = run(py, &limits, |task| {
        let series = Series::new(values, &lengths)?;
        Driven::echo_state(&parameters, &series, seed, Level::current(), task)
    })?;
    parts_to_dict(py, driven.parts())
}

/// Spiking units behind delay lines, scaled to the series; every number of them.
#[pyfunction]
#[pyo3(signature = (values, lengths, *, units, degree, strength, excitatory, seed, limits))]
pub(crate) fn fit_driven_liquid<'py>(
    py: Python<'py>,
    values: Values<'py>,
    lengths: Vec<usize>,
    units: usize,
    degree: usize,
    strength: f64,
    excitatory: f64,
    seed: u64,
    limits: Limits,
) -> PyResult<Bound<'py, PyDict>> {
    let parameters = Liquid { units, degree, strength, excitatory };
    let values = values.as_array();
    let driven = run(py, &limits, |task| {
        let series = Series::new(values, &lengths)?;
        Driven::liquid(&parameters, &series, seed, Level::current(), task)
    })?;
    parts_to_dict(py, driven.parts())
}

/// Pooled states, `(series, 3 * units)`.
#[pyfunction]
pub(crate) fn driven_features<'py>(
    py: Python<'py>,
    values: Values<'py>,
    lengths: Vec<usize>,
    parts: &Bound<'py, PyDict>,
    limits: Limits,
) -> PyResult<Features<'py>> {
    let values = values.as_array();
    let driven = Driven::from_parts(parts_from_dict(parts, values.ncols())?);
    let features = run(py, &limits, |task| -> Result<_, ReservoirError> {
        let series = Series::new(values, &lengths)?;
        let mut features = vec![0.0; lengths.len() * driven.width()];
        driven.features(&series, &mut features, Level::current(), task)?;
        Ok(features)
    })?;
    features.into_pyarray(py).reshape([lengths.len(), driven.width()])
}

fn parts_to_dict<'py>(py: Python<'py>, parts: &Parts) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let taps = parts.taps.concat().into_pyarray(py).reshape([parts.taps.len(), 5])?;
    dict.set_item("liquid", PyArray1::from_slice(py, &[u8::from(parts.liquid)]))?;
    dict.set_item("taps", taps)?;
    dict.set_item("scales", PyArray1::from_slice(py, &parts.scales))?;
    dict.set_item("leak", PyArray1::from_slice(py, &parts.leak))?;
    dict.set_item("bias", PyArray1::from_slice(py, &parts.bias))?;
    dict.set_item("sources", parts.sources.clone().into_pyarray(py))?;
    dict.set_item("weights", parts.weights.clone().into_pyarray(py))?;
    dict.set_item("thresholds", PyArray1::from_slice(py, &parts.thresholds))?;
    Ok(dict)
}

/// Checked, because a saved model may come from anywhere.
fn parts_from_dict(dict: &Bound<'_, PyDict>, channels: usize) -> PyResult<Parts> {
    let get = |name: &str| -> PyResult<Bound<'_, PyAny>> {
        dict.get_item(name)?.ok_or_else(|| PyValueError::new_err(format!("no {name} in parts")))
    };
    let taps: PyReadonlyArray2<'_, u32> = get("taps")?.extract()?;
    let taps: Vec<[u32; 5]> = taps
        .as_array()
        .rows()
        .into_iter()
        .map(|r| std::array::from_fn(|i| r.get(i).copied().unwrap_or_default()))
        .collect();
    let sources = get("sources")?.extract::<PyReadonlyArray2<'_, u32>>()?.as_array().to_owned();
    let weights = get("weights")?.extract::<PyReadonlyArray2<'_, f32>>()?.as_array().to_owned();
    let scales = get("scales")?.extract::<PyReadonlyArray1<'_, f32>>()?.to_vec()?;
    let thresholds = get("thresholds")?.extract::<PyReadonlyArray1<'_, f32>>()?.to_vec()?;
    let leak = get("leak")?.extract::<PyReadonlyArray1<'_, f64>>()?.to_vec()?;
    let bias = get("bias")?.extract::<PyReadonlyArray1<'_, f64>>()?.to_vec()?;
    let liquid = get("liquid")?.extract::<PyReadonlyArray1<'_, u8>>()?.to_vec()? == [1];
    let n = taps.len();
    let counts = [scales.len(), thresholds.len(), leak.len(), bias.len(), sources.nrows()];
    let fits = counts.iter().all(|c| *c == n)
        && sources.dim() == weights.dim()
        && sources.iter().all(|j| (*j as usize) < n)
        && taps.iter().all(|[_, c, a, b, d]| {
            (*c as usize) < channels && [a, b, d].into_iter().all(|peak| *peak < 9)
        });
    if !fits {
        return Err(PyValueError::new_err("the numbers of the reservoir do not fit together"));
    }
    Ok(Parts { liquid, channels, taps, scales, leak, bias, sources, weights, thresholds })
}
