"""Older tests replace parts, set attributes by hand and pass mocks; all of that still works."""

# ruff: noqa: SLF001, DTZ005 (as older tests have it)

from datetime import datetime, timedelta, timezone
from unittest.mock import MagicMock, Mock, patch

import numpy as np
import pandas as pd
import pytest

from holdfast.compat.insights_clustering import neuromorphic_clustering as nc
from holdfast.compat.insights_clustering.parser import InsightsDataParser
from holdfast.compat.insights_clustering.resilience import (
    ResilienceMetrics,
    ResilienceStatus,
    ResourceMonitor,
)
from holdfast.compat.monitoring import EnhancedMetricsCollector
from holdfast.compat.tiny_llm_profiler import advanced_monitoring, analyzer, health, reliability
from holdfast.compat.tiny_llm_profiler.exceptions import ProfilerError
from holdfast.compat.tiny_llm_profiler.results import LatencyProfile, ProfileResults
from holdfast.resilience import VirtualClock

CLUSTERING = "holdfast.compat.insights_clustering"
PROFILER = "holdfast.compat.tiny_llm_profiler"


def utc_now():
    return datetime.now(timezone.utc).replace(tzinfo=None)


# --- waits --------------------------------------------------------------------------------
@pytest.mark.parametrize("place", ["time.sleep", f"{PROFILER}.reliability.time.sleep"])
def test_the_waits_of_a_retry_are_sleeps(place):
    config = reliability.RetryConfig(max_attempts=4, base_delay=1.0, jitter=False)
    work = Mock(side_effect=[OSError(), OSError(), OSError(), "done"])
    with patch(place) as sleep:
        assert reliability.RetryMechanism(config)._execute_with_retry(work, (), {}) == "done"
    assert [call.args[0] for call in sleep.call_args_list] == [1.0, 2.0, 4.0]


def test_the_decorator_and_the_manager_sleep_too():
    with patch("time.sleep") as sleep:

        @reliability.retry("replaced", max_attempts=2, strategy="fixed_delay", jitter=False)
        def fail():
            raise OSError

        with pytest.raises(OSError):
            fail()
        manager = nc.RetryManager(max_retries=2, base_delay=1.0)
        with pytest.raises(nc.NeuromorphicException):
            manager.retry_with_backoff(Mock(side_effect=ValueError("x")))
    assert [call.args[0] for call in sleep.call_args_list] == [1.0, 1.0, 2.0]


def test_each_retry_of_a_name_has_the_attempts_it_was_given():
    calls = []
    for attempts in (2, 4):

        @reliability.retry("again and again", max_attempts=attempts, base_delay=0.0)
        def fail():
            calls.append(1)
            raise OSError

        with pytest.raises(OSError):
            fail()
    assert len(calls) == 6
    with pytest.raises(ValueError, match="max_attempts"):
        reliability.retry("again and again", max_attempts=0)


# --- breakers set by hand -----------------------------------------------------------------
BREAKERS = {
    "of the profiler": lambda: reliability.CircuitBreaker(
        "by hand", reliability.CircuitBreakerConfig(success_threshold=1)
    ),
    "of the clusterer": lambda: nc.CircuitBreaker(nc.CircuitBreakerConfig()),
}


@pytest.mark.parametrize("make", BREAKERS.values(), ids=BREAKERS)
@pytest.mark.parametrize(("ago", "refused"), [(0, True), (59, True), (61, False)])
def test_a_breaker_opened_by_hand_lasts_from_its_last_failure(make, ago, refused):
    breaker = make()
    breaker.state = nc.CircuitBreakerState.OPEN
    assert breaker.state == "open"
    breaker.last_failure_time = utc_now() - timedelta(seconds=ago)
    work = Mock(return_value=7)
    if refused:
        with pytest.raises((reliability.CircuitOpenError, nc.NeuromorphicException)):
            breaker(work)()
        work.assert_not_called()
    else:
        assert breaker(work)() == 7
        assert breaker.state == "closed"


def test_a_clusterer_whose_breaker_was_opened_falls_back(energies):
    clusterer = nc.NeuromorphicClusterer(n_clusters=4)
    clusterer.circuit_breaker.state = nc.CircuitBreakerState.OPEN
    clusterer.circuit_breaker.last_failure_time = utc_now()
    assert clusterer.fit(energies).fallback_used
    assert "Circuit breaker is open" in str(clusterer.last_error)


def test_refusals_are_told_as_plain_values():
    when = datetime(2026, 1, 2, tzinfo=timezone.utc)
    assert reliability.CircuitOpenError("device", 5, when).to_dict() == {
        "error_type": "CircuitOpenError",
        "message": "Circuit breaker is open: 'device' after 5 failures",
        "error_code": "CIRCUIT_OPEN",
        "details": {
            "circuit_name": "device", "failure_count": 5, "last_failure_time": when.isoformat(),
        },
    }  # fmt: skip
    busy = reliability.RetryableError("busy", OSError("line"))
    assert (busy.message, busy.error_code) == ("busy", "RETRYABLE_ERROR")
    assert busy.to_dict()["details"] == {"original_error": "line"}
    assert ProfilerError("m", "C", {"n": 1}).to_dict()["details"] == {"n": 1}


@pytest.mark.parametrize("wait", [0, 1e-3])
def test_a_breaker_that_does_not_wait_lets_the_next_call_through(wait):
    config = nc.CircuitBreakerConfig(failure_threshold=1, recovery_timeout=wait)
    assert config.recovery_timeout == wait
    breaker = nc.CircuitBreaker(config, clock=(clock := VirtualClock()))
    with pytest.raises(OSError):
        breaker(Mock(side_effect=OSError))()
    assert breaker.state == "open"
    clock.advance(0.01)
    assert breaker(Mock(return_value=1))() == 1
    assert breaker.state == "closed"


# --- parts of the clusterer ---------------------------------------------------------------
def test_the_extraction_can_be_replaced_on_the_class(energies):
    error = nc.NeuromorphicException("x", error_type=nc.NeuromorphicErrorType.MEMORY_ERROR)
    name = "_extract_neuromorphic_features_safe"
    with patch.object(nc.NeuromorphicClusterer, name, side_effect=error) as extract:
        clusterer = nc.NeuromorphicClusterer(n_clusters=4).fit(energies)
    extract.assert_called()
    assert clusterer.fallback_used
    assert clusterer.last_error is error
    assert not nc.NeuromorphicClusterer(n_clusters=4).fit(energies).fallback_used


def test_features_can_be_had_before_a_fit(energies):
    rows = (energies - energies.mean()) / energies.std()
    found = nc.NeuromorphicClusterer(n_clusters=4)._extract_neuromorphic_features_safe(
        rows.to_numpy()
    )
    assert found.shape[0] == len(energies)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("part", ["esn", "snn", "lsm", "retry_manager", "circuit_breaker"])
def test_parts_can_be_replaced_for_a_while(part):
    clusterer = nc.NeuromorphicClusterer()
    own = type(getattr(clusterer, part))
    with patch.object(clusterer, part) as replaced:
        assert getattr(clusterer, part) is replaced
    assert type(getattr(clusterer, part)) is own
    clusterer.esn = replaced
    assert clusterer.esn is replaced


@pytest.mark.parametrize("place", ["pandas.read_csv", f"{CLUSTERING}.parser.pd.read_csv"])
def test_a_table_need_not_come_from_a_file(place, energies):
    table = energies.assign(employee_id=[f"E{i}" for i in range(len(energies))])
    with patch(place, return_value=table) as read:
        found = InsightsDataParser().parse_csv("people.csv")
    read.assert_called_once_with("people.csv")
    assert len(found) == len(table)
    assert isinstance(found, pd.DataFrame)


# --- the machine --------------------------------------------------------------------------
@pytest.mark.parametrize("place", ["psutil", f"{CLUSTERING}.resilience.psutil"])
@pytest.mark.parametrize(
    ("percent", "status"),
    [(50.0, "healthy"), (85.0, "degraded"), (96.0, "critical")],
)
def test_resources_are_those_of_psutil(place, percent, status):
    memory = Mock(percent=percent, available=2**30, total=2**34)
    with (
        patch(f"{place}.virtual_memory", return_value=memory),
        patch(f"{place}.cpu_percent", return_value=10.0),
        patch(f"{place}.disk_usage", return_value=Mock(percent=20.0, free=2**33)),
    ):
        monitor = ResourceMonitor()
        assert monitor.alerts == []
        monitor._check_resources()
    assert monitor.current_status == ResilienceStatus(status)
    assert len(monitor.alerts) == (status != "healthy")


def test_the_health_of_the_profiler_is_that_of_psutil():
    with (
        patch(f"{PROFILER}.health.psutil.cpu_percent", return_value=99.0),
        patch(f"{PROFILER}.health.psutil.virtual_memory") as memory,
    ):
        memory.return_value = Mock(percent=20.0, available=2**33)
        checker = health.HealthChecker()
        assert checker.system_metrics_history == []
        assert not checker.run_check("system_resources").healthy
    assert checker.collect_system_metrics().cpu_percent is not None


@pytest.mark.parametrize(
    ("counts", "rate"),
    [({}, 1.0), ({"total_operations": 10, "successful_operations": 8}, 0.8),
     ({"successful_operations": 1, "failed_operations": 1}, 0.5),
     ({"total_operations": 3, "successful_operations": 2, "running": 1}, 1.0)],
)  # fmt: skip
def test_the_rate_is_of_the_operations_that_ended(counts, rate):
    assert ResilienceMetrics(**counts).success_rate == rate


# --- monitoring ---------------------------------------------------------------------------
def test_the_system_of_the_process_can_be_replaced():
    own = Mock()
    with patch.object(advanced_monitoring, "monitoring_system", own):
        assert advanced_monitoring.get_monitoring_system() is own
        advanced_monitoring.record_metric("a", 1.0, {"b": "c"})
        advanced_monitoring.start_monitoring()
        advanced_monitoring.get_health_summary()
        advanced_monitoring.stop_monitoring()
    own.record_metric.assert_called_once_with("a", 1.0, {"b": "c"})
    own.start.assert_called_once_with()
    own.stop.assert_called_once_with()
    with patch(
        f"{PROFILER}.advanced_monitoring.get_monitoring_system", return_value=Mock()
    ) as get:
        advanced_monitoring.record_metric("a", 1.0)
    get.return_value.record_metric.assert_called_once_with("a", 1.0, None)
    same = advanced_monitoring.get_monitoring_system()
    assert isinstance(same, advanced_monitoring.MonitoringSystem)
    assert advanced_monitoring.get_monitoring_system() is same


def test_rules_are_evaluated_over_a_mocked_collector():
    collector, heard = Mock(), []
    manager = advanced_monitoring.AlertManager(collector)
    assert manager.metric_collector is collector
    manager.add_alert_handler(lambda alert: heard.append(alert.state.value))
    severity = advanced_monitoring.AlertSeverity.WARNING
    rule = advanced_monitoring.AlertRule("r", "cpu", "gt", 90.0, severity, 0.0)
    manager.add_rule(rule)
    for value in (50.0, 95.0, 50.0):
        sample = advanced_monitoring.Metric("cpu", value, datetime.now())
        collector.get_latest.return_value = sample
        manager._evaluate_rule(rule)
        assert list(manager.active_alerts) == (["r_cpu"] if value > 90 else [])
    assert heard == ["active", "resolved"]
    with pytest.raises(ValueError, match="metric_collector"):
        advanced_monitoring.AlertManager(3)


def test_alerts_put_in_by_hand_count_and_survive_an_evaluation():
    system = advanced_monitoring.MonitoringSystem()
    system.alert_manager.alert_handlers.clear()
    alert = advanced_monitoring.Alert(
        "i", "r", "m", 1.0, 0.5, advanced_monitoring.AlertSeverity.CRITICAL,
        advanced_monitoring.AlertState.ACTIVE, datetime.now(),
    )  # fmt: skip
    system.alert_manager.active_alerts["i"] = alert
    assert system.get_health_summary()["overall_health"] == "critical"
    system.alert_manager.evaluate()
    assert system.alert_manager.active_alerts["i"] is alert


def test_a_registry_of_prometheus_client_shows_the_series():
    prometheus = pytest.importorskip("prometheus_client")
    registry = prometheus.CollectorRegistry()
    metrics = EnhancedMetricsCollector(registry=registry)
    metrics.record_clustering_operation("esn", 1.0, 50)
    assert b"clustering_operations_total" in prometheus.generate_latest(registry)
    assert b"clustering_operations_total" in metrics.export_prometheus_metrics()


# --- reports ------------------------------------------------------------------------------
@pytest.mark.parametrize("plotly", [True, False])
def test_a_report_is_one_figure_with_a_trace_for_each_subject(plotly, tmp_path):
    results = ProfileResults("esp32", "m", 1.0, "4bit")
    results.add_latency_profile(LatencyProfile(150.0, 50.0, 1200.0, 20.0, 25.0))
    path = str(tmp_path / "r.html")
    with patch(f"{PROFILER}.analyzer.make_subplots", MagicMock() if plotly else None) as make:
        analyzer.MetricsAnalyzer().generate_report(results, path)
    if plotly:
        make.assert_called_once()
        figure = make.return_value
        figure.add_trace.assert_called_once()
        figure.update_layout.assert_called_once()
        figure.write_html.assert_called_once_with(path)
    else:
        assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    assert analyzer.HAS_PLOTLY in {True, False}
