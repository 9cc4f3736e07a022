from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidParameterError
from holdfast.telemetry import Metric, MetricCollector, MetricType, Registry

NOW = datetime(2000, 1, 1)  # noqa: DTZ001 (set before each test)


@pytest.fixture(autouse=True)
def _now():
    """That of the test: it may come long after this file was read."""
    globals()["NOW"] = datetime.now().replace(microsecond=123457)  # noqa: DTZ005 (as the API)


def metric(value, age=0.0, name="load", **labels):
    return Metric(name, value, NOW - timedelta(seconds=age), labels)


@pytest.fixture
def collector():
    return MetricCollector()


def test_a_sample_comes_back_as_it_was_recorded(collector):
    one = Metric("load", 1.5, NOW, {"host": "a"}, MetricType.COUNTER)
    collector.record(one)
    assert collector.get_latest("load") == one
    assert collector.get_metrics("load") == [one]
    assert dict(collector.metrics) == {"load{host=a}": collector.metrics["load{host=a}"]}
    assert list(collector.metrics["load{host=a}"]) == [one]


def test_without_labels_every_label_set_is_meant(collector):
    for i, host in enumerate("abc"):
        collector.record(metric(i, host=host, rack="1"))
    assert len(collector.get_metrics("load")) == 3
    assert [m.value for m in collector.get_metrics("load", {"host": "b"})] == [1]
    assert collector.get_metrics("load", {"host": "z"}) == []
    assert collector.get_latest("load").value == 2
    assert collector.get_latest("nothing") is None


def test_both_ends_of_a_range_are_included(collector):
    for age in (3, 2, 1, 0):
        collector.record(metric(age, age))
    start, end = NOW - timedelta(seconds=2), NOW - timedelta(seconds=1)
    found = collector.get_metrics("load", start_time=start, end_time=end)
    assert [m.value for m in found] == [2, 1]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.integers(0, 100))
def test_aggregations_agree_with_numpy(values, percent):
    import numpy as np

    collector = MetricCollector()
    for i, value in enumerate(values):
        collector.record(metric(value, i / 1000, part=str(i % 3)))
    expected = {
        "avg": np.mean(values),
        "sum": np.sum(values),
        "min": np.min(values),
        "max": np.max(values),
        "count": len(values),
        f"p{percent}": np.percentile(values, percent),
    }
    for name, value in expected.items():
        found = collector.get_aggregated("load", name, duration_minutes=1e6)
        assert found == pytest.approx(value, rel=1e-9, abs=1e-6)
        assert type(found) is float


def test_an_unknown_aggregation_is_refused_only_where_there_is_data(collector):
    assert collector.get_aggregated("load", "median") is None
    collector.record(metric(1, age=-1))
    with pytest.raises(ValueError, match="aggregation must be avg"):
        collector.get_aggregated("load", "median")


def test_old_samples_are_dropped(collector):
    collector.record(metric(1, age=25 * 3600))
    collector.record(metric(2))
    collector._cleanup_old_metrics()  # noqa: SLF001 (an entry point of older tests)
    assert [m.value for m in collector.metrics["load"]] == [2]


def test_a_series_keeps_its_last_ten_thousand(collector):
    for i in range(10_010):
        collector.history.record("load", i, 1e9 + i)
    samples = collector.metrics["load"]
    assert (len(samples), samples[0].value) == (10_000, 10)


def test_label_sets_have_a_limit():
    collector = MetricCollector(max_series=2)
    for host in "abcd":
        collector.record(metric(1, host=host))
    assert set(collector.metrics) == {"load{host=a}", "load{host=b}", "load{host=__overflow__}"}


def test_a_scrape_keeps_what_the_registry_holds(collector):
    registry = Registry()
    registry.histogram("wait", buckets=[1.0]).observe(0.5)
    collector.scrape(registry, 1e9)
    assert set(collector.metrics) == {
        "wait_bucket{le=1.0}",
        "wait_bucket{le=+Inf}",
        "wait_sum",
        "wait_count",
    }
    assert collector.recorded() == []


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda: MetricCollector(0), "max_retention_hours must be a finite number > 0"),
        (lambda: MetricCollector(max_series=0), "max_series must be an integer >= 1, got 0"),
        (lambda: MetricCollector().record(metric(1, name="a b")), "name must match"),
    ],
)
def test_wrong_parameters_are_refused(wrong, error):
    with pytest.raises(InvalidParameterError, match=error):
        wrong()


def test_what_is_no_number_is_refused(collector):
    with pytest.raises(TypeError):
        collector.record(metric("high"))


@pytest.mark.parametrize("label", ["a-b", "", "1a", "__name__", "ä", "a b"])
def test_a_label_that_no_format_allows_is_refused(collector, label):
    with pytest.raises(InvalidParameterError, match="labels must be keyed by names that match"):
        collector.record_value("load", 1.0, 0.0, {label: "x"})
    assert collector.get_latest("load") is None
