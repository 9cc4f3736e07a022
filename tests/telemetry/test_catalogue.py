# ruff: noqa: E501 (lines of an exposition are as long as they are)
import pytest

from holdfast import _context
from holdfast.errors import InvalidParameterError
from holdfast.telemetry import (
    AlertManager,
    EnhancedMetricsCollector,
    MetricCollector,
    Registry,
    WindowRule,
    get_enhanced_metrics,
)
from holdfast.telemetry._series.catalogue_names import CATALOGUE

START = 1_700_000_000.0


@pytest.fixture
def metrics():
    return EnhancedMetricsCollector(Registry())


def test_every_series_of_the_catalogue_is_declared(metrics):
    lines = metrics.export_prometheus_metrics().decode().splitlines()
    kinds = dict(line.split()[2:4] for line in lines if line.startswith("# TYPE"))
    assert set(CATALOGUE) <= set(kinds)
    assert kinds["clustering_operation_duration_seconds"] == "histogram"
    assert kinds["circuit_breaker_state"] == "gauge"
    assert kinds["sla_violations_total"] == "counter"


def test_recorders_write_the_series_of_the_contract(metrics):
    metrics.record_clustering_operation("kmeans", 0.2, 150, fallback_used=True)
    metrics.record_neuromorphic_operation("esn", "reservoir", 0.1, "error", "memory_error")
    metrics.record_circuit_breaker_state("clusterer", "open")
    metrics.record_fallback_operation("esn", "kmeans", "timeout", correlation_id="1")
    metrics.record_data_processing("load", 0.5, 99)
    metrics.record_employee_records(7)
    metrics.record_team_compositions(2)
    metrics.set_data_quality_score(95)
    metrics.record_validation_error("shape")
    metrics.record_processing_error("loader", "OSError")
    metrics.set_memory_usage("clusterer", 1024)
    metrics.set_system_health(0.5)
    text = metrics.export_prometheus_metrics().decode()
    for line in [
        'clustering_operation_duration_seconds_count{algorithm="kmeans",dataset_size_bucket="medium"} 1',
        'clustering_operations_total{algorithm="kmeans",status="success",fallback_used="true"} 1',
        'neuromorphic_clustering_failures_total{error_type="memory_error",component="reservoir",recoverable="true"} 1',
        'circuit_breaker_state{component="clusterer"} 2',
        'circuit_breaker_failures_total{component="clusterer"} 1',
        'fallback_operations_total{primary_method="esn",fallback_method="kmeans",reason="timeout"} 1',
        'data_processing_duration_seconds_count{operation_type="load",data_size_bucket="small"} 1',
        'employee_records_processed_total{source="csv"} 7',
        'team_compositions_generated_total{composition_type="balanced"} 2',
        'data_quality_score{dataset="main",validation_type="overall"} 95',
        'validation_errors_total{error_type="shape"} 1',
        'processing_errors_total{component="loader",error_type="OSError",recoverable="true"} 1',
        'system_health_score{component="overall"} 0.5',
    ]:
        assert line + "\n" in text, line
    assert 'memory_usage_bytes{component="clusterer",process_id="' in text
    [entry] = metrics.metric_history
    assert (entry["algorithm"], entry["dataset_size"]) == ("kmeans", 150)


@pytest.mark.parametrize(
    ("size", "bucket"),
    [(0, "small"), (99, "small"), (100, "medium"), (1000, "large"), (10_000, "xlarge")],
)
def test_sizes_have_buckets(metrics, size, bucket):
    metrics.record_data_processing("load", 1, size)
    assert f'data_size_bucket="{bucket}"'.encode() in metrics.export_prometheus_metrics()


def test_a_correlation_id_is_in_the_history_and_no_label(metrics):
    with _context.use(_context.Context(trace_id="f" * 32)):
        metrics.record_clustering_operation("a", 1, 1)
    metrics.record_clustering_operation("a", 1, 1, correlation_id="given")
    ids = [entry["correlation_id"] for entry in metrics.metric_history]
    assert ids == ["f" * 32, "given"]
    assert b"given" not in metrics.export_prometheus_metrics()


def test_a_decorated_function_is_timed_and_its_errors_counted(metrics):
    @metrics.monitor_performance("load", "loader")
    def load(data):
        return data[0]

    assert load([1] * 200) == 1
    with pytest.raises(IndexError):
        load(data=[])
    text = metrics.export_prometheus_metrics().decode()
    assert 'operation_type="load",data_size_bucket="medium"} 1\n' in text
    assert 'processing_errors_total{component="loader",error_type="IndexError"' in text


def test_a_block_is_recorded_with_its_status(metrics):
    with metrics.monitor_clustering_operation("kmeans", 10):
        pass
    with (
        pytest.raises(OSError, match="gone"),
        metrics.monitor_clustering_operation("kmeans", 10),
    ):
        raise OSError("gone")
    assert [entry["status"] for entry in metrics.metric_history] == ["success", "error"]


def test_health_is_that_of_the_checks(metrics):
    assert metrics.health_check()["health_score"] == 1.0
    assert metrics.liveness_probe()
    assert metrics.readiness_probe()
    assert metrics.get_metrics_summary()["status"] == "prometheus_active"
    assert get_enhanced_metrics() is get_enhanced_metrics()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda m: m.record_circuit_breaker_state("a", "ajar"), "state must be one of"),
        (lambda m: EnhancedMetricsCollector(m.registry, 0), "max_history_size"),
    ],
)
def test_wrong_parameters_are_refused(metrics, wrong, message):
    with pytest.raises(InvalidParameterError, match=message):
        wrong(metrics)


def test_the_rules_of_the_catalogue_are_evaluated():
    registry = Registry()
    recorder = EnhancedMetricsCollector(registry)
    collector = MetricCollector()
    manager = AlertManager(collector)
    manager.alert_rules.clear()
    recorder.watch(manager)
    recorder.set_memory_usage("app", 3e9)
    recorder.set_system_health(0.9)
    recorder.record_processing_error("app", "ValueError")
    for minute in range(10):
        collector.scrape(registry, START + 60 * minute)
        manager.evaluate(START + 60 * minute)
        for _ in range(3):
            recorder.record_processing_error("app", "ValueError")
        recorder.record_clustering_operation("esn", 400.0, 10)
    assert {alert.rule_name: alert.severity.value for alert in manager.get_active_alerts()} == {
        "high_error_rate": "critical",
        "memory_usage_high": "warning",
        "long_clustering_duration": "warning",
    }


def test_the_default_rules_are_those_of_the_older_collector():
    rules = EnhancedMetricsCollector(Registry()).alert_rules
    told = [
        (r.name, r.metric_name, r.threshold, r.operator, r.severity, r.time_window_minutes)
        for r in rules
    ]
    assert told == [
        ("high_error_rate", "processing_errors_total", 10, ">", "critical", 15),
        ("long_clustering_duration", "clustering_operation_duration_seconds", 300, ">",
         "warning", 30),
        ("memory_usage_high", "memory_usage_bytes", 2e9, ">", "warning", 5),
        ("system_health_degraded", "system_health_score", 0.7, "<", "warning", 10),
        ("neuromorphic_failures", "neuromorphic_clustering_failures_total", 5, ">",
         "critical", 20),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"operator": "above"}, "operator"),
        ({"threshold": float("nan")}, "threshold"),
        ({"severity": "loud"}, "severity"),
        ({"time_window_minutes": 0}, "time_window_minutes"),
        ({"enabled": 2}, "enabled"),
        ({"name": ""}, "name"),
    ],
)
def test_a_rule_that_could_not_be_evaluated_is_refused(given, name):
    good = {
        "name": "r", "metric_name": "m", "threshold": 1.0, "operator": ">",
        "severity": "error", "time_window_minutes": 5,
    }  # fmt: skip
    with pytest.raises(InvalidParameterError, match=f"{name} must be"):
        WindowRule(**{**good, **given})


def test_usual_durations_and_last_answers_are_told():
    recorder = EnhancedMetricsCollector(Registry())
    for seconds in (1.0, 2.0, 3.0):
        recorder.record_clustering_operation("esn", seconds, 10)
    recorder.record_clustering_operation("esn", 90.0, 10, status="error")
    recorder.record_clustering_operation("lsm", 1.0, 10)
    [(algorithm, usual)] = recorder.performance_baselines.items()
    assert (algorithm, usual.baseline_value, usual.sample_count) == ("esn", 2.0, 3)
    assert usual.std_deviation == 1.0
    assert usual.confidence_interval == pytest.approx((2 - 1.96 / 3**0.5, 2 + 1.96 / 3**0.5))
    shown = recorder.in_memory_metrics
    [count] = [
        value
        for name, value in shown.items()
        if name.startswith("clustering_operations_total{") and 'status="error"' in name
    ]
    assert count == 1
