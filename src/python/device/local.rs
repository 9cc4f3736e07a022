use std::sync::Mutex;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::super::arguments::count;
use super::lock;
use crate::device::local::LocalAgent as Agent;

/// The agent on this machine, behind two byte buffers.
#[pyclass(frozen, module = "holdfast._core")]
pub(in super::super) struct LocalAgent(Mutex<Agent>);

#[pymethods]
impl LocalAgent {
    #[new]
    #[pyo3(signature = (model=None, *, arena_bytes=None, context=None))]
    fn new(
        model: Option<Vec<u8>>,
        arena_bytes: Option<i64>,
        context: Option<i64>,
    ) -> PyResult<Self> {
        let arena_bytes = arena_bytes.map(|bytes| count("arena_bytes", bytes)).transpose()?;
        let context = context.map(|context| count("context", context)).transpose()?;
        // Distinct between starts is all a boot id has to be.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let boot_id = since.as_nanos() as u32;
        let epoch = Instant::now();
        let clock = Box::new(move || epoch.elapsed().as_nanos() as u64);
        let agent = Agent::new(model.unwrap_or_default(), arena_bytes, context, boot_id, clock)?;
        Ok(Self(Mutex::new(agent)))
    }

    fn write(&self, py: Python<'_>, data: &[u8]) {
        py.detach(|| lock(&self.0).write(data));
    }

    fn read<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &lock(&self.0).read())
    }

    fn step(&self, py: Python<'_>) -> bool {
        py.detach(|| lock(&self.0).step())
    }

    fn reset(&self) {
        lock(&self.0).reset();
    }
}
