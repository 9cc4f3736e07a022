"""Metrics, alerts and monitoring as an older test-suite asks for them."""

import json
import threading
from collections import deque
from datetime import datetime, timedelta

import pytest

from holdfast.telemetry import (
    Alert,
    AlertManager,
    AlertRule,
    AlertSeverity,
    AlertState,
    Metric,
    MetricCollector,
    MetricType,
    MonitoringSystem,
)


def now():
    return datetime.now()  # noqa: DTZ005 (as the API has it)


@pytest.fixture
def collector():
    collector = MetricCollector()
    yield collector
    collector.stop()


@pytest.fixture
def manager(collector):
    return AlertManager(collector)


def test_enumerations():
    assert [kind.value for kind in MetricType] == ["counter", "gauge", "histogram", "summary"]
    assert [s.value for s in AlertSeverity] == ["info", "warning", "error", "critical"]
    assert [s.value for s in AlertState] == ["active", "resolved", "silenced"]
    assert AlertSeverity.WARNING == "warning"


def test_a_metric_by_position():
    when = now()
    assert Metric("cpu", 1.0, when).metric_type == MetricType.GAUGE
    metric = Metric("cpu", 1.0, when, {"host": "a"}, MetricType.COUNTER)
    assert (metric.name, metric.value, metric.timestamp) == ("cpu", 1.0, when)
    assert metric.labels == {"host": "a"}
    assert Metric("cpu", 1.0, when).labels == {}


def test_a_rule_by_position_and_its_defaults():
    rule = AlertRule("r", "cpu", "gt", 90.0, AlertSeverity.WARNING)
    assert (rule.duration_seconds, rule.description, rule.enabled) == (60.0, "", True)
    assert rule.labels == {}
    full = AlertRule("r", "cpu", "gt", 90.0, AlertSeverity.ERROR, 5.0, "d", False, {"a": "b"})  # noqa: FBT003
    assert (full.duration_seconds, full.description, full.enabled) == (5.0, "d", False)


def test_an_alert_by_position_and_as_a_dict():
    when = now()
    alert = Alert("i", "r", "cpu", 95.0, 90.0, AlertSeverity.WARNING, AlertState.ACTIVE, when)
    assert alert.to_dict() == {
        "id": "i", "rule_name": "r", "metric_name": "cpu", "current_value": 95.0,
        "threshold": 90.0, "severity": "warning", "state": "active",
        "started_at": when.isoformat(), "resolved_at": None, "description": "", "labels": {},
    }  # fmt: skip
    alert.resolved_at = when
    assert alert.to_dict()["resolved_at"] == when.isoformat()


def test_a_collector_has_its_attributes():
    collector = MetricCollector(max_retention_hours=0.5)
    assert collector.max_retention_hours == 0.5
    assert MetricCollector().max_retention_hours == 24
    assert collector.cleanup_running is True
    assert isinstance(collector.cleanup_thread, threading.Thread)
    assert collector.cleanup_thread.daemon
    thread = collector.cleanup_thread
    collector.stop()
    assert collector.cleanup_running is False
    assert not thread.is_alive()


def test_a_forgotten_collector_takes_its_thread_with_it():
    collector = MetricCollector()
    thread = collector.cleanup_thread
    del collector
    thread.join(5)
    assert not thread.is_alive()


def test_whoever_holds_the_lock_sees_no_sample_come(collector):
    recorder = threading.Thread(target=collector.record, args=(Metric("x", 1.0, now()),))
    with collector.lock:
        recorder.start()
        recorder.join(0.02)
        assert recorder.is_alive()
        assert collector.get_latest("x") is None
    recorder.join(5)
    assert collector.get_latest("x").value == 1.0


def test_series_have_the_older_keys(collector):
    collector.record(Metric("cpu", 1.0, now()))
    collector.record(Metric("cpu", 2.0, now(), {"b": "2", "a": "1"}))
    assert set(collector.metrics) == {"cpu", "cpu{a=1,b=2}"}
    assert collector._get_metric_key("cpu", {"b": "2", "a": "1"}) == "cpu{a=1,b=2}"  # noqa: SLF001
    assert collector._get_metric_key("cpu", None) == "cpu"  # noqa: SLF001
    assert isinstance(collector.metrics["cpu"], deque)
    assert collector.metrics["cpu"].maxlen == 10_000
    assert len(collector.metrics["unknown"]) == 0


def test_questions_to_a_collector(collector):
    for age, value in [(900, 100.0), (60, 1.0), (30, 2.0), (0, 6.0)]:
        collector.record(Metric("cpu", value, now() - timedelta(seconds=age)))
    found = collector.get_metrics("cpu", start_time=now() - timedelta(minutes=2))
    assert [metric.value for metric in found] == [1.0, 2.0, 6.0]
    assert collector.get_latest("cpu").value == 6.0
    assert collector.get_latest("gone") is None
    told = [collector.get_aggregated("cpu", a) for a in ("avg", "sum", "min", "max", "count")]
    assert told == [3.0, 9.0, 1.0, 6.0, 3]
    assert collector.get_aggregated("gone", "anything") is None
    with pytest.raises(ValueError, match="aggregation"):
        collector.get_aggregated("cpu", "anything")


def test_old_samples_go(collector):
    collector.record(Metric("cpu", 1.0, now() - timedelta(hours=25)))
    collector.record(Metric("cpu", 2.0, now()))
    collector._cleanup_old_metrics()  # noqa: SLF001
    assert [metric.value for metric in collector.get_metrics("cpu")] == [2.0]


def test_a_manager_has_its_attributes(manager, collector):
    assert manager.metric_collector is collector
    assert (manager.active_alerts, manager.alert_history) == ({}, [])
    assert manager.alert_handlers == []
    assert (manager.evaluation_interval, manager.evaluation_running) == (30, False)
    assert manager.evaluation_thread is None
    assert set(manager.alert_rules) == {
        "high_memory_usage", "critical_memory_usage", "high_cpu_usage",
        "device_connection_failed", "profiling_timeout", "circuit_breaker_open",
    }  # fmt: skip


def test_the_first_evaluation_comes_at_once_and_stop_is_quick(manager, collector):
    heard = threading.Event()
    manager.add_alert_handler(lambda _: heard.set())
    manager.add_rule(AlertRule("r", "cpu", "gt", 90.0, AlertSeverity.ERROR, 0))
    collector.record(Metric("cpu", 95.0, now()))
    manager.start()
    manager.start()
    assert heard.wait(5)
    thread = manager.evaluation_thread
    manager.stop()
    assert not thread.is_alive()
    assert manager.evaluation_running is False


def test_a_rule_is_evaluated_as_the_older_tests_do(manager, collector):
    heard = []
    manager.add_alert_handler(lambda alert: heard.append((alert.id, alert.state.value)))
    rule = AlertRule("r", "cpu", "gt", 90.0, AlertSeverity.CRITICAL, 0)
    manager.add_rule(rule)
    collector.record(Metric("cpu", 95.0, now()))
    manager._evaluate_rule(rule)  # noqa: SLF001
    manager._evaluate_rule(rule)  # noqa: SLF001
    alert = manager.active_alerts["r_cpu"]
    assert manager.alert_history == [alert]
    assert (alert.current_value, alert.threshold, alert.severity) == (95.0, 90.0, "critical")
    collector.record(Metric("cpu", 10.0, now()))
    manager._evaluate_rule(rule)  # noqa: SLF001
    assert manager.active_alerts == {}
    assert alert.state == AlertState.RESOLVED
    assert alert.resolved_at is not None
    assert heard == [("r_cpu", "active"), ("r_cpu", "resolved")]


@pytest.mark.parametrize(
    ("condition", "value", "holds"),
    [
        ("gt", 91.0, True), ("gt", 90.0, False), ("gte", 90.0, True), ("lt", 89.0, True),
        ("lte", 90.0, True), ("eq", 90.0, True), ("eq", 91.0, False), ("near", 90.0, False),
    ],
)  # fmt: skip
def test_conditions_are_real_bools(manager, condition, value, holds):
    rule = AlertRule("r", "cpu", condition, 90.0, AlertSeverity.INFO)
    assert manager._check_condition(rule, value) is holds  # noqa: SLF001


def test_a_duration_is_that_of_the_condition_not_of_one_sample(manager, collector):
    rule = AlertRule("r", "cpu", "gt", 90.0, AlertSeverity.ERROR, 60.0)
    collector.record(Metric("cpu", 95.0, now()))
    manager._evaluate_rule(rule)  # noqa: SLF001
    assert manager.active_alerts == {}
    collector.record(Metric("hot", 95.0, now() - timedelta(seconds=61)))
    collector.record(Metric("hot", 96.0, now()))
    long = AlertRule("long", "hot", "gt", 90.0, AlertSeverity.ERROR, 60.0)
    manager._evaluate_rule(long)  # noqa: SLF001
    assert list(manager.active_alerts) == ["long_hot"]


def test_alerts_by_severity_silences_and_history(manager, collector):
    for name, severity in [("a", AlertSeverity.ERROR), ("b", AlertSeverity.INFO)]:
        collector.record(Metric(name, 2.0, now()))
        manager.add_rule(AlertRule(name, name, "gt", 1.0, severity, 0))
        manager._evaluate_rule(manager.alert_rules[name])  # noqa: SLF001
    assert [alert.id for alert in manager.get_active_alerts(AlertSeverity.ERROR)] == ["a_a"]
    manager.silence_alert("a_a", duration_minutes=5)
    manager.silence_alert("unknown")
    assert manager.active_alerts["a_a"].state == AlertState.SILENCED
    assert len(manager.get_active_alerts()) == 2
    assert len(manager.get_alert_history(hours=1)) == 2
    manager.remove_rule("unknown")


def test_what_a_handler_raises_is_swallowed(manager):
    heard = []
    manager.add_alert_handler(lambda _: 1 / 0)
    manager.add_alert_handler(heard.append)
    alert = Alert("i", "r", "m", 1.0, 0.0, AlertSeverity.INFO, AlertState.ACTIVE, now())
    manager._notify_handlers(alert)  # noqa: SLF001
    assert heard == [alert]


def test_a_system_has_its_attributes():
    system = MonitoringSystem()
    assert system.metric_collector is system.alert_manager.metric_collector
    assert (system.monitoring_active, system.monitor_interval) == (False, 10)
    assert system.system_monitor_thread is None
    assert len(system.alert_manager.alert_handlers) == 2


def test_a_summary_has_its_keys():
    summary = MonitoringSystem().get_health_summary()
    assert set(summary) >= {
        "timestamp", "overall_health", "active_alerts", "critical_alerts", "warning_alerts",
        "system_metrics", "monitoring_active", "alert_rules_count",
    }  # fmt: skip
    assert datetime.fromisoformat(summary["timestamp"])
    assert summary["system_metrics"] == {"memory_percent": None, "cpu_percent": None}
    assert summary["alert_rules_count"] == 6


def test_the_first_sample_comes_at_once_and_no_thread_stays():
    before = {t.ident for t in threading.enumerate()}
    system = MonitoringSystem()
    system.alert_manager.alert_handlers.clear()
    for _ in range(2):
        system.start()
        system.start()
        assert system.metric_collector.cleanup_running
        until = threading.Event()
        for _ in range(500):
            if system.get_metrics("system_memory_percent"):
                break
            until.wait(0.01)
        assert system.get_metrics("system_memory_percent")[0].labels == {}
        assert system.get_metrics("system_disk_free_gb")
        system.stop()
        system.stop()
    assert {t.ident for t in threading.enumerate()} - before == set()


def test_metrics_are_exported_to_a_path(tmp_path):
    system = MonitoringSystem()
    system.record_metric("cpu", 5, {"host": "a"})
    path = tmp_path / "metrics.json"
    system.export_metrics(path)
    [(key, [sample])] = json.loads(path.read_text()).items()
    assert key == "cpu{host=a}"
    assert set(sample) == {"name", "value", "timestamp", "labels"}
    assert path.read_text().startswith('{\n  "')
    with pytest.raises(ValueError, match="format"):
        system.export_metrics(path, format="xml")
