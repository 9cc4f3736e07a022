use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::super::arguments::count;
use super::super::errors::InvalidParameterError;
use super::lock;
use crate::device::simulator::{CLASSES, Machine, PROFILES, Pause, Profile};

/// A microcontroller that executes real firmware.
#[pyclass(frozen, module = "holdfast._core")]
pub(in super::super) struct SimulatedDevice(Mutex<Machine>);

#[pymethods]
impl SimulatedDevice {
    #[new]
    #[pyo3(signature = (firmware, model=None, *, profile="generic-rv32", ram_bytes=None,
                        flash_bytes=None, clock_hz=None, seed=1))]
    fn new(
        firmware: &[u8],
        model: Option<&[u8]>,
        profile: &str,
        ram_bytes: Option<i64>,
        flash_bytes: Option<i64>,
        clock_hz: Option<u32>,
        seed: u32,
    ) -> PyResult<Self> {
        let Some(part) = Profile::named(profile) else {
            let names: Vec<_> = PROFILES.iter().map(|profile| profile.name).collect();
            return Err(InvalidParameterError::new_err(format!(
                "profile must be one of {}, got {profile:?}",
                names.join(", ")
            )));
        };
        let mut part = *part;
        if let Some(bytes) = ram_bytes {
            part.ram_bytes = count("ram_bytes", bytes)?;
        }
        if let Some(bytes) = flash_bytes {
            part.flash_bytes = count("flash_bytes", bytes)?;
        }
        part.clock_hz = clock_hz.unwrap_or(part.clock_hz);
        Ok(Self(Mutex::new(Machine::new(firmware, model, part, seed)?)))
    }

    #[getter]
    fn ticks(&self) -> u64 {
        lock(&self.0).ticks()
    }

    #[getter]
    fn clock_hz(&self) -> u32 {
        lock(&self.0).profile().clock_hz
    }

    #[getter]
    fn profile(&self) -> &'static str {
        lock(&self.0).profile().name
    }

    #[getter]
    fn fault<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(fault) = lock(&self.0).fault() else { return Ok(None) };
        let dict = PyDict::new(py);
        dict.set_item("kind", fault.kind.word())?;
        dict.set_item("pc", fault.pc)?;
        dict.set_item("address", fault.address)?;
        dict.set_item("text", fault.to_string())?;
        Ok(Some(dict))
    }

    fn write(&self, data: &[u8]) {
        lock(&self.0).write(data);
    }

    fn read<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &lock(&self.0).read())
    }

    #[pyo3(signature = (max_instructions=50_000_000))]
    fn run(&self, py: Python<'_>, max_instructions: u64) -> &'static str {
        match py.detach(|| lock(&self.0).run(max_instructions)) {
            Pause::Idle => "idle",
            Pause::Running => "running",
            Pause::Fault => "fault",
        }
    }

    fn advance(&self, seconds: f64) -> PyResult<()> {
        if !(0.0..=1e9).contains(&seconds) {
            return Err(InvalidParameterError::new_err(format!(
                "seconds must be 0 to 1e9, got {seconds}"
            )));
        }
        let mut machine = lock(&self.0);
        let cycles = seconds * f64::from(machine.profile().clock_hz);
        machine.advance(cycles.round() as u64);
        Ok(())
    }

    fn reset(&self) {
        lock(&self.0).reset();
    }

    fn set_host_baud(&self, rate: u32) {
        lock(&self.0).set_host_baud(rate);
    }

    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let report = lock(&self.0).report();
        let classes = PyDict::new(py);
        for (name, counted) in CLASSES.iter().zip(report.classes) {
            classes.set_item(name, counted)?;
        }
        let dict = PyDict::new(py);
        dict.set_item("instructions", report.instructions)?;
        dict.set_item("cycles", report.cycles)?;
        dict.set_item("classes", classes)?;
        dict.set_item("ram_touched_bytes", report.ram_touched_bytes)?;
        dict.set_item("stack_high_water_bytes", report.stack_high_water_bytes)?;
        dict.set_item("ram_bytes", report.ram_bytes)?;
        dict.set_item("flash_bytes", report.flash_bytes)?;
        dict.set_item("flash_used_bytes", report.flash_used_bytes)?;
        Ok(dict)
    }
}

/// The parts the simulator knows, and where their numbers come from.
#[pyfunction]
pub(in super::super) fn simulated_profiles(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let all = PyDict::new(py);
    for profile in &PROFILES {
        let cycles = PyDict::new(py);
        for (name, count) in CLASSES.iter().zip(profile.cycles.base) {
            cycles.set_item(name, count)?;
        }
        cycles.set_item("branch_taken", profile.cycles.base[5] + profile.cycles.taken)?;
        let dict = PyDict::new(py);
        dict.set_item("part", profile.part)?;
        dict.set_item("ram_bytes", profile.ram_bytes)?;
        dict.set_item("flash_bytes", profile.flash_bytes)?;
        dict.set_item("clock_hz", profile.clock_hz)?;
        dict.set_item("cycles", cycles)?;
        dict.set_item("active_milliwatts", profile.active_milliwatts)?;
        dict.set_item("source", profile.source)?;
        all.set_item(profile.name, dict)?;
    }
    Ok(all)
}
