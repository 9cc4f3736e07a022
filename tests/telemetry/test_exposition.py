"""Our text, read by the parsers of prometheus_client and by promtool."""

import json
import math
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.telemetry import Registry, expose, record_metric

names = st.from_regex(r"[a-z][a-z0-9_]{0,8}[a-z0-9]", fullmatch=True)
values = st.floats(allow_nan=True, allow_infinity=True)
help_texts = st.text(max_size=20).filter(lambda text: "\r" not in text)
label_values = st.text(max_size=8)


@st.composite
def registries(draw):
    registry = Registry()
    for i in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["counter", "gauge", "histogram", "summary"]))
        name = f"m{i}_{draw(names)}"
        if name.endswith(("_total", "_sum", "_count", "_bucket", "_created", "_info")):
            continue
        labels = draw(st.sampled_from([(), ("a",), ("a", "b")]))
        family = getattr(registry, kind)(name, draw(help_texts), labels)
        for _ in range(draw(st.integers(1, 3))):
            one = family.labels(*[draw(label_values) for _ in labels]) if labels else family
            if kind == "counter":
                one.inc(draw(st.floats(0, 1e300)))
            elif kind == "gauge":
                one.set(draw(values))
            else:
                one.observe(draw(st.floats(-100, 100)))
    return registry


def facts(families):
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def same(left, right):
    return left == right or (math.isnan(left) and math.isnan(right))


@settings(deadline=None)
@given(registries())
def test_two_parsers_and_json_read_the_same_facts(registry):
    text = pytest.importorskip("prometheus_client.parser")
    openmetrics = pytest.importorskip("prometheus_client.openmetrics.parser")
    read = facts(text.text_string_to_metric_families(registry.expose().decode()))
    again = registry.expose("openmetrics").decode()
    opened = facts(openmetrics.text_string_to_metric_families(again))
    # OpenMetrics has no sum, and no count, where it is not a counter, nor negative quantiles.
    falling = {key for key in read if key[0].endswith("_sum") and read[key] < 0}
    left_out = falling | {(name[:-3] + "count", labels) for name, labels in falling}
    left_out |= {key for key in read if "quantile" in dict(key[1]) and read[key] < 0}
    assert read.keys() - left_out == opened.keys()
    assert all(same(read[key], opened[key]) for key in opened)
    for family in json.loads(registry.expose("json")):
        for series in family["series"]:
            labels = frozenset(series["labels"].items())
            if "value" in series:
                assert same(read[family["name"], labels], float(series["value"]))
            else:
                assert read[family["name"] + "_count", labels] == series["count"]
            for le, count in series.get("buckets", {}).items():
                assert read[family["name"] + "_bucket", labels | {("le", le)}] == count


def test_promtool_accepts_it():
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (tools/install_servers.sh)")
    registry = Registry()
    registry.counter("jobs", 'Jobs "done"\\\n.', ("kind",)).labels('a"\\\n').inc()
    registry.gauge("load", "Load.").set(math.nan)
    registry.histogram("wait_seconds", "Wait.").observe(0.2)
    registry.summary("size_bytes", "Size.").observe(12)
    command = [promtool, "check", "metrics"]
    done = subprocess.run(command, input=registry.expose(), capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    broken = registry.expose().replace(b"} 1", b"} one")
    done = subprocess.run(command, input=broken, capture_output=True, check=False)
    assert done.returncode != 0


def test_a_sum_that_is_no_number_is_left_out_of_openmetrics():
    openmetrics = pytest.importorskip("prometheus_client.openmetrics.parser")
    registry = Registry()
    spread = registry.histogram("spread", "Of both signs.", buckets=[1.0])
    for value in (math.inf, -math.inf):
        spread.observe(value)
    assert "spread_sum NaN\n" in registry.expose().decode()
    text = registry.expose("openmetrics").decode()
    [family] = openmetrics.text_string_to_metric_families(text)
    assert {sample.name for sample in family.samples} == {"spread_bucket"}


def test_promtool_accepts_everything_this_process_tells():
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (tools/install_servers.sh)")
    command = [promtool, "check", "metrics"]
    done = subprocess.run(command, input=expose(), capture_output=True, check=False, text=False)
    # 1 is for what cannot be read; 3 for advice on names that users declared.
    assert done.returncode in (0, 3), done.stderr
    rows = expose().decode().splitlines()
    names = [row.split()[2] for row in rows if row.startswith("# TYPE")]
    assert len(names) == len(set(names))


def test_what_is_recorded_by_name_is_exposed_with_its_last_value():
    record_metric("test_exposition_level", 1.0, {"tank": "a"})
    record_metric("test_exposition_level", 2.0, {"tank": "a"})
    assert b'test_exposition_level{tank="a"} 2\n' in expose()
    assert b"# TYPE test_exposition_level gauge\n" in expose("openmetrics")
