use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use super::{Histogram, Kind, Labels, Micros, Number, Summary, TelemetryError};

/// What a series holds.
#[derive(Debug)]
pub enum State {
    /// Of a counter or a gauge.
    Number(Number),
    /// Of a histogram.
    Histogram(Histogram),
    /// Of a summary.
    Summary(Box<Mutex<Summary>>),
}

/// One set of label values of a family.
#[derive(Debug)]
pub struct Series {
    pairs: Vec<(String, String)>,
    /// What stands before each value in the text formats, rendered once.
    heads: Box<[Box<str>]>,
    quantiles: Box<[f64]>,
    state: State,
}

/// Appends `text` as it may stand between double quotes.
pub(super) fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            _ => out.push(c),
        }
    }
}

/// `name{a="b"} `, with the blank.
pub(super) fn head<'a>(name: &str, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Box<str> {
    let mut text = name.to_owned();
    let mut opened = false;
    for (label, value) in pairs {
        text.push(if opened { ',' } else { '{' });
        opened = true;
        text.push_str(label);
        text.push_str("=\"");
        escape(&mut text, value);
        text.push('"');
    }
    text.push_str(if opened { "} " } else { " " });
    text.into()
}

/// Whether it may be the value of a counter: infinite of both signs add up to NaN.
fn rises(sum: f64) -> bool {
    sum >= 0.0
}

/// A float as it stands in `le` and `quantile`.
pub(super) fn bound(value: f64) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = if value == f64::INFINITY { write!(text, "+Inf") } else { write!(text, "{value:?}") };
    text
}

impl Series {
    pub(super) fn new(name: &str, kind: &Kind, pairs: Vec<(String, String)>) -> Self {
        let of = |suffix: &str, extra: Option<(&str, String)>| {
            let extra = extra.iter().map(|(name, value)| (*name, value.as_str()));
            let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            head(&format!("{name}{suffix}"), pairs.chain(extra))
        };
        let ends = || [of("_sum", None), of("_count", None)];
        let mut quantiles: Box<[f64]> = Box::default();
        let (heads, state): (Vec<_>, _) = match kind {
            Kind::Counter | Kind::Gauge => (vec![of("", None)], State::Number(Number::default())),
            Kind::Histogram(bounds) => {
                let all = bounds.iter().chain(&[f64::INFINITY]);
                let buckets = all.map(|le| of("_bucket", Some(("le", bound(*le)))));
                let histogram = Histogram::new(bounds.clone());
                (buckets.chain(ends()).collect(), State::Histogram(histogram))
            }
            Kind::Summary { quantiles: wanted, window } => {
                quantiles = wanted.iter().copied().collect();
                let lines = wanted.iter().map(|q| of("", Some(("quantile", bound(*q)))));
                let state = State::Summary(Box::new(Mutex::new(Summary::new(*window))));
                (lines.chain(ends()).collect(), state)
            }
        };
        Self { pairs, heads: heads.into(), quantiles, state }
    }

    /// Label names and values, in the order of the declaration.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// What it holds.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The quantiles a summary exposes.
    pub fn quantiles(&self) -> &[f64] {
        &self.quantiles
    }

    /// The number of a counter or a gauge.
    pub fn number(&self) -> Result<&Number, TelemetryError> {
        match &self.state {
            State::Number(number) => Ok(number),
            _ => Err(TelemetryError::Value("series holds no single number".to_owned())),
        }
    }

    /// Each line's head with its value; what a scrape sees.
    /// With `rising`, what `OpenMetrics` forbids is left out: a sum that is no counter or no
    /// number, with its count, and negative quantiles.
    pub(super) fn lines(&self, now: Micros, rising: bool, mut line: impl FnMut(&str, f64)) {
        match &self.state {
            State::Number(number) => line(&self.heads[0], number.get()),
            State::Histogram(histogram) => {
                let mut count = 0;
                for (head, (_, below)) in self.heads.iter().zip(histogram.cumulative()) {
                    line(head, below as f64);
                    count = below;
                }
                let sum = histogram.sum();
                let signed = histogram.cumulative().next().is_some_and(|(bound, _)| bound < 0.0);
                self.ends(sum, count, rising && (signed || !rises(sum)), line);
            }
            State::Summary(summary) => {
                let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
                for (head, q) in self.heads.iter().zip(&self.quantiles) {
                    let value = summary.quantile(*q, now);
                    if !(rising && value < 0.0) {
                        line(head, value);
                    }
                }
                let sum = summary.sum();
                self.ends(sum, summary.count(), rising && !rises(sum), line);
            }
        }
    }

    fn ends(&self, sum: f64, count: u64, falls: bool, mut line: impl FnMut(&str, f64)) {
        let [.., sum_head, count_head] = &*self.heads else { return };
        if !falls {
            line(sum_head, sum);
            line(count_head, count as f64);
        }
    }

    /// Name suffix, labels and value of each line; what history keeps.
    pub(super) fn samples(&self, now: Micros, mut sample: impl FnMut(&str, Labels, f64)) {
        let labels = Labels::new(self.pairs.iter().cloned());
        let with = |name: &str, value: f64| {
            let mut labels = labels.clone();
            labels.set(name, &bound(value));
            labels
        };
        match &self.state {
            State::Number(number) => sample("", labels, number.get()),
            State::Histogram(histogram) => {
                let mut count = 0;
                for (le, below) in histogram.cumulative() {
                    sample("_bucket", with("le", le), below as f64);
                    count = below;
                }
                sample("_sum", labels.clone(), histogram.sum());
                sample("_count", labels, count as f64);
            }
            State::Summary(summary) => {
                let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
                for &q in &self.quantiles {
                    sample("", with("quantile", q), summary.quantile(q, now));
                }
                sample("_sum", labels.clone(), summary.sum());
                sample("_count", labels, summary.count() as f64);
            }
        }
    }
}
