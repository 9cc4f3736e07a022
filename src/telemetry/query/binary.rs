use std::collections::{BTreeMap, BTreeSet};

use super::ast::{Matching, Operator};
use super::evaluate::{NAME, Point, Value, nameless};
use crate::telemetry::{Labels, TelemetryError};

/// Arithmetic, or a comparison as 0 and 1.
pub(super) fn scalars(operator: Operator, left: f64, right: f64) -> f64 {
    match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        Operator::Modulo => left % right,
        Operator::Power => left.powf(right),
        _ => f64::from(u8::from(holds(operator, left, right))),
    }
}

#[allow(clippy::float_cmp)] // it is what `==` means in the language
fn holds(operator: Operator, left: f64, right: f64) -> bool {
    match operator {
        Operator::Equal => left == right,
        Operator::NotEqual => left != right,
        Operator::Greater => left > right,
        Operator::Less => left < right,
        Operator::GreaterOrEqual => left >= right,
        Operator::LessOrEqual => left <= right,
        _ => false,
    }
}

/// At least one side is a vector.
pub(super) fn binary(
    operator: Operator,
    to_bool: bool,
    matching: &Matching,
    left: Value,
    right: Value,
) -> Result<Vec<Point>, TelemetryError> {
    Ok(match (left, right) {
        (Value::Vector(left), Value::Vector(right)) if operator.joins_sets() => {
            sets(operator, matching, left, right)
        }
        (Value::Vector(left), Value::Vector(right)) => {
            return vectors(operator, to_bool, matching, left, right);
        }
        (Value::Vector(points), Value::Scalar(right)) => points
            .into_iter()
            .filter_map(|point| combine(operator, to_bool, point.value, right, point, None))
            .collect(),
        (Value::Scalar(left), Value::Vector(points)) => points
            .into_iter()
            .filter_map(|point| {
                let value = point.value;
                combine(operator, to_bool, left, value, point, Some(value))
            })
            .collect(),
        (Value::Scalar(left), Value::Scalar(right)) => {
            vec![Point { labels: Labels::default(), value: scalars(operator, left, right) }]
        }
    })
}

/// `kept` is what a comparison lets through; by default the left side.
fn combine(
    operator: Operator,
    to_bool: bool,
    left: f64,
    right: f64,
    point: Point,
    kept: Option<f64>,
) -> Option<Point> {
    if operator.compares() && !to_bool {
        let value = kept.unwrap_or(left);
        return holds(operator, left, right).then_some(Point { labels: point.labels, value });
    }
    let value = scalars(operator, left, right);
    Some(Point { labels: nameless(&point.labels), value })
}

fn signature(matching: &Matching, labels: &Labels) -> Labels {
    match matching {
        Matching::On(names) => labels.filtered(|name| names.iter().any(|other| other == name)),
        Matching::Ignoring(names) => {
            labels.filtered(|name| name != NAME && !names.iter().any(|other| other == name))
        }
    }
}

fn vectors(
    operator: Operator,
    to_bool: bool,
    matching: &Matching,
    left: Vec<Point>,
    right: Vec<Point>,
) -> Result<Vec<Point>, TelemetryError> {
    let mut others = BTreeMap::new();
    for point in right {
        let signature = signature(matching, &point.labels);
        if others.insert(signature, point.value).is_some() {
            return Err(many("right"));
        }
    }
    let mut used = BTreeSet::new();
    let mut found = Vec::new();
    for point in left {
        let signature = signature(matching, &point.labels);
        let Some(&right) = others.get(&signature) else { continue };
        let left = point.value;
        if let Some(mut point) = combine(operator, to_bool, left, right, point, None) {
            if !used.insert(signature.clone()) {
                return Err(many("left"));
            }
            point.labels = match matching {
                Matching::On(_) => signature,
                Matching::Ignoring(names) => {
                    point.labels.filtered(|name| !names.iter().any(|other| other == name))
                }
            };
            found.push(point);
        }
    }
    Ok(found)
}

fn many(side: &str) -> TelemetryError {
    TelemetryError::Evaluation(format!(
        "several series on the {side} match one on the other side; name the labels that tell \
         them apart with on (...)"
    ))
}

fn sets(
    operator: Operator,
    matching: &Matching,
    mut left: Vec<Point>,
    right: Vec<Point>,
) -> Vec<Point> {
    let of = |points: &[Point]| -> BTreeSet<Labels> {
        points.iter().map(|point| signature(matching, &point.labels)).collect()
    };
    if operator == Operator::Or {
        let present = of(&left);
        left.extend(
            right.into_iter().filter(|p| !present.contains(&signature(matching, &p.labels))),
        );
        return left;
    }
    let present = of(&right);
    let wanted = operator == Operator::And;
    left.retain(|point| present.contains(&signature(matching, &point.labels)) == wanted);
    left
}
