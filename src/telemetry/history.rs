use std::collections::{BTreeMap, VecDeque};

use super::names::check_metric;
use super::{Labels, Micros, OVERFLOW, SECOND, TelemetryError, sorted_quantile};

/// A value at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// When.
    pub time: Micros,
    /// What.
    pub value: f64,
}

/// Where the samples of a ring come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Recorded one by one by the program.
    Recorded,
    /// Read from a registry at intervals.
    Scraped,
}

/// The samples of one series, in the order they came.
#[derive(Clone, Debug)]
pub struct Ring {
    samples: VecDeque<Sample>,
    ordered: bool,
    kind: &'static str,
    origin: Origin,
    /// Position of the last sample among all that were ever recorded.
    last: u64,
}

impl Ring {
    /// In the order they came.
    pub fn samples(&self) -> impl DoubleEndedIterator<Item = &Sample> {
        self.samples.iter()
    }

    /// As the last sample was recorded.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Where they come from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Position of the last sample among all that were ever recorded.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Those of `[start, end]`, by time.
    pub fn between(&self, start: Micros, end: Micros) -> Vec<Sample> {
        let inside = |sample: &&Sample| (start..=end).contains(&sample.time);
        if self.ordered {
            let from = self.samples.partition_point(|sample| sample.time < start);
            return self.samples.range(from..).take_while(inside).copied().collect();
        }
        let mut samples: Vec<_> = self.samples.iter().filter(inside).copied().collect();
        samples.sort_by_key(|sample| sample.time);
        samples
    }

    fn push(&mut self, sample: Sample, capacity: usize) {
        self.ordered &= self.samples.back().is_none_or(|last| last.time <= sample.time);
        if self.samples.len() >= capacity {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }
}

/// How the samples of a window become one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aggregation {
    /// Arithmetic mean.
    Average,
    /// Total.
    Sum,
    /// Least.
    Min,
    /// Most.
    Max,
    /// How many numbers.
    Count,
    /// How many samples that are not numbers; all others leave these out.
    NanCount,
    /// In `[0, 1]`, interpolated.
    Quantile(f64),
}

impl Aggregation {
    /// `avg`, `sum`, `min`, `max`, `count`, or a percentile such as `p99.9`.
    pub fn parse(text: &str) -> Result<Self, TelemetryError> {
        let percentile = text.strip_prefix('p').and_then(|p| p.parse::<f64>().ok());
        match (text, percentile) {
            ("avg", _) => Ok(Self::Average),
            ("sum", _) => Ok(Self::Sum),
            ("min", _) => Ok(Self::Min),
            ("max", _) => Ok(Self::Max),
            ("count", _) => Ok(Self::Count),
            ("nan_count", _) => Ok(Self::NanCount),
            (_, Some(p)) if (0.0..=100.0).contains(&p) => Ok(Self::Quantile(p / 100.0)),
            _ => Err(TelemetryError::Parameter(format!(
                "aggregation must be avg, sum, min, max, count, nan_count or a percentile such \
                 as p95, got {text:?}"
            ))),
        }
    }

    /// Of all samples in a window; nothing where there is nothing to take it of.
    pub fn of(self, mut values: Vec<f64>) -> Option<f64> {
        let all = values.len();
        values.retain(|value| !value.is_nan());
        let nans = all - values.len();
        match self {
            _ if all == 0 => None,
            Self::NanCount => Some(nans as f64),
            Self::Count => Some(values.len() as f64),
            _ if values.is_empty() => None,
            _ => Some(self.of_numbers(&mut values)),
        }
    }

    fn of_numbers(self, values: &mut [f64]) -> f64 {
        let count = values.len() as f64;
        match self {
            Self::Average => values.iter().sum::<f64>() / count,
            Self::Sum => values.iter().sum(),
            Self::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
            Self::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Self::Count | Self::NanCount => count,
            Self::Quantile(q) => {
                values.sort_by(f64::total_cmp);
                sorted_quantile(q, values)
            }
        }
    }
}

/// The last samples of every series: a ring each, with a retention.
#[derive(Clone, Debug)]
pub struct History {
    retention: Micros,
    scraped_retention: Micros,
    capacity: usize,
    limit: usize,
    names: BTreeMap<String, BTreeMap<Labels, Ring>>,
    recorded: u64,
}

impl History {
    /// Samples are kept for `retention`, those read from a registry for `scraped_retention`;
    /// at most `capacity` a series, at most `limit` label sets a name.
    pub fn new(
        retention: Micros,
        scraped_retention: Micros,
        capacity: usize,
        limit: usize,
    ) -> Result<Self, TelemetryError> {
        for (name, value) in [("retention", retention), ("scraped_retention", scraped_retention)] {
            if value <= 0 {
                let seconds = value as f64 / SECOND as f64;
                let message = format!("{name} must be positive, got {seconds} s");
                return Err(TelemetryError::Parameter(message));
            }
        }
        for (name, value) in [("capacity", capacity), ("limit", limit)] {
            if value == 0 {
                let message = format!("{name} must be 1 or more, got 0");
                return Err(TelemetryError::Parameter(message));
            }
        }
        let (names, recorded) = (BTreeMap::new(), 0);
        Ok(Self { retention, scraped_retention, capacity, limit, names, recorded })
    }

    /// Refuses a name that could not be exposed.
    pub fn check_name(name: &str) -> Result<(), TelemetryError> {
        check_metric(name)
    }

    /// Appends a sample; beyond the limit of label sets it goes to the overflow series.
    pub fn record(
        &mut self,
        name: &str,
        labels: Labels,
        time: Micros,
        value: f64,
        kind: &'static str,
        origin: Origin,
    ) {
        self.recorded += 1;
        if !self.names.contains_key(name) {
            self.names.insert(name.to_owned(), BTreeMap::new());
        }
        let Some(rings) = self.names.get_mut(name) else { return };
        let labels = if rings.len() >= self.limit && !rings.contains_key(&labels) {
            Labels::new(labels.iter().map(|(name, _)| (name.to_owned(), OVERFLOW.to_owned())))
        } else {
            labels
        };
        let ring = rings.entry(labels).or_insert_with(|| Ring {
            samples: VecDeque::new(),
            ordered: true,
            kind,
            origin,
            last: 0,
        });
        (ring.kind, ring.origin, ring.last) = (kind, origin, self.recorded);
        ring.push(Sample { time, value }, self.capacity);
    }

    /// Drops, from the front, what is older than the retention, and series left empty.
    pub fn purge(&mut self, now: Micros) {
        for rings in self.names.values_mut() {
            for ring in rings.values_mut() {
                let retention = match ring.origin {
                    Origin::Recorded => self.retention,
                    Origin::Scraped => self.scraped_retention,
                };
                let oldest = now.saturating_sub(retention);
                while ring.samples.front().is_some_and(|sample| sample.time < oldest) {
                    ring.samples.pop_front();
                }
                ring.ordered |= ring.samples.len() < 2;
            }
            rings.retain(|_, ring| !ring.samples.is_empty());
        }
        self.names.retain(|_, rings| !rings.is_empty());
    }

    /// Every name with a sample.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// The series of a name whose labels satisfy `wanted`.
    pub fn rings<'a>(
        &'a self,
        name: &str,
        wanted: impl Fn(&Labels) -> bool + 'a,
    ) -> impl Iterator<Item = (&'a Labels, &'a Ring)> {
        let rings = self.names.get(name).into_iter().flatten();
        rings.filter(move |(labels, _)| wanted(labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(capacity: usize, limit: usize) -> History {
        History::new(100, 50, capacity, limit).unwrap()
    }

    fn put(history: &mut History, label: &str, time: Micros, origin: Origin) {
        let labels = Labels::new([("a".to_owned(), label.to_owned())]);
        history.record("x", labels, time, time as f64, "gauge", origin);
    }

    fn times(history: &History) -> Vec<Micros> {
        history.rings("x", |_| true).flat_map(|(_, ring)| ring.samples().map(|s| s.time)).collect()
    }

    #[test]
    fn a_full_ring_forgets_its_oldest() {
        let mut history = history(2, 10);
        for time in 0..4 {
            put(&mut history, "", time, Origin::Recorded);
        }
        assert_eq!(times(&history), [2, 3]);
    }

    #[test]
    fn each_origin_has_its_retention_and_empty_series_go() {
        let mut history = history(10, 10);
        put(&mut history, "r", 0, Origin::Recorded);
        put(&mut history, "s", 0, Origin::Scraped);
        history.purge(51);
        assert_eq!(times(&history).len(), 1);
        history.purge(101);
        assert_eq!(history.names().count(), 0);
    }

    #[test]
    fn label_sets_beyond_the_limit_share_one_series() {
        let mut history = history(10, 2);
        for label in ["1", "2", "3", "4"] {
            put(&mut history, label, 0, Origin::Recorded);
        }
        let labels: Vec<_> =
            history.rings("x", |_| true).map(|(labels, _)| labels.get("a")).collect();
        assert_eq!(labels, ["1", "2", OVERFLOW]);
    }

    #[test]
    fn a_window_is_in_the_order_of_time_even_when_the_ring_is_not() {
        let mut history = history(10, 10);
        for time in [3, 1, 2, 9] {
            put(&mut history, "", time, Origin::Recorded);
        }
        let (_, ring) = history.rings("x", |_| true).next().unwrap();
        assert_eq!(ring.between(1, 3).iter().map(|s| s.time).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn aggregations_have_names() {
        for (name, expected) in [
            ("avg", 2.5),
            ("sum", 10.0),
            ("min", 1.0),
            ("max", 4.0),
            ("count", 4.0),
            ("p50", 2.5),
            ("nan_count", 1.0),
        ] {
            let aggregation = Aggregation::parse(name).unwrap();
            let value = aggregation.of(vec![4.0, f64::NAN, 1.0, 3.0, 2.0]);
            assert!((value.unwrap() - expected).abs() < 1e-12, "{name}");
            assert_eq!(aggregation.of(Vec::new()), None);
            let alone = aggregation.of(vec![f64::NAN]);
            assert_eq!(alone.is_some(), name.ends_with("count"), "{name}");
        }
        for bad in ["median", "p", "p101", ""] {
            assert!(Aggregation::parse(bad).is_err(), "{bad}");
        }
    }
}
