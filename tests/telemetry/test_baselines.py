"""Baselines of a window against pandas, numpy and scipy; samples that are no numbers."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import median_abs_deviation

from holdfast.telemetry import MetricCollector, query

START = 1_700_000_000.0
values = st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), min_size=1, max_size=30)


def asked(samples, expression):
    collector = MetricCollector()
    for i, value in enumerate(samples):
        collector.history.record("load", value, START + i)
    found = query(expression, at=START + len(samples), collector=collector)
    return found[0][1] if found else None


@given(values, st.floats(0.05, 0.95))
def test_a_moving_average_is_that_of_pandas(samples, weight):
    numbers = pd.Series([value for value in samples if not math.isnan(value)])
    moving = numbers.ewm(alpha=weight, adjust=False)
    mean = asked(samples, f"ewma(load[1h], {weight!r})")
    spread = asked(samples, f"ewma_stddev(load[1h], {weight!r})")
    if numbers.empty:
        assert (mean, spread) == (None, None)
        return
    assert mean == pytest.approx(moving.mean().iloc[-1], abs=1e-6)
    assert spread == pytest.approx(moving.std(bias=True).iloc[-1], abs=1e-3)


@given(values)
def test_median_and_its_deviation_are_those_of_numpy_and_scipy(samples):
    numbers = [value for value in samples if not math.isnan(value)]
    middle = asked(samples, "median_over_time(load[1h])")
    away = asked(samples, "mad_over_time(load[1h])")
    if not numbers:
        assert (middle, away) == (None, None)
        return
    assert middle == pytest.approx(np.median(numbers))
    assert away == pytest.approx(median_abs_deviation(numbers))


@pytest.mark.parametrize("function", ["ewma_zscore", "robust_zscore"])
def test_a_score_is_a_distance_from_its_baseline(function):
    samples = [10.0, 11.0, 9.0, math.nan, 10.0, 12.0, 40.0]
    score = asked(samples, f"{function}(load[1h])")
    numbers = pd.Series([10.0, 11.0, 9.0, 10.0, 12.0])
    if function == "ewma_zscore":
        moving = numbers.ewm(alpha=0.3, adjust=False)
        expected = (40 - moving.mean().iloc[-1]) / moving.std(bias=True).iloc[-1]
    else:
        expected = 0.6745 * (40 - numbers.median()) / median_abs_deviation(numbers)
    assert score == pytest.approx(expected)


def test_a_rule_may_compare_with_its_baseline():
    samples = [10.0] * 20 + [31.0]
    found = asked(samples, "load > 3 * median_over_time(load[1h] offset 2s)")
    assert found == 31.0
    assert asked([10.0] * 21, "load > 3 * ewma(load[1h] offset 2s)") is None


def test_what_is_no_number_spoils_no_window_and_is_counted():
    collector = MetricCollector()
    for value in (1.0, math.nan, 3.0):
        collector.record_value("load", value, START)
    ask = {"duration_minutes": 1e8}
    told = {
        name: collector.get_aggregated("load", name, **ask)
        for name in ("avg", "sum", "min", "max", "count", "p50", "nan_count")
    }
    assert told == {
        "avg": 2.0, "sum": 4.0, "min": 1.0, "max": 3.0, "count": 2.0, "p50": 2.0,
        "nan_count": 1.0,
    }  # fmt: skip


def test_a_window_of_nothing_else_has_no_average():
    collector = MetricCollector()
    collector.record_value("load", math.nan, START)
    ask = {"duration_minutes": 1e8}
    assert collector.get_aggregated("load", "avg", **ask) is None
    assert collector.get_aggregated("load", "count", **ask) == 0
    assert collector.get_aggregated("load", "nan_count", **ask) == 1
    assert collector.get_aggregated("gone", "nan_count", **ask) is None


def test_expressions_keep_what_is_no_number_as_prometheus_does():
    assert math.isnan(asked([1.0, math.nan, 3.0], "avg_over_time(load[1h])"))
    assert math.isnan(asked([1.0, math.nan], "load"))
