"""Older names around errors, correlation ids and resilience."""

import contextvars
import io
import json

import pytest

from holdfast import compat, errors
from holdfast.telemetry import (
    QualityGate,
    ResourceMonitor,
    configure_logging,
    current_trace_id,
    get_logger,
    span,
)


def alone(function):
    return contextvars.Context().run(function)


def test_a_correlation_id_is_made_once_and_stays():
    def script():
        first = compat.get_correlation_id()
        assert compat.get_correlation_id() == first == current_trace_id()
        with span("inside") as one:
            assert one.trace_id == first

    alone(script)
    assert current_trace_id() == ""


def test_a_correlation_id_of_any_form_is_in_lines_and_errors():
    stream = io.StringIO()

    def script():
        compat.set_correlation_id("order-17")
        get_logger("x").info("m")
        return errors.NeuromorphicException("m").correlation_id

    log = configure_logging(stream, format="json")
    try:
        assert alone(script) == "order-17"
    finally:
        log.restore()
    assert json.loads(stream.getvalue())["trace_id"] == "order-17"


def test_older_names_are_the_same_objects():
    assert compat.ObserverCoordinatorError is errors.CategorizedError
    assert compat.error_handler is errors.enhanced_error_handler
    with pytest.raises(TimeoutError):
        raise compat.TimeoutError("m", timeout_seconds=3, operation="load")


@pytest.fixture
def manager():
    made = compat.ResilienceManager()
    made.resource_monitor = ResourceMonitor(read=lambda: {"cpu": {"usage_percent": 10.0}})
    return made


def test_operations_are_counted(manager):
    assert manager.get_comprehensive_status()["recommendations"] == ["All is normal"]
    for n in range(5):
        with manager.operation_context("x"):
            assert n >= 0
    for _ in range(2):
        with pytest.raises(ValueError, match="bad"), manager.operation_context("x"):
            raise ValueError("bad")
    told = manager.get_comprehensive_status()
    assert told["metrics"]["total_operations"] == 7
    assert told["metrics"]["success_rate"] == pytest.approx(5 / 7)
    assert told["overall_status"] == "degraded"
    assert "71%" in told["recommendations"][0]


def test_a_fallback_counts_without_an_operation(manager):
    assert manager.metrics.fallback_rate == 0
    manager.record_fallback_operation("esn", "kmeans")
    assert manager.metrics.fallback_rate > 0
    manager.record_circuit_breaker_trip("esn")
    assert manager.metrics.circuit_breaker_trips == 1


def test_resources_and_quality_decide_too(manager):
    manager.resource_monitor = ResourceMonitor(read=lambda: {"cpu": {"usage_percent": 99.0}})
    manager.quality_gates.gates = [QualityGate("x", "x", 1.0)]
    manager.quality_gates.validate_clustering_results({"x": 0.5}, [0])
    told = manager.get_comprehensive_status()
    assert told["overall_status"] == "critical"
    assert len(told["recommendations"]) == 2
    assert manager.metrics.quality_gate_failures == 1
    assert manager.metrics.resource_alerts == 1


def test_a_decorated_function_is_an_operation():
    before = compat.resilience_manager.metrics.total_operations

    @compat.resilient_operation("work")
    def work():
        return 3

    assert work() == 3
    assert compat.resilience_manager.metrics.total_operations == before + 1
