use crate::telemetry::query::{Expr, Matcher, Value, evaluate};
use crate::telemetry::{History, Labels, Micros, Ring, TelemetryError};

/// How a value is compared with a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Above.
    Gt,
    /// At or above.
    Gte,
    /// Below.
    Lt,
    /// At or below.
    Lte,
    /// The same.
    Eq,
}

impl Comparison {
    /// `gt`, `gte`, `lt`, `lte` or `eq`.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "gt" => Self::Gt,
            "gte" => Self::Gte,
            "lt" => Self::Lt,
            "lte" => Self::Lte,
            "eq" => Self::Eq,
            _ => return None,
        })
    }

    /// Never true of NaN.
    #[allow(clippy::float_cmp)] // it is what `eq` says
    pub fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Gt => value > threshold,
            Self::Gte => value >= threshold,
            Self::Lt => value < threshold,
            Self::Lte => value <= threshold,
            Self::Eq => value == threshold,
        }
    }
}

/// What is watched.
#[derive(Clone, Debug)]
pub enum Condition {
    /// True for every series an expression results in.
    Expression(Expr),
    /// True for every series whose last sample compares so; it stands until the next sample.
    Threshold {
        /// Of the metric.
        name: String,
        /// All of them hold.
        matchers: Vec<Matcher>,
        /// How.
        comparison: Comparison,
        /// With what.
        threshold: f64,
    },
}

/// A series for which the condition is true.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Truth {
    pub(super) labels: Labels,
    pub(super) value: f64,
    pub(super) since: Micros,
}

impl Condition {
    pub(super) fn truths(
        &self,
        history: &History,
        now: Micros,
    ) -> Result<Vec<Truth>, TelemetryError> {
        match self {
            Self::Expression(expr) => Ok(match evaluate(expr, history, now)? {
                // As in Prometheus, whose scalar result is a vector without labels.
                Value::Scalar(value) => {
                    vec![Truth { labels: Labels::default(), value, since: now }]
                }
                Value::Vector(points) => points
                    .into_iter()
                    .map(|point| Truth {
                        labels: point.labels.filtered(|name| name != "__name__"),
                        value: point.value,
                        since: now,
                    })
                    .collect(),
            }),
            Self::Threshold { name, matchers, comparison, threshold } => {
                let wanted = |labels: &Labels| matchers.iter().all(|m| m.matches(labels));
                let holds = |value: f64| comparison.holds(value, *threshold);
                let truth = |(labels, ring): (&Labels, &Ring)| {
                    let value = ring.samples().next_back()?.value;
                    let run = ring.samples().rev().take_while(|sample| holds(sample.value));
                    let since = run.map(|sample| sample.time).min()?;
                    Some(Truth { labels: labels.clone(), value, since })
                };
                Ok(history.rings(name, wanted).filter_map(truth).collect())
            }
        }
    }
}
