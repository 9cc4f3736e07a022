use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::names::{check_labels, check_metric};
use super::{Micros, SECOND, Series, TelemetryError};

/// The label value of the series that stands for all label sets beyond the limit.
pub const OVERFLOW: &str = "__overflow__";

/// What the numbers of a family mean.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Only goes up.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts per bucket; the finite upper bounds.
    Histogram(Arc<[f64]>),
    /// Quantiles of a moving window.
    Summary {
        /// Which are exposed, each in `[0, 1]`.
        quantiles: Arc<[f64]>,
        /// Of how long.
        window: Micros,
    },
}

impl Kind {
    /// As the exposition formats call it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
            Self::Summary { .. } => "summary",
        }
    }

    fn reserved(&self) -> &'static [&'static str] {
        match self {
            Self::Counter | Self::Gauge => &[],
            Self::Histogram(_) => &["le"],
            Self::Summary { .. } => &["quantile"],
        }
    }
}

/// What is said once about a family.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// A counter's ends in `_total`.
    pub name: String,
    /// One sentence.
    pub help: String,
    /// Names of the labels.
    pub labels: Vec<String>,
    /// What the numbers mean.
    pub kind: Kind,
    /// How many label sets are kept apart.
    pub limit: usize,
}

impl Declaration {
    /// Checks names and limit; appends `_total` to a counter's name where it is missing.
    pub fn checked(mut self) -> Result<Self, TelemetryError> {
        check_metric(&self.name)?;
        check_labels(&self.labels, self.kind.reserved())?;
        if self.kind == Kind::Counter && !self.name.ends_with("_total") {
            self.name.push_str("_total");
        }
        if self.limit == 0 {
            return Err(TelemetryError::Parameter("limit must be 1 or more, got 0".to_owned()));
        }
        if let Kind::Summary { quantiles, window } = &self.kind {
            if let Some(q) = quantiles.iter().find(|q| !(0.0..=1.0).contains(*q)) {
                let message = format!("quantiles must be between 0 and 1, got {q}");
                return Err(TelemetryError::Parameter(message));
            }
            if *window <= 0 {
                let seconds = *window as f64 / SECOND as f64;
                let message = format!("window must be positive, got {seconds} s");
                return Err(TelemetryError::Parameter(message));
            }
        }
        Ok(self)
    }

    /// Every name its samples may have, and the name of the family in `OpenMetrics`.
    pub(super) fn sample_names(&self) -> Vec<String> {
        let name = &self.name;
        let suffixed = |suffixes: &[&str]| suffixes.iter().map(|s| format!("{name}{s}")).collect();
        match &self.kind {
            Kind::Counter => vec![name.clone(), name.trim_end_matches("_total").to_owned()],
            Kind::Gauge => vec![name.clone()],
            Kind::Histogram(_) => suffixed(&["", "_bucket", "_sum", "_count"]),
            Kind::Summary { .. } => suffixed(&["", "_sum", "_count"]),
        }
    }
}

#[derive(Debug, Default)]
struct Children {
    index: HashMap<Vec<String>, Arc<Series>>,
    order: Vec<Arc<Series>>,
}

/// All series of one name.
#[derive(Debug)]
pub struct Family {
    declaration: Declaration,
    children: Mutex<Children>,
    refused: AtomicU64,
}

impl Family {
    /// Without labels it has its one series from the start.
    pub fn new(declaration: Declaration) -> Self {
        let family = Self { declaration, children: Mutex::default(), refused: AtomicU64::new(0) };
        if family.declaration.labels.is_empty() {
            family.insert(&mut family.lock(), Vec::new());
        }
        family
    }

    /// What was said about it.
    pub fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    /// The series with these label values; beyond the limit the overflow series, and true.
    pub fn series(&self, values: &[&str]) -> Result<(Arc<Series>, bool), TelemetryError> {
        let names = &self.declaration.labels;
        if values.len() != names.len() {
            return Err(TelemetryError::Parameter(format!(
                "labels of {} must be {names:?}, got {} values",
                self.declaration.name,
                values.len()
            )));
        }
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        let mut children = self.lock();
        if let Some(series) = children.index.get(&values) {
            return Ok((series.clone(), false));
        }
        let apart = children.order.len() - usize::from(self.overflow(&children).is_some());
        if apart < self.declaration.limit {
            return Ok((self.insert(&mut children, values), false));
        }
        self.refused.fetch_add(1, Relaxed);
        let overflow = match self.overflow(&children) {
            Some(series) => series,
            None => self.insert(&mut children, vec![OVERFLOW.to_owned(); names.len()]),
        };
        Ok((overflow, true))
    }

    /// Forgets the series with these label values; false when there was none.
    pub fn remove(&self, values: &[&str]) -> bool {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        let mut children = self.lock();
        let Some(gone) = children.index.remove(&values) else { return false };
        children.order.retain(|series| !Arc::ptr_eq(series, &gone));
        true
    }

    /// Forgets every labelled series.
    pub fn clear(&self) {
        let mut children = self.lock();
        *children = Children::default();
        if self.declaration.labels.is_empty() {
            self.insert(&mut children, Vec::new());
        }
    }

    /// How often a label set was beyond the limit.
    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// Calls `visit` with each series, in the order they came.
    pub fn each(&self, mut visit: impl FnMut(&Series)) {
        self.lock().order.iter().for_each(|series| visit(series));
    }

    fn overflow(&self, children: &Children) -> Option<Arc<Series>> {
        if self.declaration.labels.is_empty() {
            return None;
        }
        children.index.get(&vec![OVERFLOW.to_owned(); self.declaration.labels.len()]).cloned()
    }

    fn insert(&self, children: &mut Children, values: Vec<String>) -> Arc<Series> {
        let pairs = self.declaration.labels.iter().cloned().zip(values.iter().cloned());
        let series =
            Arc::new(Series::new(&self.declaration.name, &self.declaration.kind, pairs.collect()));
        children.index.insert(values, series.clone());
        children.order.push(series.clone());
        series
    }

    fn lock(&self) -> MutexGuard<'_, Children> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(limit: usize) -> Family {
        let labels = vec!["a".to_owned()];
        let (name, help) = ("x".to_owned(), String::new());
        let kind = Kind::Counter;
        Family::new(Declaration { name, help, labels, kind, limit }.checked().unwrap())
    }

    #[test]
    fn label_sets_beyond_the_limit_share_one_series() {
        let family = family(2);
        for (value, shared) in [("1", false), ("2", false), ("3", true), ("4", true), ("1", false)]
        {
            let (series, overflow) = family.series(&[value]).unwrap();
            assert_eq!(overflow, shared, "{value}");
            series.number().unwrap().add(1.0);
        }
        let mut seen = Vec::new();
        family.each(|series| {
            seen.push((series.pairs()[0].1.clone(), series.number().unwrap().get() as i64));
        });
        let expected = [("1", 2), ("2", 1), (OVERFLOW, 2)];
        assert_eq!(seen, expected.map(|(value, count)| (value.to_owned(), count)));
        assert_eq!(family.refused(), 2);
    }

    #[test]
    fn a_forgotten_series_makes_room() {
        let family = family(1);
        family.series(&["1"]).unwrap();
        assert!(family.remove(&["1"]));
        assert!(!family.remove(&["1"]));
        assert!(!family.series(&["2"]).unwrap().1);
    }

    #[test]
    fn a_counter_is_called_total_and_label_counts_must_agree() {
        let family = family(1);
        assert_eq!(family.declaration().name, "x_total");
        assert!(family.series(&["1", "2"]).unwrap_err().to_string().contains("x_total"));
    }
}
