//! Which logger writes where, and from which level on.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock, Weak};

use pyo3::prelude::*;

use super::contextual;
use super::output::{LogOutput, Output};

/// As in the standard library.
pub(super) const INFO: u8 = 20;

/// What `configure_logs` decided for one logger.
pub(super) struct Route {
    threshold: AtomicU8,
    output: RwLock<Arc<Output>>,
    name: String,
    category: Option<String>,
}

impl Route {
    pub(super) fn threshold(&self) -> u8 {
        self.threshold.load(Ordering::Relaxed)
    }

    pub(super) fn output(&self) -> Arc<Output> {
        self.output.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[derive(Clone)]
struct Category {
    threshold: Option<u8>,
    output: Option<Arc<Output>>,
}

struct Setup {
    output: Arc<Output>,
    threshold: u8,
    /// Dotted prefixes of names, longest first.
    names: Vec<(String, u8)>,
    categories: HashMap<String, Category>,
    routes: Vec<Weak<Route>>,
}

static SETUP: LazyLock<Mutex<Setup>> = LazyLock::new(|| {
    Mutex::new(Setup {
        output: Arc::new(Output::stderr()),
        threshold: INFO,
        names: Vec::new(),
        categories: HashMap::new(),
        routes: Vec::new(),
    })
});

/// Lines by level: debug, info, warning, error, critical.
pub(super) static LINES: [AtomicU64; 5] = [const { AtomicU64::new(0) }; 5];

impl Setup {
    fn decide(&self, name: &str, category: Option<&str>) -> (u8, Arc<Output>) {
        let category = category.and_then(|category| self.categories.get(category));
        let named = self.names.iter().find(|(prefix, _)| {
            name.strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        let threshold = category
            .and_then(|category| category.threshold)
            .or(named.map(|(_, threshold)| *threshold))
            .unwrap_or(self.threshold);
        let output = category.and_then(|category| category.output.as_ref());
        (threshold, output.unwrap_or(&self.output).clone())
    }
}

/// The route of a new logger.
pub(super) fn route(name: String, category: Option<String>) -> Arc<Route> {
    let mut setup = SETUP.lock().unwrap_or_else(PoisonError::into_inner);
    let (threshold, output) = setup.decide(&name, category.as_deref());
    let threshold = AtomicU8::new(threshold);
    let route = Arc::new(Route { threshold, output: output.into(), name, category });
    if setup.routes.len() == setup.routes.capacity() {
        setup.routes.retain(|route| route.strong_count() > 0);
    }
    setup.routes.push(Arc::downgrade(&route));
    route
}

/// Sends every logger, those that exist and those to come, to `output` from `level` on.
///
/// `names` are levels of loggers by dotted prefix; `categories` are levels and outputs of
/// categories, where they differ.
#[pyfunction]
pub(crate) fn configure_logs(
    output: &LogOutput,
    level: u8,
    names: Vec<(String, u8)>,
    categories: Vec<(String, Option<u8>, Option<Bound<'_, LogOutput>>)>,
) {
    let mut setup = SETUP.lock().unwrap_or_else(PoisonError::into_inner);
    setup.output = output.0.clone();
    setup.threshold = level;
    setup.names = names;
    setup.names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    setup.categories = categories
        .into_iter()
        .map(|(name, threshold, output)| {
            let output = output.map(|output| output.get().0.clone());
            (name, Category { threshold, output })
        })
        .collect();
    setup.routes.retain(|route| route.strong_count() > 0);
    for route in setup.routes.iter().filter_map(Weak::upgrade) {
        let (threshold, output) = setup.decide(&route.name, route.category.as_deref());
        route.threshold.store(threshold, Ordering::Relaxed);
        *route.output.write().unwrap_or_else(PoisonError::into_inner) = output;
    }
}

/// Lines written so far by level.
#[pyfunction]
pub(crate) fn log_counts() -> [u64; 5] {
    std::array::from_fn(|i| LINES[i].load(Ordering::Relaxed))
}

/// From now on lines look for fields bound around calls.
#[pyfunction]
pub(crate) fn use_log_fields() {
    contextual::fields_are_used();
}
