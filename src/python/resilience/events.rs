//! News for `holdfast._events`, built only when someone listens.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyModule};

use crate::resilience::breaker::State;

/// Tells an event; whatever goes wrong in telling never reaches the guarded call.
pub(super) fn tell(
    py: Python<'_>,
    kind: &str,
    source: &str,
    attributes: impl FnOnce(&Bound<'_, PyDict>) -> PyResult<()>,
) {
    if let Err(error) = try_to_tell(py, kind, source, attributes) {
        error.write_unraisable(py, None);
    }
}

fn try_to_tell(
    py: Python<'_>,
    kind: &str,
    source: &str,
    attributes: impl FnOnce(&Bound<'_, PyDict>) -> PyResult<()>,
) -> PyResult<()> {
    static EVENTS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let events = EVENTS
        .get_or_try_init(py, || PyModule::import(py, "holdfast._events").map(Bound::unbind))?
        .bind(py);
    if !events.getattr(pyo3::intern!(py, "_listeners"))?.is_truthy()? {
        return Ok(());
    }
    let values = PyDict::new(py);
    attributes(&values)?;
    let event = events.call_method1("Event", (kind, source, values))?;
    events.call_method1("tell", (event,)).map(drop)
}

/// Logs that a hook of the user failed.
pub(super) fn hook_failed(py: Python<'_>, hook: &str, error: &PyErr) {
    let logged = (|| {
        let logging = PyModule::import(py, "logging")?;
        let logger = logging.call_method1("getLogger", ("holdfast.resilience",))?;
        let details = PyDict::new(py);
        details.set_item("exc_info", error.value(py))?;
        logger.call_method("warning", ("%s failed", hook), Some(&details)).map(drop)
    })();
    if let Err(error) = logged {
        let _: () = PyErr::write_unraisable(error, py, None);
    }
}

/// The state as Python spells it.
pub(super) fn name_of(state: State) -> &'static str {
    match state {
        State::Closed => "closed",
        State::Open => "open",
        State::HalfOpen => "half_open",
        State::Disabled => "disabled",
        State::ForcedOpen => "forced_open",
        State::MetricsOnly => "metrics_only",
    }
}

/// The state that Python spells so.
pub(super) fn state_of(name: &str) -> Option<State> {
    let states = [
        State::Closed,
        State::Open,
        State::HalfOpen,
        State::Disabled,
        State::ForcedOpen,
        State::MetricsOnly,
    ];
    states.into_iter().find(|state| name_of(*state) == name)
}
