use super::*;
use crate::telemetry::{History, Labels, Micros, Origin, SECOND, parse};

fn threshold() -> Condition {
    let (name, matchers) = ("x".to_owned(), Vec::new());
    Condition::Threshold { name, matchers, comparison: Comparison::Gt, threshold: 5.0 }
}

fn steps(condition: Condition, hold: Micros, keep: Micros, values: &[f64]) -> Vec<Option<Step>> {
    let mut rule = Rule::new(condition, hold * SECOND, keep * SECOND).unwrap();
    let mut history = History::new(1 << 50, 1, 100, 100).unwrap();
    let step = |(i, value): (usize, &f64)| {
        let now = i as Micros * SECOND;
        history.record("x", Labels::default(), now, *value, "gauge", Origin::Recorded);
        rule.evaluate(&history, now).unwrap().first().map(|change| change.step)
    };
    values.iter().enumerate().map(step).collect()
}

#[test]
fn an_alert_fires_after_its_time_and_resolves() {
    use Step::{Fired, Pending, Resolved};
    for condition in [threshold(), Condition::Expression(parse("x > 5").unwrap())] {
        for (hold, keep, values, expected) in [
            (0, 0, &[9.0, 9.0, 1.0][..], &[Some(Fired), None, Some(Resolved)][..]),
            (2, 0, &[9.0, 9.0, 9.0], &[Some(Pending), None, Some(Fired)]),
            (2, 0, &[9.0, 1.0, 9.0, 9.0], &[Some(Pending), None, Some(Pending), None]),
            (0, 2, &[9.0, 1.0, 1.0, 1.0], &[Some(Fired), None, None, Some(Resolved)]),
            (0, 2, &[9.0, 1.0, 9.0, 1.0, 1.0], &[Some(Fired), None, None, None, None]),
        ] {
            assert_eq!(steps(condition.clone(), hold, keep, values), expected, "{values:?}");
        }
    }
}

#[test]
fn a_threshold_looks_back_to_when_the_run_began() {
    let mut history = History::new(1 << 50, 1, 100, 100).unwrap();
    for (time, value) in [(0, 1.0), (10, 9.0), (40, 9.0)] {
        let labels = Labels::default();
        history.record("x", labels, time * SECOND, value, "gauge", Origin::Recorded);
    }
    let evaluate = |hold, now| {
        let mut rule = Rule::new(threshold(), hold * SECOND, 0).unwrap();
        let changes = rule.evaluate(&history, now * SECOND).unwrap();
        (changes[0].step, changes[0].since / SECOND)
    };
    assert_eq!(evaluate(30, 40), (Step::Fired, 10));
    assert_eq!(evaluate(31, 40), (Step::Pending, 10));
    assert_eq!(evaluate(31, 41), (Step::Fired, 10));
}

#[test]
fn each_label_set_has_its_own_state() {
    let mut history = History::new(1 << 50, 1, 100, 100).unwrap();
    let mut rule = Rule::new(threshold(), 0, 0).unwrap();
    for (label, value) in [("a", 9.0), ("b", 1.0), ("c", 7.0)] {
        let labels = Labels::new([("host".to_owned(), label.to_owned())]);
        history.record("x", labels, 0, value, "gauge", Origin::Recorded);
    }
    let changes = rule.evaluate(&history, 0).unwrap();
    let hosts: Vec<_> = changes.iter().map(|change| change.labels.get("host")).collect();
    assert_eq!(hosts, ["a", "c"]);
    assert!(rule.active().values().all(|state| state.firing));
}

#[test]
fn a_restored_state_goes_on_from_where_it_was() {
    let mut history = History::new(1 << 50, 1, 100, 100).unwrap();
    history.record("x", Labels::default(), 100 * SECOND, 9.0, "gauge", Origin::Recorded);
    let mut rule =
        Rule::new(Condition::Expression(parse("x > 5").unwrap()), 60 * SECOND, 0).unwrap();
    let active = Active { since: 40 * SECOND, firing: false, value: 9.0, ended: None };
    rule.restore(Labels::default(), active);
    let changes = rule.evaluate(&history, 100 * SECOND).unwrap();
    assert_eq!(changes[0].step, Step::Fired);
}

#[test]
fn negative_durations_are_refused() {
    assert!(Rule::new(threshold(), -1, 0).unwrap_err().to_string().contains("duration_seconds"));
    assert!(Rule::new(threshold(), 0, -1).unwrap_err().to_string().contains("keep_firing"));
}
