use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyString};

use super::arguments::Arguments;
use super::clock::AnyClock;
use super::events::tell;
use crate::clock::{Clock, Nanos, nanos, seconds};
use crate::python::errors::{InvalidParameterError, RateLimitedError};
use crate::resilience::limiter::{Denied, Gcra, List, Lockout, Rate, Sliding, Table};

enum Meter {
    Gcra(Gcra),
    Sliding(Mutex<Sliding>),
    Keyed(Box<Mutex<Table>>),
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A limiter for all callers together, or for each key.
#[pyclass(frozen, module = "holdfast._core")]
pub(crate) struct LimiterPolicy {
    name: String,
    meter: Meter,
    /// Gives the key of a call from its arguments.
    key: Option<Py<PyAny>>,
    patience: AtomicU64,
    refused: AtomicU64,
    locked_out: AtomicU64,
    clock: Clock,
}

/// What a limiter per key has in addition: the most keys; violations, within and duration
/// of the lockout; keys that always and never pass.
type Keyed<'py> = (usize, Option<(u32, f64, f64)>, Vec<Bound<'py, PyAny>>, Vec<Bound<'py, PyAny>>);

#[pymethods]
impl LimiterPolicy {
    #[new]
    fn new(
        name: String,
        rate: (u32, f64, u32),
        sliding: bool,
        max_wait: f64,
        clock: AnyClock,
        key: Option<Py<PyAny>>,
        keyed: Option<Keyed<'_>>,
    ) -> PyResult<Self> {
        let rate = rate_of(rate, &clock.0);
        let meter = match keyed {
            Some((capacity, lockout, allow, deny)) => {
                let list = |entries: Vec<Bound<'_, PyAny>>| -> PyResult<List> {
                    let keys = entries.iter().map(|entry| with_key(entry, <[u8]>::to_vec));
                    Ok(List::new(keys.collect::<PyResult<Vec<_>>>()?)?)
                };
                let lockout = lockout.map(|(violations, within, duration)| Lockout {
                    violations,
                    within: nanos(within),
                    duration: nanos(duration),
                });
                let (allow, deny) = (list(allow)?, list(deny)?);
                let table = Table::new(rate, sliding, capacity, lockout, allow, deny)?;
                Meter::Keyed(Box::new(Mutex::new(table)))
            }
            None if sliding => Meter::Sliding(Mutex::new(Sliding::new(rate)?)),
            None => Meter::Gcra(Gcra::new(rate)?),
        };
        let zero = || AtomicU64::new(0);
        let (patience, refused, locked_out) = (AtomicU64::new(nanos(max_wait)), zero(), zero());
        Ok(Self { name, meter, key, patience, refused, locked_out, clock: clock.0 })
    }

    #[pyo3(signature = (key = None, cost = None))]
    fn try_acquire(
        &self,
        key: Option<&Bound<'_, PyAny>>,
        cost: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        let cost = cost.map_or(Ok(1), cost_of)?;
        let taken = self.meter_take(key, self.clock.now(), cost, 0)?;
        if let Err(denied) = taken {
            self.count(denied);
        }
        Ok(taken.is_ok())
    }

    /// Takes `cost` calls if they can be made within `max_wait` seconds; how long to wait
    /// for them, or `None`.
    fn reserve(
        &self,
        key: Option<&Bound<'_, PyAny>>,
        cost: u32,
        max_wait: f64,
    ) -> PyResult<Option<f64>> {
        Ok(self.meter_take(key, self.clock.now(), cost, nanos(max_wait))?.ok().map(seconds))
    }

    /// Calls that could be made at once; `None` for a limiter per key.
    fn available(&self) -> Option<u64> {
        let now = self.clock.now();
        match &self.meter {
            Meter::Gcra(gcra) => Some(gcra.available(now)),
            Meter::Sliding(sliding) => Some(lock(sliding).available(now)),
            Meter::Keyed(_) => None,
        }
    }

    fn configure(&self, rate: (u32, f64, u32), max_wait: f64) -> PyResult<()> {
        let rate = rate_of(rate, &self.clock);
        match &self.meter {
            Meter::Gcra(gcra) => gcra.configure(rate)?,
            Meter::Sliding(sliding) => lock(sliding).configure(rate)?,
            Meter::Keyed(table) => lock(table).configure(rate)?,
        }
        self.patience.store(nanos(max_wait), Ordering::Relaxed);
        Ok(())
    }

    fn forget(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Meter::Keyed(table) = &self.meter {
            with_key(key, |key| lock(table).forget(key))?;
        }
        Ok(())
    }

    /// Totals: calls refused, and those of them by a lockout; keys held, and calls that
    /// shared a bucket because the table was full.
    fn tally(&self) -> (u64, u64, usize, u64) {
        let (keys, crowded) = match &self.meter {
            Meter::Keyed(table) => lock(table).counts(),
            _ => (0, 0),
        };
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (of(&self.refused), of(&self.locked_out), keys, crowded)
    }
}

/// A call by a clock that is behind happens later than it says, the next may not: so that no
/// true window holds more calls, the period is longer by as much.
fn rate_of((limit, period, burst): (u32, f64, u32), clock: &Clock) -> Rate {
    Rate { limit, period: nanos(period).saturating_add(clock.lag()), burst }
}

fn cost_of(cost: &Bound<'_, PyAny>) -> PyResult<u32> {
    let number = if cost.is_instance_of::<PyBool>() { None } else { cost.extract().ok() };
    match number.filter(|number: &u32| *number > 0) {
        Some(number) => Ok(number),
        None => Err(InvalidParameterError::new_err(format!(
            "cost must be an integer >= 1, got {}",
            cost.repr()?
        ))),
    }
}

/// The bytes of a key: text and bytes are themselves, everything else its representation.
fn with_key<T>(key: &Bound<'_, PyAny>, action: impl FnOnce(&[u8]) -> T) -> PyResult<T> {
    if let Ok(text) = key.cast::<PyString>() {
        return Ok(action(text.to_str()?.as_bytes()));
    }
    if let Ok(bytes) = key.cast::<PyBytes>() {
        return Ok(action(bytes.as_bytes()));
    }
    Ok(action(format!("\0{}", key.repr()?).as_bytes()))
}

impl LimiterPolicy {
    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    fn meter_take(
        &self,
        key: Option<&Bound<'_, PyAny>>,
        now: Nanos,
        cost: u32,
        patience: Nanos,
    ) -> PyResult<Result<Nanos, Denied>> {
        match (&self.meter, key) {
            (Meter::Gcra(gcra), None) => Ok(gcra.take(now, cost, patience).map_err(Denied::Rate)),
            (Meter::Sliding(sliding), None) => {
                Ok(lock(sliding).take(now, cost, patience).map_err(Denied::Rate))
            }
            (Meter::Keyed(table), Some(key)) => {
                with_key(key, |key| lock(table).take(key, now, cost, patience))
            }
            (Meter::Keyed(_), None) => Err(InvalidParameterError::new_err(
                "key must be given to a limiter per key, got none",
            )),
            (_, Some(_)) => Err(InvalidParameterError::new_err(
                "key must not be given: this limiter has one limit for all (per_key=False)",
            )),
        }
    }

    /// Takes one call if that needs no words.
    #[inline]
    pub(super) fn passes(&self, now: impl FnOnce() -> Nanos) -> bool {
        match &self.meter {
            Meter::Gcra(gcra) => gcra.take(now(), 1, 0).is_ok(),
            Meter::Sliding(sliding) => lock(sliding).take(now(), 1, 0).is_ok(),
            Meter::Keyed(_) => false,
        }
    }

    /// How long to wait before calling; `Err` is the exception to raise instead.
    pub(super) fn take(
        &self,
        py: Python<'_>,
        now: Nanos,
        arguments: Arguments,
        remaining: impl FnOnce() -> PyResult<Nanos>,
    ) -> PyResult<Nanos> {
        let key = match &self.key {
            #[allow(unsafe_code)] // one call of the interpreter
            // SAFETY: arguments of the call in progress.
            Some(key) => Some(unsafe { arguments.call(py, key.as_ptr()) }?.into_bound(py)),
            None => None,
        };
        let key = key.as_ref();
        let mut patience = self.patience.load(Ordering::Relaxed);
        if patience > 0 {
            patience = patience.min(remaining()?);
        }
        let denied = match self.meter_take(key, now, 1, patience)? {
            Ok(wait) => return Ok(wait),
            Err(denied) => denied,
        };
        self.count(denied);
        let (kind, after) = match denied {
            Denied::Rate(after) => ("limiter.rejected", Some(seconds(after))),
            Denied::LockedOut(after) => ("limiter.locked_out", Some(seconds(after))),
            Denied::Listed => ("limiter.denied", None),
        };
        tell(py, kind, &self.name, |attributes| attributes.set_item("retry_after", after));
        Err(match key {
            Some(key) => {
                RateLimitedError::new_err((self.name.clone(), after, key.clone().unbind()))
            }
            None => RateLimitedError::new_err((self.name.clone(), after)),
        })
    }

    fn count(&self, denied: Denied) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        if matches!(denied, Denied::LockedOut(_)) {
            self.locked_out.fetch_add(1, Ordering::Relaxed);
        }
    }
}
