use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

use super::clock::AnyClock;
use super::events::tell;
use crate::clock::{Clock, Nanos, nanos, seconds};
use crate::python::errors::{InvalidParameterError, RateLimitedError};
use crate::resilience::limiter::{Gcra, Rate, Sliding};

enum Meter {
    Gcra(Gcra),
    Sliding(Mutex<Sliding>),
}

impl Meter {
    #[inline]
    fn take(&self, now: Nanos, cost: u32, patience: Nanos) -> Result<Nanos, Nanos> {
        match self {
            Self::Gcra(gcra) => gcra.take(now, cost, patience),
            Self::Sliding(sliding) => {
                let mut sliding = sliding.lock().unwrap_or_else(PoisonError::into_inner);
                sliding.take(now, cost, patience)
            }
        }
    }
}

/// A limiter for all callers together.
#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct LimiterPolicy {
    name: String,
    meter: Meter,
    patience: AtomicU64,
    refused: AtomicU64,
    clock: Clock,
}

#[pymethods]
impl LimiterPolicy {
    #[new]
    fn new(
        name: String,
        rate: (u32, f64, u32),
        sliding: bool,
        max_wait: f64,
        clock: AnyClock,
    ) -> PyResult<Self> {
        let rate = rate_of(rate);
        let meter = if sliding {
            Meter::Sliding(Mutex::new(Sliding::new(rate)?))
        } else {
            Meter::Gcra(Gcra::new(rate)?)
        };
        let (patience, refused) = (AtomicU64::new(nanos(max_wait)), AtomicU64::new(0));
        Ok(Self { name, meter, patience, refused, clock: clock.0 })
    }

    #[pyo3(signature = (cost = 1))]
    fn try_acquire(&self, cost: u32) -> bool {
        let taken = self.meter.take(self.clock.now(), cost, 0).is_ok();
        if !taken {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    /// Takes `cost` calls if they can be made within `max_wait` seconds; how long to wait
    /// for them, or `None`.
    fn reserve(&self, cost: u32, max_wait: f64) -> Option<f64> {
        self.meter.take(self.clock.now(), cost, nanos(max_wait)).ok().map(seconds)
    }

    fn available(&self) -> u64 {
        let now = self.clock.now();
        match &self.meter {
            Meter::Gcra(gcra) => gcra.available(now),
            Meter::Sliding(sliding) => {
                sliding.lock().unwrap_or_else(PoisonError::into_inner).available(now)
            }
        }
    }

    fn configure(&self, rate: (u32, f64, u32), max_wait: f64) -> PyResult<()> {
        let rate = rate_of(rate);
        match &self.meter {
            Meter::Gcra(gcra) => gcra.configure(rate)?,
            Meter::Sliding(sliding) => {
                sliding.lock().unwrap_or_else(PoisonError::into_inner).configure(rate)?;
            }
        }
        self.patience.store(nanos(max_wait), Ordering::Relaxed);
        Ok(())
    }

    #[getter]
    fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

fn rate_of((limit, period, burst): (u32, f64, u32)) -> Rate {
    Rate { limit, period: nanos(period), burst }
}

impl LimiterPolicy {
    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// How long to wait before calling; `Err` is the exception to raise instead.
    #[inline]
    pub(super) fn take(
        &self,
        py: Python<'_>,
        now: Nanos,
        remaining: impl FnOnce() -> PyResult<Nanos>,
    ) -> PyResult<Nanos> {
        match self.meter.take(now, 1, 0) {
            Ok(wait) => Ok(wait),
            Err(after) => self.wait(py, now, after, remaining),
        }
    }

    #[cold]
    fn wait(
        &self,
        py: Python<'_>,
        now: Nanos,
        mut after: Nanos,
        remaining: impl FnOnce() -> PyResult<Nanos>,
    ) -> PyResult<Nanos> {
        let patience = self.patience.load(Ordering::Relaxed);
        if patience > 0 {
            match self.meter.take(now, 1, patience.min(remaining()?)) {
                Ok(wait) => return Ok(wait),
                Err(later) => after = later,
            }
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        tell(py, "limiter.rejected", &self.name, |attributes| {
            attributes.set_item("retry_after", seconds(after))
        });
        Err(RateLimitedError::new_err((self.name.clone(), seconds(after))))
    }
}

/// Patience as Python gives it.
pub(super) fn check_wait(max_wait: f64) -> PyResult<()> {
    if max_wait >= 0.0 {
        return Ok(());
    }
    Err(InvalidParameterError::new_err(format!("max_wait must be at least 0, got {max_wait}")))
}
