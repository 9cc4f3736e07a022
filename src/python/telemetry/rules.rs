//! Expressions, matchers and the state of alerting rules.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

use super::History;
use super::history::named;
use super::wall::{micros, seconds};
use crate::python::errors::InvalidParameterError;
use crate::telemetry::{
    Active, Comparison, Condition, Expr, Labels, Matcher, Rule as Core, Step, Value, evaluate,
    parse, parse_matchers,
};

type Named = BTreeMap<String, String>;

#[derive(IntoPyObject)]
pub(in crate::python) enum Outcome {
    Scalar(f64),
    Vector(Vec<(Named, f64)>),
}

#[pyclass(frozen, module = "holdfast.telemetry")]
pub(in crate::python) struct Expression {
    expr: Expr,
    text: String,
}

#[pymethods]
impl Expression {
    #[new]
    fn new(text: String) -> PyResult<Self> {
        Ok(Self { expr: parse(&text)?, text })
    }

    fn evaluate(&self, history: &History, time: f64) -> PyResult<Outcome> {
        let value = evaluate(&self.expr, &history.lock(), micros("time", time)?)?;
        Ok(match value {
            Value::Scalar(value) => Outcome::Scalar(value),
            Value::Vector(points) => {
                Outcome::Vector(points.iter().map(|p| (named(&p.labels), p.value)).collect())
            }
        })
    }

    #[getter]
    fn text(&self) -> &str {
        &self.text
    }

    #[getter]
    fn metrics(&self) -> Vec<&str> {
        self.expr.metrics()
    }
}

#[pyclass(frozen, module = "holdfast.telemetry")]
pub(in crate::python) struct Matchers(Vec<Matcher>);

#[pymethods]
impl Matchers {
    #[new]
    fn new(text: &str) -> PyResult<Self> {
        Ok(Self(parse_matchers(text)?))
    }

    /// Whether one of them asks for more than that a label be missing.
    #[getter]
    fn selective(&self) -> bool {
        self.0.iter().any(Matcher::is_selective)
    }

    fn matches(&self, labels: Named) -> bool {
        let labels = Labels::new(labels);
        self.0.iter().all(|matcher| matcher.matches(&labels))
    }
}

/// Step, labels, value, seconds since 1970 from which on the condition was true.
type Row = (&'static str, Named, f64, f64);
/// Labels, value, since, whether it fires, when it ended while it is kept.
type State = (Named, f64, f64, bool, Option<f64>);

#[pyclass(frozen, module = "holdfast.telemetry")]
pub(in crate::python) struct RuleState(Mutex<Core>);

impl RuleState {
    fn lock(&self) -> MutexGuard<'_, Core> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn over(condition: Condition, hold: f64, keep: f64) -> PyResult<Self> {
        let hold = micros("duration_seconds", hold)?;
        let keep = micros("keep_firing_seconds", keep)?;
        Ok(Self(Mutex::new(Core::new(condition, hold, keep)?)))
    }
}

#[pymethods]
impl RuleState {
    #[staticmethod]
    fn expression(expression: &Expression, hold: f64, keep: f64) -> PyResult<Self> {
        Self::over(Condition::Expression(expression.expr.clone()), hold, keep)
    }

    #[staticmethod]
    fn threshold(
        name: String,
        comparison: &str,
        threshold: f64,
        labels: Named,
        hold: f64,
    ) -> PyResult<Self> {
        let Some(comparison) = Comparison::parse(comparison) else {
            return Err(InvalidParameterError::new_err(format!(
                "comparison must be gt, gte, lt, lte or eq, got {comparison:?}"
            )));
        };
        let matchers = labels.iter().map(|(name, value)| Matcher::new(name, "=", value));
        let matchers = matchers.collect::<Result<_, _>>()?;
        Self::over(Condition::Threshold { name, matchers, comparison, threshold }, hold, 0.0)
    }

    fn evaluate(&self, history: &History, time: f64) -> PyResult<Vec<Row>> {
        let now = micros("time", time)?;
        let changes = self.lock().evaluate(&history.lock(), now)?;
        let row = |change: crate::telemetry::Change| {
            let step = match change.step {
                Step::Pending => "pending",
                Step::Fired => "fired",
                Step::Resolved => "resolved",
            };
            (step, named(&change.labels), change.value, seconds(change.since))
        };
        Ok(changes.into_iter().map(row).collect())
    }

    fn active(&self) -> Vec<State> {
        let rule = self.lock();
        let state = |(labels, state): (&Labels, &Active)| {
            let ended = state.ended.map(seconds);
            (named(labels), state.value, seconds(state.since), state.firing, ended)
        };
        rule.active().iter().map(state).collect()
    }

    fn restore(&self, states: Vec<State>) -> PyResult<()> {
        let mut rule = self.lock();
        for (labels, value, since, firing, ended) in states {
            let since = micros("since", since)?;
            let ended = ended.map(|ended| micros("ended", ended)).transpose()?;
            rule.restore(Labels::new(labels), Active { since, firing, value, ended });
        }
        Ok(())
    }
}
