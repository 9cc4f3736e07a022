use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::super::errors::InvalidParameterError;
use super::events::{batches, events};
use super::lock;
use crate::device::client::{Client, Generation, MAX_PROMPT, Prompt, Settings};

/// The host's side of the wire protocol: bytes and times in, bytes and events out.
#[pyclass(frozen, module = "holdfast._core")]
pub(in super::super) struct ProtocolClient(Mutex<Client>, bool);

#[derive(FromPyObject)]
enum PromptArgument {
    Text(String),
    Ids(Vec<u32>),
}

type Events<'py> = PyResult<Vec<Bound<'py, PyDict>>>;

#[pymethods]
impl ProtocolClient {
    #[new]
    #[pyo3(signature = (*, reply_timeout_ns=1_000_000_000, attempts=4, stall_ns=1_000_000_000,
                        batch=false))]
    fn new(reply_timeout_ns: u64, attempts: u32, stall_ns: u64, batch: bool) -> PyResult<Self> {
        if reply_timeout_ns == 0 || attempts == 0 || stall_ns == 0 {
            return Err(InvalidParameterError::new_err(format!(
                "reply_timeout_ns, attempts and stall_ns must be at least 1, \
                 got {reply_timeout_ns}, {attempts}, {stall_ns}"
            )));
        }
        let settings = Settings { reply_timeout: reply_timeout_ns, attempts, stall: stall_ns };
        Ok(Self(Mutex::new(Client::new(settings)), batch))
    }

    fn feed<'py>(&self, py: Python<'py>, data: &[u8], now_ns: u64) -> Events<'py> {
        let found = lock(&self.0).feed(data, now_ns);
        if self.1 { batches(py, found, now_ns) } else { events(py, found, now_ns) }
    }

    fn poll<'py>(&self, py: Python<'py>, now_ns: u64) -> Events<'py> {
        let found = lock(&self.0).poll(now_ns);
        events(py, found, now_ns)
    }

    fn take<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &lock(&self.0).take())
    }

    fn deadline(&self) -> Option<u64> {
        lock(&self.0).deadline()
    }

    fn stray(&self) -> Option<u32> {
        lock(&self.0).stray()
    }

    fn hello(&self, now_ns: u64) -> u16 {
        lock(&self.0).hello(now_ns)
    }

    fn ping(&self, now_ns: u64) -> u16 {
        lock(&self.0).ping(now_ns)
    }

    #[pyo3(signature = (request, prompt, now_ns, *, max_tokens, temperature_milli=0, seed=0,
                        ignore_eos=false, add_bos=true))]
    fn generate(
        &self,
        request: u32,
        prompt: PromptArgument,
        now_ns: u64,
        max_tokens: u16,
        temperature_milli: u16,
        seed: u32,
        ignore_eos: bool,
        add_bos: bool,
    ) -> PyResult<u16> {
        let prompt = match &prompt {
            PromptArgument::Text(text) => Prompt::Text(text),
            PromptArgument::Ids(ids) => Prompt::Ids(ids),
        };
        let generation = Generation {
            request,
            prompt,
            max_tokens,
            temperature_milli,
            seed,
            ignore_eos,
            add_bos,
        };
        let bytes = match prompt {
            Prompt::Text(text) => text.len(),
            Prompt::Ids(ids) => 4 * ids.len(),
        };
        lock(&self.0).generate(&generation, now_ns).ok_or_else(|| {
            InvalidParameterError::new_err(format!(
                "prompt must take at most {MAX_PROMPT} bytes on the wire, got {bytes}"
            ))
        })
    }

    fn cancel(&self, request: u32, now_ns: u64) -> u16 {
        lock(&self.0).cancel(request, now_ns)
    }

    fn resume(&self, request: u32, first_index: u16, now_ns: u64) -> u16 {
        lock(&self.0).resume(request, first_index, now_ns)
    }

    fn forget(&self, request: u32) {
        lock(&self.0).forget(request);
    }

    fn memory(&self, now_ns: u64) -> u16 {
        lock(&self.0).memory(now_ns)
    }

    fn power(&self, now_ns: u64) -> u16 {
        lock(&self.0).power(now_ns)
    }

    fn model_info(&self, now_ns: u64) -> u16 {
        lock(&self.0).model_info(now_ns)
    }

    fn reboot(&self, now_ns: u64) -> u16 {
        lock(&self.0).reboot(now_ns)
    }

    fn upload(&self, model: Vec<u8>, now_ns: u64) -> u16 {
        lock(&self.0).upload(model, now_ns)
    }

    fn set_baud(&self, rate: u32, now_ns: u64) -> u16 {
        lock(&self.0).set_baud(rate, now_ns)
    }

    fn baud_switched(&self, now_ns: u64) -> u16 {
        lock(&self.0).baud_switched(now_ns)
    }

    fn reconnected(&self, now_ns: u64) {
        lock(&self.0).reconnected(now_ns);
    }

    fn statistics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counted = lock(&self.0).statistics();
        let dict = PyDict::new(py);
        for (name, value) in [
            ("bytes_in", counted.bytes_in),
            ("bytes_out", counted.bytes_out),
            ("frames_in", counted.frames_in),
            ("frames_out", counted.frames_out),
            ("crc_errors", counted.crc_errors),
            ("malformed", counted.malformed),
            ("lost_frames", counted.lost_frames),
            ("duplicate_records", counted.duplicate_records),
            ("repeated_commands", counted.repeated_commands),
            ("resumes", counted.resumes),
            ("reboots", counted.reboots),
            ("timeouts", counted.timeouts),
        ] {
            dict.set_item(name, value)?;
        }
        Ok(dict)
    }
}
