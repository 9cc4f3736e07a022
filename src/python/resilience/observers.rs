//! State machines that Python drives: durations for hedges, levels of degradation, books
//! of pools.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

use super::clock::AnyClock;
use crate::clock::{Clock, Nanos, nanos, seconds};
use crate::resilience::degradation::{self, Level};
use crate::resilience::pool::{Loan, Pool, PoolConfig, Return};
use crate::resilience::quantile::Quantile;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The last durations of a call.
#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct Durations(Mutex<Quantile>);

#[pymethods]
impl Durations {
    #[new]
    fn new(size: usize) -> PyResult<Self> {
        Ok(Self(Mutex::new(Quantile::new(size)?)))
    }

    fn record(&self, took: f64) {
        lock(&self.0).record(nanos(took));
    }

    fn quantile(&self, q: f64) -> Option<f64> {
        lock(&self.0).value(q).map(seconds)
    }
}

/// Levels of degradation.
#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct Degradation {
    core: Mutex<degradation::Degradation>,
    clock: Clock,
}

#[pymethods]
impl Degradation {
    #[new]
    fn new(levels: Vec<(f64, f64)>, hold: f64, clock: AnyClock) -> PyResult<Self> {
        let levels = levels.into_iter().map(|(enter, leave)| Level { enter, leave }).collect();
        let core = Mutex::new(degradation::Degradation::new(levels, nanos(hold))?);
        Ok(Self { core, clock: clock.0 })
    }

    /// The level before and after, if `load` changed it.
    fn observe(&self, load: f64) -> Option<(usize, usize)> {
        let now = self.clock.now();
        let mut core = lock(&self.core);
        let before = core.observe(load, now)?;
        Some((before, core.level()))
    }

    #[getter]
    fn level(&self) -> usize {
        lock(&self.core).level()
    }
}

/// The books of a pool.
#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct PoolBooks {
    core: Mutex<Pool>,
    clock: Clock,
}

#[pymethods]
impl PoolBooks {
    #[new]
    fn new(
        size: usize,
        idle: Option<f64>,
        age: Option<f64>,
        leak: Option<f64>,
        clock: AnyClock,
    ) -> PyResult<Self> {
        let or_never = |time: Option<f64>| time.map_or(Nanos::MAX, nanos);
        let config =
            PoolConfig { size, idle: or_never(idle), age: or_never(age), leak: or_never(leak) };
        Ok(Self { core: Mutex::new(Pool::new(config)?), clock: clock.0 })
    }

    /// "idle" or "new" and the number; or "none" or "draining" and 0.
    fn lend(&self) -> (&'static str, u64) {
        let now = self.clock.now();
        match lock(&self.core).lend(now) {
            Loan::Idle(number) => ("idle", number),
            Loan::New(number) => ("new", number),
            Loan::None => ("none", 0),
            Loan::Draining => ("draining", 0),
        }
    }

    /// Whether to keep it; `None` if it was not lent.
    fn take_back(&self, number: u64, healthy: bool) -> Option<bool> {
        let now = self.clock.now();
        match lock(&self.core).take_back(number, healthy, now) {
            Return::Keep => Some(true),
            Return::Close => Some(false),
            Return::Unknown => None,
        }
    }

    /// The numbers to close, and those that have leaked with the seconds they are out.
    fn sweep(&self) -> (Vec<u64>, Vec<(u64, f64)>) {
        let now = self.clock.now();
        let (closed, leaked) = lock(&self.core).sweep(now);
        (closed, leaked.into_iter().map(|(number, out)| (number, seconds(out))).collect())
    }

    fn drain(&self) {
        lock(&self.core).drain();
    }

    /// Resources idle and lent.
    fn counts(&self) -> (usize, usize) {
        lock(&self.core).counts()
    }
}
