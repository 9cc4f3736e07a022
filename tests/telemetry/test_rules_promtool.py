"""Random series, expressions and rules: our evaluation against `promtool test rules`."""

import json
import math
import re
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from holdfast._core import Expression, History, RuleState

PROMTOOL = shutil.which("promtool")
pytestmark = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed (tools/install_servers.sh)"
)
STEP = 30.0  # seconds between samples
SAMPLES = 40

numbers = st.integers(-20, 60) | st.sampled_from([0.25, 1.5, -3.75])


@st.composite
def series(draw):
    """Samples, some missing, for metrics with few labels: counters, gauges and buckets."""
    found = {}
    for name, labels in [
        ("hits_total", '{job="a", code="1"}'),
        ("hits_total", '{job="a", code="2"}'),
        ("hits_total", '{job="b", code="1"}'),
        ("load", '{job="a"}'),
        ("load", '{job="b"}'),
    ]:
        values = []
        total = draw(st.integers(0, 100))
        for _ in range(draw(st.integers(1, SAMPLES))):
            if draw(st.integers(0, 9)) == 0:
                values.append(None)
                continue
            if name == "load":
                values.append(draw(numbers))
                continue
            total = draw(st.integers(0, 5)) if draw(st.integers(0, 14)) == 0 else total
            total += draw(st.integers(0, 30))
            values.append(total)
        found[name + labels] = values
    buckets = [0] * 4
    rows = [[] for _ in buckets]
    for _ in range(SAMPLES):
        for i, count in enumerate(draw(st.lists(st.integers(0, 5), min_size=4, max_size=4))):
            buckets[i] += count
        total = 0
        for row, count in zip(rows, buckets, strict=True):
            total += count
            row.append(total)
    for le, row in zip(["0.5", "1", "4", "+Inf"], rows, strict=True):
        found[f'wait_bucket{{le="{le}"}}'] = row
    return found


durations = st.sampled_from(["45s", "2m", "5m", "7m30s"])
selectors = st.sampled_from(
    [
        "load",
        "hits_total",
        'load{job="a"}',
        'hits_total{job!="a"}',
        'hits_total{code=~"1|3"}',
        '{__name__="load"}',
        'hits_total{job!~"b.*", code="2"}',
        "load offset 1m",
        "gone",
    ]
)
over_time = st.sampled_from(
    [
        "rate",
        "increase",
        "irate",
        "delta",
        "idelta",
        "avg_over_time",
        "sum_over_time",
        "min_over_time",
        "max_over_time",
        "count_over_time",
        "last_over_time",
        "stddev_over_time",
        "stdvar_over_time",
        "changes",
        "resets",
    ]
)
scalars = st.sampled_from(["0", "2", "0.5", "-3", "1e1", "time()", "scalar(load{job='a'})"])


def leaves():
    ranged = st.builds("{}({}[{}])".format, over_time, selectors_plain, durations)
    quantiles = st.builds(
        "quantile_over_time({}, {}[{}])".format,
        st.sampled_from(["0", "0.3", "0.99", "1"]),
        selectors_plain,
        durations,
    )
    histogram = st.builds(
        "histogram_quantile({}, rate(wait_bucket[{}]))".format,
        st.sampled_from(["0.1", "0.5", "0.9", "0.999"]),
        durations,
    )
    return selectors | ranged | quantiles | histogram


selectors_plain = selectors.filter(lambda text: "offset" not in text)


def grow(vectors):
    aggregator = st.sampled_from(["sum", "avg", "min", "max", "count", "stddev", "stdvar"])
    grouping = st.sampled_from(["", " by (job)", " by (job, code)", " without (code)"])
    arithmetic = st.sampled_from(["+", "-", "*", "/", "%", "^"])
    # No == and !=: values that differ by a rounding would be compared.
    comparison = st.sampled_from([">", "<", ">=", "<="])
    function = st.sampled_from(["abs", "ceil", "floor", "round", "sqrt", "exp", "ln"])
    return st.one_of(
        st.builds("{0}{1} ({2})".format, aggregator, grouping, vectors),
        st.builds("quantile(0.4, {})".format, vectors),
        st.builds("({}) {} {}".format, vectors, arithmetic, scalars),
        st.builds("{} {} ({})".format, scalars, arithmetic, vectors),
        st.builds("({}) {} {}".format, vectors, comparison, scalars),
        st.builds("({}) {} bool {}".format, vectors, comparison, scalars),
        st.builds("({0}) {1} ({0})".format, vectors, arithmetic),
        st.builds("({}) {} on (job) ({})".format, vectors, arithmetic, vectors),
        st.builds(
            "({}) {} ({})".format, vectors, st.sampled_from(["and", "or", "unless"]), vectors
        ),
        st.builds("({}) and on (job) ({})".format, vectors, vectors),
        st.builds("{}({})".format, function, vectors),
        st.builds("clamp_max({}, {})".format, vectors, scalars),
        st.builds("clamp_min({}, {})".format, vectors, scalars),
        st.builds("-({})".format, vectors),
        st.builds("absent({})".format, vectors),
        st.builds("vector({})".format, scalars),
    )


expressions = st.recursive(leaves(), grow, max_leaves=4)


def history_of(data):
    history = History(1e9, 1e9)
    for key, values in data.items():
        name, _, rest = key.partition("{")
        pairs = (pair.split("=", 1) for pair in rest.rstrip("}").split(", ") if pair)
        labels = {label: value.strip('"') for label, value in pairs}
        for i, value in enumerate(values):
            if value is not None:
                history.record(name, value, STEP * i, labels)
    return history


def promtool(folder, data, tests, rules=()):
    """Return what promtool says, empty when all expectations hold."""
    rows = [
        {"series": key, "values": " ".join("_" if v is None else str(v) for v in values)}
        for key, values in data.items()
    ]
    (folder / "rules.json").write_text(json.dumps({"groups": list(rules)}))
    suite = {
        "rule_files": ["rules.json"] if rules else [],
        "evaluation_interval": f"{STEP:g}s",
        "tests": [{"interval": f"{STEP:g}s", "input_series": rows, **tests}],
    }
    path = folder / "tests.json"  # JSON is YAML
    path.write_text(json.dumps(suite))
    command = [PROMTOOL, "test", "rules", str(path)]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, check=False, timeout=60
    )
    return "" if done.returncode == 0 else differing(done.stdout + done.stderr)


NUMBER = re.compile(r"[-+]?\b\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$")


def differing(said):
    """Leave out expressions whose values differ by a rounding: promtool compares exactly."""
    pattern = re.compile(r"expr: (.*)\n *exp: ?(.*)\n *got: ?(.*)")
    rest = []
    for expr, *sides in pattern.findall(said):
        words = [side.split() for side in sides]
        alike = len(words[0]) == len(words[1]) and all(
            a == b
            or (
                bool(NUMBER.match(a.rstrip(",")) and NUMBER.match(b.rstrip(",")))
                and math.isclose(
                    float(a.rstrip(",")), float(b.rstrip(",")), rel_tol=1e-9, abs_tol=1e-9
                )
            )
            for a, b in zip(*words, strict=True)
        )
        if not alike:
            rest.append(f"{expr}\n exp: {sides[0]}\n got: {sides[1]}")
    return "\n".join(rest) if pattern.search(said) else said


def rendered(labels):
    inside = ", ".join(
        f"{name}={json.dumps(value)}" for name, value in labels.items() if name != "__name__"
    )
    return labels.get("__name__", "") + "{" + inside + "}"


def expectation(text, at, history):
    """Our value as promtool's expectation; None where we refuse or the value has no text."""
    try:
        value = Expression(text).evaluate(history, at)
    except ValueError:
        return None
    rows = value if isinstance(value, list) else [({}, value)]
    if any(abs(v) > 1e15 or v != v or 0 < abs(v) < 1e-9 for _, v in rows):  # noqa: PLR0124
        return None
    samples = [{"labels": rendered(labels), "value": v} for labels, v in rows]
    return {"expr": text, "eval_time": f"{at:g}s", "exp_samples": samples}


slow = settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would take minutes
    suppress_health_check=list(HealthCheck),
)


@slow
@given(
    data=series(),
    texts=st.lists(expressions, min_size=20, max_size=20),
    times=st.lists(st.integers(0, 60), min_size=20, max_size=20),
)
def test_random_expressions_have_the_same_values(tmp_path_factory, data, texts, times):
    history = history_of(data)
    found = [
        expectation(text, STEP * time, history) for text, time in zip(texts, times, strict=True)
    ]
    tests = {"promql_expr_test": [one for one in found if one is not None]}
    assert promtool(tmp_path_factory.mktemp("expr"), data, tests) == ""


def test_the_comparison_notices_a_wrong_value(tmp_path):
    data = {'load{job="a"}': [1, 2, 3]}
    for value, agrees in [(3, True), (4, False)]:
        sample = {"labels": 'load{job="a"}', "value": value}
        test = {"expr": "load", "eval_time": "60s", "exp_samples": [sample]}
        assert (promtool(tmp_path, data, {"promql_expr_test": [test]}) == "") is agrees


@slow
@given(
    data=series(),
    text=st.builds(
        "{} {} {}".format,
        leaves(),
        st.sampled_from(["> ", "<", "!="]),
        st.sampled_from(["0", "5", "20"]),
    ),
    hold=st.sampled_from([0, 30, 45, 120]),
    keep=st.sampled_from([0, 60, 75]),
)
def test_random_rules_fire_for_the_same_series_at_the_same_times(
    tmp_path_factory, data, text, hold, keep
):
    history = history_of(data)
    rule = RuleState.expression(Expression(text), hold, keep)
    expected = []
    for i in range(SAMPLES + 5):
        rule.evaluate(history, STEP * i)
        firing = [labels for labels, _, _, fires, _ in rule.active() if fires]
        alerts = [{"exp_labels": labels} for labels in firing]
        expected.append(
            {"eval_time": f"{STEP * i:g}s", "alertname": "Alarm", "exp_alerts": alerts}
        )
    one = {"alert": "Alarm", "expr": text, "for": f"{hold}s"}
    if keep:
        one["keep_firing_for"] = f"{keep}s"
    group = {"name": "group", "interval": f"{STEP:g}s", "rules": [one]}
    tests = {"alert_rule_test": expected}
    assert promtool(tmp_path_factory.mktemp("rule"), data, tests, [group]) == ""


@pytest.mark.parametrize(
    "text",
    ["load[5m]", "rate(load)", "1 > 2", "load +", "sum(1)", "load{a=~'('}", "load and 1", "{}"],
)
def test_both_refuse_what_is_no_expression(tmp_path, text):
    with pytest.raises(ValueError, match="at character"):
        Expression(text)
    rule = {"alert": "Alarm", "expr": text}
    assert promtool(tmp_path, {}, {}, [{"name": "group", "rules": [rule]}]) != ""
