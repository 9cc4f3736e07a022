use super::*;
use crate::telemetry::{Declaration, Kind, State};

fn registry() -> Registry {
    let registry = Registry::default();
    let declare = |name: &str, help: &str, labels: &[&str], kind| {
        let labels = labels.iter().map(ToString::to_string).collect();
        let (name, help) = (name.to_owned(), help.to_owned());
        registry.declare(Declaration { name, help, labels, kind, limit: 1 }).unwrap()
    };
    let requests = declare("requests", "Say \"hi\"\nback\\slash", &["path"], Kind::Counter);
    requests.series(&["a\"\\\nb"]).unwrap().0.number().unwrap().add(3.0);
    requests.series(&["more"]).unwrap().0.number().unwrap().add(0.5);
    let seconds = declare("seconds", "", &[], Kind::Histogram([0.5, 1.0].into()));
    let series = seconds.series(&[]).unwrap().0;
    let State::Histogram(histogram) = series.state() else { panic!("declared as a histogram") };
    for value in [0.25, 2.0] {
        histogram.observe(value).unwrap();
    }
    registry
}

fn loose() -> LooseFamily {
    let samples = vec![(Labels::default(), f64::NAN)];
    LooseFamily { name: "load".to_owned(), kind: "gauge".to_owned(), help: String::new(), samples }
}

#[test]
fn prometheus_text_is_as_its_page_shows() {
    let expected = r#"# HELP requests_total Say "hi"\nback\\slash
# TYPE requests_total counter
requests_total{path="a\"\\\nb"} 3
requests_total{path="__overflow__"} 0.5
# TYPE seconds histogram
seconds_bucket{le="0.5"} 1
seconds_bucket{le="1.0"} 1
seconds_bucket{le="+Inf"} 2
seconds_sum 2.25
seconds_count 2
# TYPE load gauge
load NaN
# TYPE holdfast_label_sets_refused_total counter
"#;
    let text = expose(&[&registry()], &[loose()], 0, Format::Prometheus);
    let without_help: String = text
        .lines()
        .filter(|line| !line.starts_with("# HELP holdfast"))
        .filter(|line| !line.starts_with("holdfast"))
        .flat_map(|line| [line, "\n"])
        .collect();
    assert_eq!(without_help, expected);
    assert!(text.contains("holdfast_label_sets_refused_total{family=\"requests_total\"} 1\n"));
}

#[test]
fn openmetrics_names_a_counter_without_its_suffix_and_ends() {
    let text = expose(&[&registry()], &[], 0, Format::OpenMetrics);
    assert!(
        text.starts_with(
            "# HELP requests Say \\\"hi\\\"\\nback\\\\slash\n# TYPE requests counter\n"
        )
    );
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn json_has_a_string_for_what_is_not_finite() {
    let text = expose(&[&registry()], &[loose()], 0, Format::Json);
    let expected = concat!(
        r#"[{"name":"requests_total","type":"counter","help":"Say \"hi\"\nback\\slash","#,
        r#""series":[{"labels":{"path":"a\"\\\nb"},"value":3},"#,
        r#"{"labels":{"path":"__overflow__"},"value":0.5}]},"#,
        r#"{"name":"seconds","type":"histogram","help":"","series":[{"labels":{},"count":2,"#,
        r#""sum":2.25,"buckets":{"0.5":1,"1.0":1,"+Inf":2}}]},"#,
        r#"{"name":"load","type":"gauge","help":"","series":[{"labels":{},"value":"NaN"}]}]"#,
    );
    assert_eq!(text, expected);
}

#[test]
fn a_loose_family_never_repeats_a_declared_name() {
    let mut clash = loose();
    clash.name = "requests".to_owned();
    let text = expose(&[&registry()], &[clash, loose(), loose()], 0, Format::Prometheus);
    assert_eq!(text.matches("# TYPE").count(), 4);
}

#[test]
fn loose_samples_of_a_declared_family_stand_with_it() {
    let labelled = |value: &str| Labels::new([("path".to_owned(), value.to_owned())]);
    let more = LooseFamily {
        name: "requests_total".to_owned(),
        kind: "counter".to_owned(),
        help: "Another help".to_owned(),
        samples: vec![(labelled("a\"\\\nb"), 9.0), (labelled("c"), 4.0)],
    };
    let text = expose(&[&registry()], std::slice::from_ref(&more), 0, Format::Prometheus);
    assert!(text.contains("\"__overflow__\"} 0.5\nrequests_total{path=\"c\"} 4\n# TYPE seconds"));
    assert_eq!(text.matches("requests_total{path=\"a").count(), 1);
    let json = expose(&[&registry()], std::slice::from_ref(&more), 0, Format::Json);
    assert!(json.contains(r#"{"labels":{"path":"c"},"value":4}]},{"name":"seconds""#));
    let other = LooseFamily { kind: "gauge".to_owned(), ..more };
    assert!(!expose(&[&registry()], &[other], 0, Format::Prometheus).contains("path=\"c\""));
}

#[test]
fn of_two_registries_the_first_has_the_name() {
    let (first, second) = (registry(), registry());
    let own = Declaration {
        name: "own".to_owned(),
        help: String::new(),
        labels: Vec::new(),
        kind: Kind::Gauge,
        limit: 1,
    };
    second.declare(own).unwrap().series(&[]).unwrap().0.number().unwrap().set(2.0);
    let text = expose(&[&first, &second], &[], 0, Format::Prometheus);
    assert_eq!(text.matches("# TYPE requests_total").count(), 1);
    assert!(text.contains("# TYPE own gauge\nown 2\n"));
}

#[test]
fn numbers_are_the_shortest_that_read_back() {
    for (value, expected) in [
        (0.0, "0"),
        (-17.0, "-17"),
        (1.5, "1.5"),
        (1e300, "1e300"),
        (9_007_199_254_740_991.0, "9007199254740991"),
        (f64::NEG_INFINITY, "-Inf"),
        (f64::INFINITY, "+Inf"),
    ] {
        let mut out = String::new();
        text::number(&mut out, value);
        assert_eq!(out, expected);
    }
}
