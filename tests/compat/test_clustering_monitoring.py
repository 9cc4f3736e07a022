"""The monitor of clusterings; only the imports name Holdfast."""

import csv
import io
import json
from dataclasses import MISSING, fields
from datetime import datetime, timezone

import pytest

# from insights_clustering.monitoring import (...)
from holdfast.compat.insights_clustering.monitoring import (
    ClusteringMonitor,
    ClusteringOperationMetrics,
    ClusteringPerformanceBaseline,
    ClusteringPhase,
    MetricType,
    clustering_monitor,
    monitor_clustering_operation,
    performance_monitor,
)


def test_enums():
    assert [phase.value for phase in ClusteringPhase] == [
        "initialization",
        "feature_extraction",
        "neuromorphic_processing",
        "clustering",
        "validation",
        "fallback",
    ]
    assert [kind.value for kind in MetricType] == [
        "performance",
        "quality",
        "resource",
        "business",
    ]


def test_fields_of_an_operation():
    defaults = {
        f.name: f.default_factory() if f.default is MISSING else f.default
        for f in fields(ClusteringOperationMetrics)[4:]
    }
    assert [f.name for f in fields(ClusteringOperationMetrics)[:4]] == [
        "operation_id",
        "correlation_id",
        "method",
        "started_at",
    ]
    assert defaults.pop("component_durations_ms") == {}
    assert defaults == {
        "completed_at": None,
        "status": "running",
        "dataset_size": 0,
        "feature_dimensions": 0,
        "target_clusters": 0,
        "total_duration_ms": 0.0,
        "phase_durations": {},
        "memory_peak_mb": None,  # it was 0.0, which nobody had measured
        "cpu_usage_percent": None,
        "silhouette_score": None,
        "calinski_harabasz_score": None,
        "davies_bouldin_score": None,
        "inertia": None,
        "cluster_stability": None,
        "neuromorphic_components_used": [],
        "feature_extraction_failures": 0,
        "fallback_triggered": False,
        "fallback_reason": None,
        "circuit_breaker_trips": 0,
        "errors": [],
        "warnings": [],
    }


def test_an_operation_by_hand():
    begun = datetime.now(timezone.utc).replace(tzinfo=None)
    operation = ClusteringOperationMetrics("id", "corr", "esn", begun)
    operation.add_phase_duration(ClusteringPhase.CLUSTERING, 12.5)
    operation.add_error("ValueError", "bad", False)  # noqa: FBT003 (as scripts pass it)
    operation.complete_operation("failed")
    assert operation.phase_durations == {"clustering": 12.5}
    (error,) = operation.errors
    assert set(error) == {"timestamp", "type", "message", "recoverable"}
    assert not error["recoverable"]
    assert operation.status == "failed"
    assert operation.completed_at >= begun
    assert operation.total_duration_ms >= 0


def test_fields_of_a_baseline():
    assert [f.name for f in fields(ClusteringPerformanceBaseline)] == [
        "method",
        "dataset_size_bucket",
        "baseline_duration_ms",
        "baseline_quality_score",
        "sample_count",
        "last_updated",
        "confidence_interval",
    ]


@pytest.fixture
def monitor():
    return ClusteringMonitor(max_history_size=50)


def test_a_new_monitor(monitor):
    assert monitor.active_operations == {}
    assert len(monitor.completed_operations) == 0
    assert monitor.performance_baselines == {}
    assert set(monitor.statistics) == {
        "total_operations",
        "success_rate",
        "average_duration_ms",
        "fallback_rate",
        "quality_trends",
    }
    assert monitor.alert_thresholds == {
        "max_duration_ms": 300_000,
        "min_silhouette_score": 0.3,
        "max_memory_mb": 2048,
        "max_failure_rate": 0.1,
        "max_fallback_rate": 0.2,
    }


def test_the_life_of_an_operation(monitor):
    with monitor.monitor_operation("esn", "corr-1", 100, 4) as metrics:
        number = metrics.operation_id
        assert number in monitor.active_operations
        with monitor.monitor_phase(number, ClusteringPhase.FEATURE_EXTRACTION):
            pass
        monitor.record_neuromorphic_metrics(number, "esn", 3.0, True, 60)  # noqa: FBT003
        monitor.record_neuromorphic_metrics(number, "snn", 1.0, False)  # noqa: FBT003
        monitor.record_quality_metrics(
            number, {"silhouette_score": 0.5, "calinski_harabasz_score": 80.0}
        )
        monitor.record_quality_metrics(number, {"inertia": 3.0})
        monitor.record_resource_usage(number, 200.0, 50.0)
        monitor.record_resource_usage(number, 100.0, 80.0)
        monitor.record_fallback(number, "no room", "kmeans")
        assert monitor.get_operation_status(number)["status"] == "running"
    told = monitor.get_operation_status(number)
    assert told["status"] == "success"
    assert (told["method"], told["correlation_id"]) == ("esn", "corr-1")
    assert (told["dataset_size"], told["target_clusters"]) == (100, 4)
    assert set(told["phase_durations"]) == {"feature_extraction"}
    assert told["neuromorphic_components_used"] == ["esn", "snn"]
    assert told["feature_extraction_failures"] == 1
    assert (told["silhouette_score"], told["inertia"]) == (0.5, 3.0)
    assert (told["memory_peak_mb"], told["cpu_usage_percent"]) == (200.0, 80.0)
    assert (told["fallback_triggered"], told["fallback_reason"]) == (True, "no room")
    assert monitor.statistics["total_operations"] == 1
    assert list(monitor.statistics["quality_trends"]["silhouette"]) == [0.5]


def test_an_exception_fails_it_and_goes_on(monitor):
    with pytest.raises(ValueError, match="bad"), monitor.monitor_operation("esn") as metrics:
        raise ValueError("bad")
    assert metrics.status == "failed"
    assert metrics.errors[0]["type"] == "ValueError"
    assert metrics.correlation_id


def test_unknown_ids_are_ignored(monitor):
    monitor.record_fallback("?", "x", "kmeans")
    monitor.record_quality_metrics("?", {"inertia": 1.0})
    monitor.record_resource_usage("?", 1.0, 1.0)
    assert monitor.get_operation_status("?") is None


def test_the_dashboard(monitor):
    told = monitor.get_performance_dashboard(hours=24)
    assert set(told) == {"period_hours", "message"}
    for method in ("esn", "esn", "snn"):
        with monitor.monitor_operation(method):
            pass
    told = monitor.get_performance_dashboard(hours=24)
    assert set(told["summary"]) == {
        "total_operations",
        "success_rate",
        "failure_rate",
        "fallback_rate",
        "avg_duration_ms",
        "p95_duration_ms",
        "avg_memory_mb",
    }
    assert told["quality_metrics"] == {
        "avg_silhouette_score": None,
        "avg_calinski_harabasz": None,
    }
    assert set(told["method_breakdown"]["esn"]) == {
        "count",
        "success",
        "avg_duration",
        "success_rate",
    }
    assert told["method_breakdown"]["esn"]["count"] == 2
    assert told["trends"] == {"duration_trend": "stable", "quality_trend": "stable"}
    assert told["alerts"] == {
        "high_duration_operations": 0,
        "low_quality_operations": 0,
        "high_memory_operations": 0,
    }


def test_exports(monitor):
    with monitor.monitor_operation("esn, of old") as metrics:
        pass
    assert json.loads(monitor.export_metrics("json"))
    (row,) = csv.DictReader(io.StringIO(monitor.export_metrics("csv")))
    assert list(row) == [
        "operation_id",
        "method",
        "status",
        "duration_ms",
        "dataset_size",
        "silhouette_score",
        "fallback_triggered",
    ]
    assert (row["operation_id"], row["method"]) == (metrics.operation_id, "esn, of old")
    assert "xml" in monitor.export_metrics("xml")


class Result:
    def get_clustering_metrics(self):
        return type("Scores", (), {"silhouette_score": 0.4})()


def test_a_decorated_function_is_an_operation():
    @monitor_clustering_operation("hybrid")
    def cluster(rows):
        """Cluster."""
        assert rows == [1, 2]
        return Result()

    cluster([1, 2], correlation_id="corr-2", dataset_size=2, target_clusters=1)
    kept = clustering_monitor.completed_operations[-1]
    assert (kept.method, kept.correlation_id, kept.dataset_size) == ("hybrid", "corr-2", 2)
    assert kept.silhouette_score == 0.4
    assert cluster.__name__ == "cluster"


def test_a_block_is_timed():
    from holdfast.telemetry import get_performance_dashboard

    with performance_monitor("older block"):
        pass
    told = get_performance_dashboard(minutes=1)
    assert told["operations"]["older block"]["calls"] == 1
