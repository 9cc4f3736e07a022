use super::*;
use crate::telemetry::{History, Labels, Micros, Origin, SECOND};

fn history() -> History {
    let mut history = History::new(1 << 50, 1 << 50, 1000, 1000).unwrap();
    let mut put = |name: &str, label: &str, value: &dyn Fn(f64) -> f64| {
        for i in 0..=10 {
            let labels = Labels::new([("a".to_owned(), label.to_owned())]);
            let time = i * 60 * SECOND;
            history.record(name, labels, time, value(i as f64), "gauge", Origin::Recorded);
        }
    };
    put("up", "1", &|i| i);
    put("up", "2", &|i| 2.0 * i);
    put("other", "1", &|_| 5.0);
    history
}

const NOW: Micros = 600 * SECOND;

fn result(text: &str) -> Vec<(String, f64)> {
    match evaluate(&parse(text).unwrap(), &history(), NOW).unwrap() {
        Value::Scalar(value) => vec![(String::new(), value)],
        Value::Vector(points) => points
            .into_iter()
            .map(|point| (point.labels.iter().map(|(_, value)| value).collect(), point.value))
            .collect(),
    }
}

#[test]
fn expressions_have_the_values_prometheus_documents() {
    let cases: [(&str, &[(&str, f64)]); 19] = [
        ("1 + 2 * 3 ^ 2 ^ 0.5", &[("", 1.0 + 2.0 * 3f64.powf(2f64.powf(0.5)))]),
        ("-2 ^ 2", &[("", -4.0)]),
        ("up", &[("up1", 10.0), ("up2", 20.0)]),
        ("up{a=\"1\"}", &[("up1", 10.0)]),
        ("{__name__=~\"o.*\"}", &[("other1", 5.0)]),
        ("up > 15", &[("up2", 20.0)]),
        ("15 < up", &[("up2", 20.0)]),
        ("up > bool 15", &[("1", 0.0), ("2", 1.0)]),
        ("up offset 5m", &[("up1", 5.0), ("up2", 10.0)]),
        ("sum(up)", &[("", 30.0)]),
        ("sum by (a) (up)", &[("1", 10.0), ("2", 20.0)]),
        ("max without (a) (up)", &[("", 20.0)]),
        ("quantile(0.5, up)", &[("", 15.0)]),
        ("up / on (a) other", &[("1", 2.0)]),
        ("rate(up[5m])", &[("1", 1.0 / 60.0), ("2", 2.0 / 60.0)]),
        ("avg_over_time(up{a=\"1\"}[2m])", &[("1", 9.0)]),
        ("absent(gone{a=\"1\"})", &[("1", 1.0)]),
        ("scalar(up{a=\"1\"}) + time()", &[("", 610.0)]),
        ("up unless other", &[("up2", 20.0)]),
    ];
    for (text, expected) in cases {
        let found = result(text);
        assert_eq!(found.len(), expected.len(), "{text}: {found:?}");
        for ((labels, value), (want_labels, want)) in found.iter().zip(expected) {
            assert_eq!(labels, want_labels, "{text}");
            assert!((value - want).abs() < 1e-9, "{text}: {value}");
        }
    }
}

#[test]
fn a_sudden_value_stands_out_and_a_usual_one_does_not() {
    let mut history = History::new(1 << 50, 1 << 50, 1000, 1000).unwrap();
    let mut record = |name: &str, values: &[f64]| {
        for (i, value) in values.iter().enumerate() {
            let time = i as Micros * SECOND;
            history.record(name, Labels::default(), time, *value, "gauge", Origin::Recorded);
        }
    };
    record("calm", &[10.0, 11.0, 9.0, 10.0, 11.0, 9.0, 10.0]);
    record("burst", &[10.0, 11.0, 9.0, 10.0, 11.0, 9.0, 40.0]);
    record("flat", &[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    for function in ["ewma_zscore", "robust_zscore"] {
        let score = |name: &str| {
            let text = format!("{function}({name}[1h])");
            match evaluate(&parse(&text).unwrap(), &history, 6 * SECOND).unwrap() {
                Value::Vector(points) => points[0].value,
                Value::Scalar(value) => value,
            }
        };
        assert!(score("calm").abs() < 1.0, "{function}");
        assert!(score("burst") > 10.0, "{function}");
        assert!(score("flat").abs() < f64::EPSILON, "{function}");
    }
}

#[test]
fn what_is_not_understood_is_refused_with_its_place() {
    for (text, at, rule) in [
        ("", 0, "expected a number"),
        ("up +", 4, "expected a number"),
        ("up[5m]", 0, "argument of a function"),
        ("rate(up)", 5, "takes a range"),
        ("sum(1)", 3, "takes one vector"),
        ("1 > 2", 2, "needs bool"),
        ("1 + bool 2", 2, "bool belongs"),
        ("up{a=~\"(\"}", 3, "pattern of a"),
        ("up{a}", 3, "expected a matcher"),
        ("up{a=\"1\" b=\"2\"}", 9, "comma"),
        ("\"text", 0, "no end"),
        ("up ? 1", 3, "unexpected character"),
        ("nope(up)", 0, "unknown function"),
        ("rate(up[0m])", 8, "duration"),
        ("{a=\"\"}", 0, "must have a name"),
        ("up and 1", 3, "join vectors"),
        ("up up", 3, "expected an operator"),
        ("round(up, 1, 2)", 0, "takes 1 to 2 arguments"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(&format!("at character {at}:")), "{text}: {error}");
        assert!(error.contains(rule), "{text}: {error}");
    }
    assert!(parse(&"(".repeat(500)).unwrap_err().to_string().contains("deeply"));
}

#[test]
fn what_cannot_be_matched_is_an_error_and_not_a_guess() {
    for (text, rule) in [
        ("up - ignoring (a) vector(1)", "several series on the left"),
        ("vector(1) - ignoring (a) up", "several series on the right"),
        ("abs({__name__=~\"up|other\"})", "the same labels"),
        ("ewma_zscore(up[5m], 2)", "weight must be in (0, 1)"),
    ] {
        let error = evaluate(&parse(text).unwrap(), &history(), NOW).unwrap_err().to_string();
        assert!(error.contains(rule), "{text}: {error}");
    }
}
