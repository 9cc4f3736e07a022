"""Durations of operations, against the list of them."""

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidParameterError
from holdfast.telemetry import (
    PerformanceMonitor,
    get_performance_dashboard,
    monitor_performance,
    record_spans,
)
from holdfast.telemetry._series.performance import _monitor


@pytest.fixture(autouse=True)
def _clean():
    _monitor.clear()
    yield
    _monitor.clear()


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def counts():
    operations = get_performance_dashboard()["operations"]
    return {name: (told["calls"], told["failures"]) for name, told in operations.items()}


def test_with_async_with_and_decorators_measure_the_same():
    @monitor_performance
    def bare():
        return 1

    @monitor_performance()
    def called():
        return 2

    @monitor_performance("named", kind="async")
    async def named():
        await asyncio.sleep(0)
        return 3

    async def main():
        async with monitor_performance("block"):
            return await named()

    with record_spans() as ended:
        with monitor_performance("block"):
            assert (bare(), called()) == (1, 2)
        assert asyncio.run(main()) == 3
    prefix = "test_with_async_with_and_decorators_measure_the_same.<locals>."
    assert counts() == {
        f"{prefix}bare": (1, 0),
        f"{prefix}called": (1, 0),
        "named": (1, 0),
        "block": (2, 0),
    }
    assert {s.name for s in ended} == set(counts())
    assert bare.__name__ == "bare"


def test_failures_count_and_cancellations_do_not():
    with pytest.raises(ValueError, match="x"), monitor_performance("a"):
        raise ValueError("x")
    with pytest.raises(asyncio.CancelledError), monitor_performance("a"):
        raise asyncio.CancelledError
    assert counts() == {"a": (2, 1)}


def test_time_is_taken_of_the_whole_block():
    with monitor_performance("a") as block:
        pass
    told = get_performance_dashboard()["operations"]["a"]
    assert told["total_seconds"] == told["max_seconds"] == block.duration


@pytest.mark.parametrize("name", [3, b"x"])
def test_a_name_is_a_text(name):
    with pytest.raises(InvalidParameterError, match="name must be a str"):
        monitor_performance(name)


def test_a_block_needs_a_name():
    with (
        pytest.raises(InvalidParameterError, match="name must be given"),
        monitor_performance(),
    ):
        pass


@pytest.mark.parametrize("minutes", [0, -1, 61, "5", float("nan")])
def test_a_window_is_up_to_an_hour(minutes):
    with pytest.raises(
        InvalidParameterError, match=r"minutes must be a finite number > 0 and <= 60"
    ):
        get_performance_dashboard(minutes)


def test_only_the_last_minutes_count():
    clock = Clock()
    monitor = PerformanceMonitor(clock)
    monitor.record("a", 1.0)
    clock.now += 300
    monitor.record("a", 3.0, failed=True)
    for minutes, calls in [(1, 1), (5, 2), (60, 2)]:
        assert monitor.dashboard(minutes)["calls"] == calls
    clock.now += 3700
    assert monitor.dashboard(60)["operations"] == {}
    assert monitor.dashboard(60)["failure_rate"] is None


@given(st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=200))
def test_quantiles_are_within_one_percent(seconds):
    monitor = PerformanceMonitor(Clock())
    for duration in seconds:
        monitor.record("a", duration)
    told = monitor.dashboard(5)["operations"]["a"]
    exact = np.quantile(seconds, [0, 0.5, 0.95, 0.99, 1], method="lower")
    names = ["min", "p50", "p95", "p99", "max"]
    found = [told[f"{name}_seconds"] for name in names]
    np.testing.assert_allclose(found, exact, rtol=0.0101)
    assert told["mean_seconds"] == pytest.approx(np.mean(seconds))
    assert told["calls_per_second"] == pytest.approx(len(seconds) / 300)


def test_the_table_can_be_read():
    clock = Clock()
    monitor = PerformanceMonitor(clock)
    monitor.record("load", 0.25)
    monitor.record("load", 0.25, failed=True)
    monitor.record("quick", 2e-6)
    assert str(monitor.dashboard(5)).splitlines() == [
        "last 5 minutes",
        "operation  calls  failed    per s    mean     p50     p95     p99     max",
        "load           2       1  0.00667  250 ms  250 ms  250 ms  250 ms  250 ms",
        "quick          1       0  0.00333    2 us    2 us    2 us    2 us    2 us",
    ]
