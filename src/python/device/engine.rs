use std::sync::Mutex;
use std::time::Instant;

use holdfast_agent::engine::Sampler;
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::super::arguments::count;
use super::super::boundary::{KernelError, Limits, run};
use super::gguf::name;
use super::lock;
use crate::device::DeviceError;
use crate::device::host::HostModel;

impl KernelError for DeviceError {
    fn is_stopped(&self) -> bool {
        matches!(self, Self::Stopped(_))
    }
}

/// The engine on this machine, without a protocol.
#[pyclass(frozen, module = "holdfast._core")]
pub(in super::super) struct HostEngine {
    model: Mutex<HostModel>,
    epoch: Instant,
}

#[pymethods]
impl HostEngine {
    #[new]
    #[pyo3(signature = (model, *, context=None))]
    fn new(py: Python<'_>, model: Vec<u8>, context: Option<i64>) -> PyResult<Self> {
        let context = context.map(|context| count("context", context)).transpose()?;
        let model = py.detach(|| HostModel::new(model, context))?;
        Ok(Self { model: Mutex::new(model), epoch: Instant::now() })
    }

    #[pyo3(signature = (text, add_bos=true))]
    fn tokenize(&self, py: Python<'_>, text: &str, add_bos: bool) -> PyResult<Vec<u32>> {
        Ok(py.detach(|| lock(&self.model).tokenize(text.as_bytes(), add_bos))?)
    }

    fn piece<'py>(&self, py: Python<'py>, token: u32) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &lock(&self.model).piece(token))
    }

    fn forward<'py>(
        &self,
        py: Python<'py>,
        tokens: Vec<u32>,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let logits = py.detach(|| lock(&self.model).evaluate(&tokens).map(<[f32]>::to_vec))?;
        Ok(logits.into_pyarray(py))
    }

    #[pyo3(signature = (tokens, max_tokens, *, temperature_milli=0, seed=0, ignore_eos=false,
                        limits=None))]
    fn generate<'py>(
        &self,
        py: Python<'py>,
        tokens: Vec<u32>,
        max_tokens: i64,
        temperature_milli: u16,
        seed: u32,
        ignore_eos: bool,
        limits: Option<Limits>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let max_tokens = count("max_tokens", max_tokens)?;
        let limits = limits.unwrap_or_else(|| Limits::threads(1));
        let sampler = Sampler::new(temperature_milli, seed);
        let epoch = self.epoch;
        let now = move || epoch.elapsed().as_nanos() as u64;
        let made = run(py, &limits, |task| {
            lock(&self.model).generate(&tokens, max_tokens, sampler, ignore_eos, now, task)
        })?;
        let dict = PyDict::new(py);
        dict.set_item("tokens", made.tokens)?;
        dict.set_item("ticks_ns", made.ticks)?;
        dict.set_item("start_ns", made.start)?;
        dict.set_item("prefill_ns", made.prefill)?;
        dict.set_item("end_ns", made.end)?;
        dict.set_item("reason", made.reason.word())?;
        dict.set_item("digest", format!("{:016x}", made.digest.0))?;
        Ok(dict)
    }

    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let model = lock(&self.model);
        let engine = model.engine();
        let (config, usage) = (engine.config(), engine.layout().usage());
        let memory = PyDict::new(py);
        for (name, bytes) in [
            ("tensor_table", usage.tensor_table),
            ("vocabulary_index", usage.vocabulary_index),
            ("prompt", usage.prompt),
            ("activations", usage.activations),
            ("logits", usage.logits),
            ("key_value_cache", usage.key_value_cache),
        ] {
            memory.set_item(name, bytes)?;
        }
        let dict = PyDict::new(py);
        dict.set_item("name", name(model.model()))?;
        dict.set_item("parameters", engine.parameters())?;
        dict.set_item("vocabulary", config.vocabulary)?;
        dict.set_item("context", config.context)?;
        dict.set_item("layers", config.layers)?;
        dict.set_item("dimension", config.dimension)?;
        dict.set_item("quantisation", engine.quantisation().name())?;
        dict.set_item("model_bytes", engine.model_bytes())?;
        dict.set_item("arena_bytes", 4 * engine.layout().words())?;
        dict.set_item("memory", memory)?;
        Ok(dict)
    }
}
