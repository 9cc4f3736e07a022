"""Resources against thresholds, on machines made up by the test."""

import queue
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidParameterError, ResourceExhaustionError
from holdfast.telemetry import (
    ResilienceStatus,
    ResourceMonitor,
    ResourceThresholds,
    ResourceType,
    resource_monitor,
    span,
)


class Made:
    def __init__(self, **percent):
        self.percent = percent

    def __call__(self):
        return {name: {"usage_percent": value} for name, value in self.percent.items()}


@pytest.mark.parametrize(
    ("percent", "status"),
    [
        ({"memory": 10.0}, "healthy"),
        ({"memory": 80.0}, "degraded"),
        ({"memory": 94.9, "cpu": 10.0}, "degraded"),
        ({"memory": 95.0}, "critical"),
        ({"memory": 10.0, "cpu": 90.0}, "critical"),
        ({"disk": 85.0}, "degraded"),
        ({}, "healthy"),
    ],
    ids=str,
)
def test_the_status_is_that_of_the_worst_resource(percent, status):
    monitor = ResourceMonitor(read=Made(**percent))
    assert monitor.check().value == status
    assert monitor.get_current_status()["status"] == status


def test_the_status_recovers_and_alerts_come_when_it_gets_worse():
    made = Made(memory=10.0)
    monitor = ResourceMonitor(read=made)
    seen = []
    for value in (10.0, 85.0, 86.0, 97.0, 98.0, 85.0, 10.0, 85.0):
        made.percent["memory"] = value
        seen.append((monitor.check().value, len(monitor.alerts)))
    assert seen == [
        ("healthy", 0),
        ("degraded", 1),
        ("degraded", 1),
        ("critical", 2),
        ("critical", 2),
        ("degraded", 2),
        ("healthy", 2),
        ("degraded", 3),
    ]
    assert [alert["level"] for alert in monitor.alerts] == ["warning", "critical", "warning"]
    told = monitor.get_current_status()["recent_alerts"][1]
    assert (told["resource_type"], told["value"], told["threshold"]) == ("memory", 97.0, 95.0)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=30))
def test_status_depends_on_the_latest_check_alone(values):
    made = Made(cpu=0.0)
    monitor = ResourceMonitor(read=made)
    for value in values:
        made.percent["cpu"] = value
        status = monitor.check()
        assert status is ResourceMonitor(read=Made(cpu=value)).check()


def test_work_is_refused_where_a_resource_is_critical():
    monitor = ResourceMonitor(read=Made(memory=96.0, cpu=10.0))
    monitor.require("cpu")
    with pytest.raises(ResourceExhaustionError, match="memory is at 96") as caught:
        monitor.require()
    assert caught.value.resource_type == "memory"
    assert (caught.value.current_usage, caught.value.threshold) == (96.0, 95.0)


def test_thresholds_can_be_set_and_are_checked():
    limits = {ResourceType.CPU: ResourceThresholds(1.0, 2.0)}
    assert ResourceMonitor(limits, read=Made(cpu=1.5)).check() is ResilienceStatus.DEGRADED
    with pytest.raises(
        InvalidParameterError, match="critical_threshold must be a number >= 90"
    ):
        ResourceThresholds(90.0, 80.0)
    with pytest.raises(
        InvalidParameterError, match="check_interval_seconds must be a finite number > 0"
    ):
        ResourceThresholds(80.0, 90.0, check_interval_seconds=0)


def test_this_machine_can_be_read():
    told = ResourceMonitor().get_current_status()["resources"]
    for name, facts in told.items():
        assert 0 <= facts["usage_percent"] <= 100, name


def test_checking_in_a_thread_starts_once_and_stops():
    rounds = queue.SimpleQueue()

    def read():
        rounds.put(threading.current_thread())
        return {"memory": {"usage_percent": 96.0}}

    hourly = ResourceThresholds(80.0, 95.0, check_interval_seconds=3600.0)
    monitor = ResourceMonitor({ResourceType.MEMORY: hourly}, read=read)
    before = set(threading.enumerate())
    monitor.start_monitoring()
    checking = rounds.get(timeout=60)
    monitor.start_monitoring()
    assert set(threading.enumerate()) - before == {checking}
    monitor.stop_monitoring()
    monitor.stop_monitoring()
    checking.join(60)
    assert not checking.is_alive()
    assert monitor.current_status is ResilienceStatus.CRITICAL
    assert rounds.empty()

    monitor.start_monitoring()
    again = rounds.get(timeout=60)
    assert again is not checking
    monitor.stop_monitoring()
    again.join(60)
    assert not again.is_alive()


def test_an_operation_is_measured_and_warned_of(caplog):
    with span("x") as one, resource_monitor("work", max_seconds=0.0) as used:
        held = bytearray(10_000_000)
    assert held is not None
    assert used.processing_time_ms > 0
    assert used.correlation_id == one.trace_id
    assert used.memory_usage_mb is None or used.memory_usage_mb < 500
    assert "work took" in caplog.text
