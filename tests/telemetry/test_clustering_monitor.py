"""Clusterings that are watched, and gates on their results."""

import contextlib
import csv
import datetime as dt
import io
import json
import re
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidParameterError, NeuromorphicException
from holdfast.telemetry import (
    ClusteringMonitor,
    ClusteringPhase,
    ClusteringQualityGates,
    EnhancedMetricsCollector,
    QualityGate,
    Registry,
    monitor_clustering_operation,
    record_spans,
)


@pytest.fixture
def monitor():
    return ClusteringMonitor()


def test_an_operation_is_active_then_kept_with_its_phases(monitor):
    settings = {"dataset_size": 50, "target_clusters": 3}
    with record_spans() as ended, monitor.monitor_operation("esn", **settings) as operation:
        assert list(monitor.active_operations.values()) == [operation]
        assert operation.status == "running"
        for phase in (ClusteringPhase.FEATURE_EXTRACTION, "clustering", "clustering"):
            with monitor.monitor_phase(operation.operation_id, phase):
                pass
    assert monitor.active_operations == {}
    assert list(monitor.completed_operations) == [operation]
    assert operation.status == "success"
    assert set(operation.phase_durations) == {"feature_extraction", "clustering"}
    assert sum(operation.phase_durations.values()) <= operation.total_duration_ms
    *phases, whole = ended
    assert [s.name for s in phases] == ["feature_extraction", "clustering", "clustering"]
    assert all(s.parent_id == whole.span_id for s in phases)
    assert operation.correlation_id == whole.trace_id
    assert whole.attributes["operation_id"] == operation.operation_id


def test_an_exception_marks_it_as_failed_and_goes_on(monitor):
    error = NeuromorphicException("bad", recoverable=False)
    with pytest.raises(NeuromorphicException), monitor.monitor_operation("esn", "c-1") as one:
        raise error
    assert (one.status, one.correlation_id) == ("failed", "c-1")
    assert one.errors[0]["type"] == "NeuromorphicException"
    assert one.errors[0]["recoverable"] is False
    assert monitor.get_operation_status(one.operation_id)["status"] == "failed"
    assert monitor.statistics["success_rate"] == 0


def test_what_is_recorded_stays(monitor):
    with monitor.monitor_operation("hybrid") as one:
        key = one.operation_id
        monitor.record_neuromorphic_metrics(key, "esn", 12.0, success=True, feature_count=60)
        monitor.record_neuromorphic_metrics(key, "snn", 3.0, success=False, feature_count=20)
        monitor.record_quality_metrics(key, {"silhouette_score": 0.5, "inertia": 3.0})
        monitor.record_quality_metrics(
            key, {"silhouette_score": None, "cluster_stability": 0.9}
        )
        monitor.record_resource_usage(key, 100.0, 50.0)
        monitor.record_resource_usage(key, 80.0, 70.0)
        monitor.record_fallback(key, "memory", "kmeans")
        monitor.record_circuit_breaker_trip(key)
    assert one.neuromorphic_components_used == ["esn", "snn"]
    assert one.component_durations_ms == {"esn": 12.0, "snn": 3.0}
    assert (one.feature_dimensions, one.feature_extraction_failures) == (80, 1)
    assert (one.silhouette_score, one.inertia, one.cluster_stability) == (0.5, 3.0, 0.9)
    assert (one.memory_peak_mb, one.cpu_usage_percent) == (100.0, 70.0)
    assert one.fallback_triggered
    assert (one.fallback_reason, one.circuit_breaker_trips) == ("memory", 1)


def test_unknown_operations_are_ignored(monitor):
    monitor.record_fallback("nobody", "x", "y")
    monitor.record_resource_usage("nobody", 1.0, 1.0)
    monitor.record_quality_metrics("nobody", {"inertia": 1.0})
    with monitor.monitor_phase("nobody", "clustering") as operation:
        assert operation is None
    assert monitor.get_operation_status("nobody") is None


def watched(monitor, n=1, method="esn", rows=50, **scores):
    for _ in range(n):
        with monitor.monitor_operation(method, dataset_size=rows) as one:
            monitor.record_quality_metrics(one.operation_id, scores)
    return one


def test_the_dashboard_adds_up(monitor):
    assert "message" in monitor.get_performance_dashboard()
    watched(monitor, 3, silhouette_score=0.5)
    watched(monitor, 1, method="snn", silhouette_score=0.1)
    with pytest.raises(ValueError, match="x"), monitor.monitor_operation("snn"):
        raise ValueError("x")
    told = monitor.get_performance_dashboard(hours=1)
    assert told["summary"]["total_operations"] == 5
    assert told["summary"]["success_rate"] == pytest.approx(0.8)
    assert told["summary"]["avg_memory_mb"] is None
    assert told["quality_metrics"] == {
        "avg_silhouette_score": pytest.approx(0.4),
        "avg_calinski_harabasz": None,
    }
    assert told["method_breakdown"]["snn"]["success_rate"] == 0.5
    assert told["alerts"]["low_quality_operations"] == 1
    durations = [o.total_duration_ms for o in monitor.completed_operations]
    assert told["summary"]["avg_duration_ms"] == pytest.approx(np.mean(durations))


def test_only_recent_operations_count(monitor):
    watched(monitor).started_at -= dt.timedelta(hours=2)
    watched(monitor)
    assert monitor.get_performance_dashboard(hours=1)["summary"]["total_operations"] == 1


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        (np.linspace(0.2, 0.8, 20), "improving"),
        (np.linspace(0.8, 0.2, 20), "declining"),
        (np.full(20, 0.5), "stable"),
        (np.linspace(0.2, 0.8, 9), "stable"),
    ],
)
def test_trends_say_what_they_mean(monitor, scores, expected):
    for score in scores:
        watched(monitor, silhouette_score=float(score))
    told = monitor.get_performance_dashboard()["trends"]
    assert told["quality_trend"] == expected


def test_longer_is_not_better(monitor):
    for ms in range(20):
        watched(monitor).total_duration_ms = 100.0 + 50 * ms
    assert monitor.get_performance_dashboard()["trends"]["duration_trend"] == "declining"


def test_exports_read_back(monitor):
    watched(monitor, method='odd,"name"', silhouette_score=0.0)
    rows = list(csv.DictReader(io.StringIO(monitor.export_metrics("csv"))))
    assert rows[0]["method"] == 'odd,"name"'
    assert rows[0]["silhouette_score"] == "0.0"
    told = json.loads(monitor.export_metrics())
    assert told["operations"][0]["status"] == "success"
    assert "Unknown format" in monitor.export_metrics("xml")


def test_baselines_learn_from_successes(monitor):
    for _ in range(5):
        watched(monitor, rows=500, silhouette_score=0.4)
    baseline = monitor.performance_baselines["esn_medium"]
    durations = [o.total_duration_ms for o in monitor.completed_operations]
    assert baseline.sample_count == 5
    assert baseline.baseline_duration_ms == pytest.approx(np.mean(durations))
    expected = 1.96 * np.std(durations, ddof=1) / np.sqrt(5)
    assert baseline.confidence_interval == pytest.approx(expected)
    assert baseline.baseline_quality_score == pytest.approx(0.4)


def test_what_is_beyond_a_threshold_is_logged(monitor, caplog):
    watched(monitor, silhouette_score=0.1)
    assert "silhouette is 0.1, beyond min_silhouette_score=0.3" in caplog.text
    caplog.clear()
    watched(monitor, silhouette_score=0.9)
    assert caplog.text == ""


def test_history_and_its_size_are_bounded():
    monitor = ClusteringMonitor(max_history_size=2)
    watched(monitor, 5)
    assert len(monitor.completed_operations) == 2
    assert monitor.statistics["total_operations"] == 5
    with pytest.raises(
        InvalidParameterError, match="max_history_size must be an integer >= 1, got 0"
    ):
        ClusteringMonitor(0)


def test_many_threads_are_all_counted(monitor):
    threads = [threading.Thread(target=watched, args=(monitor, 50)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert monitor.statistics["total_operations"] == 200
    assert monitor.active_operations == {}


def test_a_decorated_function_is_watched(monitor):
    class Result:
        def get_clustering_metrics(self):
            return type("Scores", (), {"silhouette_score": 0.7})()

    @monitor_clustering_operation("esn", monitor, target_clusters=4)
    def cluster(data):
        """Clusters."""
        return Result()

    cluster([1], correlation_id="c", dataset_size=1)
    (one,) = monitor.completed_operations
    assert cluster.__doc__ == "Clusters."
    assert (one.correlation_id, one.dataset_size, one.target_clusters) == ("c", 1, 4)
    assert one.silhouette_score == 0.7


def test_operations_are_series_of_the_registry():
    registry = Registry()
    monitor = ClusteringMonitor(metrics=EnhancedMetricsCollector(registry))
    watched(monitor, 2, rows=500)
    with contextlib.suppress(MemoryError), monitor.monitor_operation("esn") as one:
        assert "clustering_jobs_running 1" in registry.expose().decode()
        monitor.record_fallback(one.operation_id, "full", "kmeans")
        raise MemoryError
    lines = registry.expose().decode().splitlines()
    for name, labels, value in (
        ("clustering_operations_total", "esn success false", 2),
        ("clustering_operations_total", "esn failed true", 1),
        ("clustering_operation_duration_seconds_count", "esn medium", 2),
        ("neuromorphic_clustering_failures_total", "MemoryError clustering true", 1),
        ("fallback_operations_total", "esn kmeans MemoryError", 1),
        ("clustering_jobs_completed_total", "", 2),
        ("clustering_jobs_failed_total", "", 1),
        ("clustering_jobs_running", "", 0),
    ):
        found = [
            line
            for line in lines
            if re.split("[{ ]", line)[0] == name
            and re.findall('"(.*?)"', line) == labels.split()
        ]
        assert [line.split()[-1] for line in found] == [str(value)], (name, found)


# --- gates -----------------------------------------------------------------------------------
GOOD = {
    "silhouette_score": 0.6,
    "calinski_harabasz_score": 100.0,
    "cluster_stability": 0.9,
}


def test_a_good_clustering_passes_the_default_gates():
    told = ClusteringQualityGates().validate_clustering_results(GOOD, [0] * 5 + [1] * 5 + [-1])
    assert told["passed"]
    assert told["overall_score"] == 1.0
    assert (told["cluster_count"], told["sample_count"]) == (2, 11)


def test_scores_may_be_attributes_and_labels_an_array():
    metrics = type("Metrics", (), GOOD)()
    told = ClusteringQualityGates().validate_clustering_results(metrics, np.array([0, 0, 1, 1]))
    assert told["passed"]


@pytest.mark.parametrize(
    ("gate", "value", "passed", "score"),
    [
        (QualityGate("g", "x", 0.5), 0.5, True, 1.0),
        (QualityGate("g", "x", 0.5), 0.25, False, 0.5),
        (QualityGate("g", "x", 0.5), -1.0, False, 0.0),
        (QualityGate("g", "x", 0.0), -1.0, False, 0.0),
        (QualityGate("g", "x", 0.0), 0.0, True, 1.0),
        (QualityGate("g", "x", 0.0, 1.0), 0.5, True, 1.0),
        (QualityGate("g", "x", 0.0, 1.0), 1.5, False, 0.0),
        (QualityGate("g", "x", 0.0), None, False, 0.0),
        (QualityGate("g", "x", 0.0), float("nan"), False, 0.0),
    ],
)
def test_a_gate_says_how_close_a_value_comes(gate, value, passed, score):
    (told,) = ClusteringQualityGates([gate]).validate_clustering_results({"x": value}, [0])[
        "gate_results"
    ]
    assert (told["passed"], told["score"]) == (passed, score)


@pytest.mark.parametrize(
    ("labels", "least"), [([0, 0, 1], 1), ([0, 0, 0, -1], 3), ([-1, -1], 0), ([], 0)]
)
def test_the_smallest_cluster_is_counted_without_noise(labels, least):
    gates = ClusteringQualityGates([QualityGate("size", "min_cluster_size", 5)])
    (told,) = gates.validate_clustering_results({}, labels)["gate_results"]
    assert told["actual_value"] == least


def test_disabled_gates_and_weights_count():
    gates = ClusteringQualityGates(
        [
            QualityGate("a", "a", 1.0, weight=3.0),
            QualityGate("b", "b", 1.0, weight=1.0),
            QualityGate("c", "c", 1.0, enabled=False),
        ]
    )
    told = gates.validate_clustering_results({"a": 1.0, "b": 0.5}, [0])
    assert not told["passed"]
    assert told["overall_score"] == pytest.approx((3 + 0.5) / 4)
    assert len(told["gate_results"]) == 2


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"min_threshold": float("nan")}, "min_threshold must be a number"),
        (
            {"min_threshold": 1.0, "max_threshold": 0.5},
            "max_threshold must be a number >= 1, got 0.5",
        ),
        ({"min_threshold": 1.0, "weight": -1.0}, "weight must be a finite number >= 0, got -1"),
    ],
    ids=str,
)
def test_a_gate_is_checked_when_it_is_made(settings, rule):
    with pytest.raises(InvalidParameterError, match=rule):
        QualityGate("g", "x", **settings)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=30))
def test_trends_of_gates_agree_with_numpy(values):
    gates = ClusteringQualityGates([QualityGate("g", "x", 0.5)])
    for value in values:
        gates.validate_clustering_results({"x": value}, [0])
    told = gates.get_quality_trends()
    scores = [min(1.0, max(0.0, value / 0.5)) for value in values]
    assert told["average_score"] == pytest.approx(np.mean(scores))
    assert told["score_range"]["std"] == pytest.approx(np.std(scores), abs=1e-12)
    assert told["pass_rate"] == pytest.approx(np.mean([value >= 0.5 for value in values]))
    assert told["latest_score"] == pytest.approx(scores[-1])


def test_no_check_has_no_trend():
    assert ClusteringQualityGates().get_quality_trends()["trend"] == "stable"
