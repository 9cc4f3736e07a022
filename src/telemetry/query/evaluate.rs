use std::collections::BTreeSet;

use super::aggregate::aggregate;
use super::ast::{Expr, Node, Selector};
use super::binary::{binary, scalars};
use super::functions::Function;
use super::{deviation, ranges};
use crate::telemetry::{History, Labels, Micros, SECOND, Sample, TelemetryError, bucket_quantile};

/// A sample older than this is no present value.
const LOOKBACK: Micros = 300 * SECOND;

/// The label that holds the name of a metric.
pub(super) const NAME: &str = "__name__";

/// One series of a result.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// With the metric's name as `__name__` where the expression keeps it.
    pub labels: Labels,
    /// Its value.
    pub value: f64,
}

/// What an expression evaluates to.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number without labels.
    Scalar(f64),
    /// One value a label set.
    Vector(Vec<Point>),
}

type Result<T> = std::result::Result<T, TelemetryError>;

/// Evaluates `expr` on `history` as of `now`.
pub fn evaluate(expr: &Expr, history: &History, now: Micros) -> Result<Value> {
    Evaluation { history, now }.node(&expr.0)
}

struct Evaluation<'a> {
    history: &'a History,
    now: Micros,
}

impl Evaluation<'_> {
    fn node(&self, node: &Node) -> Result<Value> {
        Ok(match node {
            Node::Number(value) => Value::Scalar(*value),
            Node::Instant(selector) => Value::Vector(self.instant(selector)),
            Node::Range(..) => return Err(misfit("a range has no value of its own")),
            Node::Negate(body) => match self.node(body)? {
                Value::Scalar(value) => Value::Scalar(-value),
                Value::Vector(points) => Value::Vector(mapped(points, |value| -value)?),
            },
            Node::Binary { operator, to_bool, matching, left, right } => {
                match (self.node(left)?, self.node(right)?) {
                    (Value::Scalar(left), Value::Scalar(right)) => {
                        Value::Scalar(scalars(*operator, left, right))
                    }
                    (left, right) => Value::Vector(distinct(binary(
                        *operator, *to_bool, matching, left, right,
                    )?)?),
                }
            }
            Node::Call(function, arguments) => self.call(*function, arguments)?,
            Node::Aggregate { aggregator, parameter, grouping, body } => {
                let parameter = parameter.as_ref().map(|node| self.scalar(node)).transpose()?;
                let points = self.vector(body)?;
                Value::Vector(aggregate(*aggregator, parameter, grouping, &points))
            }
        })
    }

    fn scalar(&self, node: &Node) -> Result<f64> {
        match self.node(node)? {
            Value::Scalar(value) => Ok(value),
            Value::Vector(_) => Err(misfit("expected a scalar")),
        }
    }

    fn vector(&self, node: &Node) -> Result<Vec<Point>> {
        match self.node(node)? {
            Value::Vector(points) => Ok(points),
            Value::Scalar(_) => Err(misfit("expected a vector")),
        }
    }

    /// The series of a selector, each with what `pick` makes of its samples of `[start, end]`.
    fn select<T>(
        &self,
        selector: &Selector,
        back: Micros,
        pick: impl Fn(Vec<Sample>) -> Option<T>,
    ) -> Vec<(Labels, T)> {
        let end = self.now - selector.offset;
        let named: Vec<&str> = if selector.name.is_empty() {
            let wanted = |name: &&str| {
                let mut all = selector.matchers.iter().filter(|m| m.name() == NAME);
                all.all(|matcher| matcher.accepts(name))
            };
            self.history.names().filter(wanted).collect()
        } else {
            vec![&selector.name]
        };
        let mut found = Vec::new();
        for name in named {
            let wanted = |labels: &Labels| {
                let mut others = selector.matchers.iter().filter(|m| m.name() != NAME);
                others.all(|matcher| matcher.matches(labels))
            };
            for (labels, ring) in self.history.rings(name, wanted) {
                if let Some(picked) = pick(ring.between(end - back, end)) {
                    let mut labels = labels.clone();
                    labels.set(NAME, name);
                    found.push((labels, picked));
                }
            }
        }
        found
    }

    fn instant(&self, selector: &Selector) -> Vec<Point> {
        let last = |samples: Vec<Sample>| samples.last().map(|sample| sample.value);
        let found = self.select(selector, LOOKBACK, last);
        found.into_iter().map(|(labels, value)| Point { labels, value }).collect()
    }

    /// `of` gets the samples and the two ends of the range; the name is dropped.
    fn over(
        &self,
        node: &Node,
        of: impl Fn(&[Sample], Micros, Micros) -> Option<f64>,
    ) -> Result<Vec<Point>> {
        let Node::Range(selector, back) = node else { return Err(misfit("expected a range")) };
        let end = self.now - selector.offset;
        let found = self.select(selector, *back, |samples| {
            if samples.is_empty() { None } else { of(&samples, end - back, end) }
        });
        distinct(
            found
                .into_iter()
                .map(|(labels, value)| Point { labels: nameless(&labels), value })
                .collect(),
        )
    }

    fn call(&self, function: Function, arguments: &[Node]) -> Result<Value> {
        use Function as F;
        let values = |of: fn(&[f64]) -> f64| {
            self.over(&arguments[0], move |samples, _, _| {
                Some(of(&samples.iter().map(|sample| sample.value).collect::<Vec<_>>()))
            })
        };
        let each = |of: fn(f64) -> f64| mapped(self.vector(&arguments[0])?, of);
        let second = || self.scalar(&arguments[1]);
        Ok(Value::Vector(match function {
            F::Time => return Ok(Value::Scalar(self.now as f64 / SECOND as f64)),
            F::Scalar => {
                let points = self.vector(&arguments[0])?;
                let only = if points.len() == 1 { points[0].value } else { f64::NAN };
                return Ok(Value::Scalar(only));
            }
            F::Vector => {
                vec![Point { labels: Labels::default(), value: self.scalar(&arguments[0])? }]
            }
            F::Absent => self.absent(&arguments[0])?,
            F::Abs => each(f64::abs)?,
            F::Ceil => each(f64::ceil)?,
            F::Floor => each(f64::floor)?,
            F::Sqrt => each(f64::sqrt)?,
            F::Exp => each(f64::exp)?,
            F::Ln => each(f64::ln)?,
            F::Round => {
                let to = if arguments.len() == 2 { second()? } else { 1.0 };
                let inverse = 1.0 / to;
                let round = |value: f64| (value * inverse + 0.5).floor() / inverse;
                mapped(self.vector(&arguments[0])?, round)?
            }
            F::ClampMax => {
                let most = second()?;
                mapped(self.vector(&arguments[0])?, |value| clamped(value, most, f64::min))?
            }
            F::ClampMin => {
                let least = second()?;
                mapped(self.vector(&arguments[0])?, |value| clamped(value, least, f64::max))?
            }
            F::HistogramQuantile => self.histogram_quantile(arguments)?,
            F::AvgOverTime => values(ranges::average)?,
            F::SumOverTime => values(ranges::sum)?,
            F::MinOverTime => values(ranges::least)?,
            F::MaxOverTime => values(ranges::most)?,
            F::CountOverTime => values(|values| values.len() as f64)?,
            F::LastOverTime => self.last_over_time(&arguments[0])?,
            F::StddevOverTime => values(|values| ranges::variance(values).sqrt())?,
            F::StdvarOverTime => values(ranges::variance)?,
            F::Changes => values(ranges::changes)?,
            F::Resets => values(ranges::resets)?,
            F::QuantileOverTime => {
                let q = self.scalar(&arguments[0])?;
                self.over(&arguments[1], |samples, _, _| Some(ranges::quantile(q, samples)))?
            }
            F::Rate => self.over(&arguments[0], |samples, start, end| {
                let seconds = (end - start) as f64 / SECOND as f64;
                ranges::extrapolated(samples, start, end, true, Some(seconds))
            })?,
            F::Increase => self.over(&arguments[0], |samples, start, end| {
                ranges::extrapolated(samples, start, end, true, None)
            })?,
            F::Delta => self.over(&arguments[0], |samples, start, end| {
                ranges::extrapolated(samples, start, end, false, None)
            })?,
            F::Irate => self.over(&arguments[0], |s, _, _| ranges::instant(s, true))?,
            F::Idelta => self.over(&arguments[0], |s, _, _| ranges::instant(s, false))?,
            F::Ewma | F::EwmaStddev | F::EwmaZscore => {
                let weight = if arguments.len() == 2 { second()? } else { deviation::WEIGHT };
                if !(weight > 0.0 && weight < 1.0) {
                    let message = format!("weight must be in (0, 1), got {weight}");
                    return Err(TelemetryError::Evaluation(message));
                }
                self.over(&arguments[0], |samples, _, _| match function {
                    F::Ewma => deviation::moving(samples, weight).map(|(mean, _)| mean),
                    F::EwmaStddev => deviation::moving(samples, weight).map(|(_, spread)| spread),
                    _ => deviation::moving_zscore(samples, weight),
                })?
            }
            F::MedianOverTime => {
                self.over(&arguments[0], |s, _, _| deviation::robust(s).map(|(median, _)| median))?
            }
            F::MadOverTime => {
                self.over(&arguments[0], |s, _, _| deviation::robust(s).map(|(_, away)| away))?
            }
            F::RobustZscore => self.over(&arguments[0], |s, _, _| deviation::robust_zscore(s))?,
        }))
    }

    /// The one function over a range that keeps the name.
    fn last_over_time(&self, node: &Node) -> Result<Vec<Point>> {
        let Node::Range(selector, back) = node else { return Err(misfit("expected a range")) };
        let found = self.select(selector, *back, |s| s.last().map(|sample| sample.value));
        Ok(found.into_iter().map(|(labels, value)| Point { labels, value }).collect())
    }

    fn absent(&self, node: &Node) -> Result<Vec<Point>> {
        if !self.vector(node)?.is_empty() {
            return Ok(Vec::new());
        }
        let mut labels = Labels::default();
        if let Node::Instant(selector) = node {
            for matcher in selector.matchers.iter().filter(|m| m.name() != NAME) {
                let alone =
                    selector.matchers.iter().filter(|m| m.name() == matcher.name()).count() == 1;
                match matcher.equality() {
                    Some((name, value)) if alone => labels.set(name, value),
                    _ => labels.set(matcher.name(), ""),
                }
            }
        }
        Ok(vec![Point { labels, value: 1.0 }])
    }

    fn histogram_quantile(&self, arguments: &[Node]) -> Result<Vec<Point>> {
        let q = self.scalar(&arguments[0])?;
        let mut groups: Vec<(Labels, Vec<(f64, f64)>)> = Vec::new();
        for point in self.vector(&arguments[1])? {
            // A series without a bound is no bucket.
            let Ok(bound) = point.labels.get("le").parse::<f64>() else { continue };
            let labels = point.labels.filtered(|name| name != "le" && name != NAME);
            match groups.iter_mut().find(|(other, _)| *other == labels) {
                Some((_, buckets)) => buckets.push((bound, point.value)),
                None => groups.push((labels, vec![(bound, point.value)])),
            }
        }
        let quantile = |(labels, mut buckets): (Labels, Vec<(f64, f64)>)| {
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            Point { labels, value: bucket_quantile(q, &buckets) }
        };
        Ok(groups.into_iter().map(quantile).collect())
    }
}

/// NaN stays, on either side.
fn clamped(value: f64, limit: f64, pick: fn(f64, f64) -> f64) -> f64 {
    if value.is_nan() || limit.is_nan() { f64::NAN } else { pick(value, limit) }
}

fn misfit(message: &str) -> TelemetryError {
    TelemetryError::Evaluation(message.to_owned())
}

pub(super) fn nameless(labels: &Labels) -> Labels {
    labels.filtered(|name| name != NAME)
}

fn mapped(points: Vec<Point>, of: impl Fn(f64) -> f64) -> Result<Vec<Point>> {
    let point = |p: Point| Point { labels: nameless(&p.labels), value: of(p.value) };
    distinct(points.into_iter().map(point).collect())
}

fn distinct(points: Vec<Point>) -> Result<Vec<Point>> {
    let mut seen = BTreeSet::new();
    match points.iter().find(|point| !seen.insert(&point.labels)) {
        Some(twice) => Err(TelemetryError::Evaluation(format!(
            "two series of the result have the same labels {:?}",
            twice.labels.iter().collect::<Vec<_>>()
        ))),
        None => Ok(points),
    }
}
