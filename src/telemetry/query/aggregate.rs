use std::collections::BTreeMap;

use super::ast::{Aggregator, Grouping};
use super::evaluate::{NAME, Point};
use super::ranges;
use crate::telemetry::{Labels, sorted_quantile};

pub(super) fn aggregate(
    aggregator: Aggregator,
    parameter: Option<f64>,
    grouping: &Grouping,
    points: &[Point],
) -> Vec<Point> {
    let mut groups: BTreeMap<Labels, Vec<f64>> = BTreeMap::new();
    for point in points {
        let key = match grouping {
            Grouping::By(names) => point.labels.filtered(|name| names.iter().any(|n| n == name)),
            Grouping::Without(names) => {
                point.labels.filtered(|name| name != NAME && !names.iter().any(|n| n == name))
            }
        };
        groups.entry(key).or_default().push(point.value);
    }
    let one = |(labels, mut values): (Labels, Vec<f64>)| {
        let value = match aggregator {
            Aggregator::Sum => values.iter().sum(),
            Aggregator::Avg => ranges::average(&values),
            Aggregator::Min => ranges::least(&values),
            Aggregator::Max => ranges::most(&values),
            Aggregator::Count => values.len() as f64,
            Aggregator::Stddev => ranges::variance(&values).sqrt(),
            Aggregator::Stdvar => ranges::variance(&values),
            Aggregator::Quantile => {
                ranges::sort(&mut values);
                sorted_quantile(parameter.unwrap_or(f64::NAN), &values)
            }
        };
        Point { labels, value }
    };
    groups.into_iter().map(one).collect()
}
