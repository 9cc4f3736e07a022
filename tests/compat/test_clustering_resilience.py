"""Quality gates, resources and their manager; only the imports name Holdfast."""

# ruff: noqa: SLF001 (older scripts call and replace private methods)

import json
import threading
from dataclasses import fields
from datetime import datetime

import numpy as np
import pytest

# from insights_clustering.resilience import (...)
from holdfast.compat.insights_clustering.resilience import (
    ClusteringQualityGates,
    QualityGate,
    ResilienceManager,
    ResilienceMetrics,
    ResilienceStatus,
    ResourceMonitor,
    ResourceThresholds,
    ResourceType,
    resilience_manager,
    resilient_operation,
)

GOOD = {"silhouette_score": 0.6, "calinski_harabasz_score": 120.0, "cluster_stability": 0.9}
LABELS = np.repeat([0, 1, 2], 10)


def test_enums():
    assert [s.value for s in ResilienceStatus] == ["healthy", "degraded", "failing", "critical"]
    assert [t.value for t in ResourceType] == ["memory", "cpu", "disk", "network"]


def defaults(of):
    return {f.name: f.default for f in fields(of) if f.name != "last_updated"}


def test_dataclasses_keep_their_order_and_defaults():
    assert [f.name for f in fields(ResourceThresholds)] == [
        "warning_threshold",
        "critical_threshold",
        "unit",
        "check_interval_seconds",
    ]
    assert defaults(ResourceThresholds)["check_interval_seconds"] == 30
    assert list(defaults(QualityGate).items())[3:] == [
        ("max_threshold", None),
        ("weight", 1.0),
        ("enabled", True),
    ]
    assert set(defaults(ResilienceMetrics).values()) == {0}


# --- gates ------------------------------------------------------------------------------
def test_the_default_gates():
    gates = ClusteringQualityGates().gates
    assert [(g.name, g.metric_type, g.min_threshold, g.weight) for g in gates] == [
        ("silhouette_score", "silhouette", 0.3, 0.4),
        ("calinski_harabasz", "calinski_harabasz", 50.0, 0.3),
        ("cluster_stability", "stability", 0.7, 0.3),
        ("minimum_cluster_size", "min_cluster_size", 2, 0.2),
    ]


def test_a_good_clustering_passes_them():
    told = ClusteringQualityGates().validate_clustering_results(GOOD, LABELS)
    assert told["passed"]
    assert told["overall_score"] == pytest.approx(1.0)
    assert (told["cluster_count"], told["sample_count"]) == (3, 30)
    assert isinstance(told["timestamp"], datetime)
    assert set(told["gate_results"][0]) == {
        "gate_name",
        "metric_type",
        "passed",
        "score",
        "actual_value",
        "threshold",
        "message",
    }


@pytest.mark.parametrize(
    ("metrics", "labels", "gate"),
    [
        ({**GOOD, "silhouette_score": 0.1}, LABELS, "silhouette_score"),
        ({**GOOD, "calinski_harabasz_score": 5.0}, LABELS, "calinski_harabasz"),
        ({k: v for k, v in GOOD.items() if k != "cluster_stability"}, LABELS, "stability"),
        (GOOD, [0] * 29 + [1], "minimum_cluster_size"),
        (GOOD, [-1] * 29 + [0], "minimum_cluster_size"),
    ],
    ids=["silhouette", "calinski", "absent", "small", "noise"],
)
def test_a_poor_one_fails_the_gate_that_it_misses(metrics, labels, gate):
    told = ClusteringQualityGates().validate_clustering_results(metrics, labels)
    assert not told["passed"]
    (failed,) = [result for result in told["gate_results"] if not result["passed"]]
    assert gate in failed["gate_name"]
    assert 0 <= failed["score"] < 1
    assert told["overall_score"] < 1


def test_results_of_the_clusterer_are_understood(energies):
    from holdfast import NeuromorphicClusterer

    clusterer = NeuromorphicClusterer(n_clusters=4).fit(energies)
    told = ClusteringQualityGates().validate_clustering_results(
        clusterer.get_clustering_metrics(), clusterer.get_cluster_assignments()
    )
    assert told["passed"], told["gate_results"]


def test_trends_without_and_with_history():
    gates = ClusteringQualityGates()
    assert gates.get_quality_trends()["trend"] == "stable"
    for _ in range(3):
        gates.validate_clustering_results(GOOD, LABELS)
    told = gates.get_quality_trends(hours=1)
    assert (told["validation_count"], told["pass_rate"]) == (3, 1.0)
    assert told["score_trend"] == "stable"
    assert set(told["score_range"]) == {"min", "max", "std"}


@pytest.mark.parametrize(
    ("scores", "trend"),
    [((0.1, 0.3), "improving"), ((0.9, 0.5, 0.2), "declining"), ((0.5, 0.5, 0.5), "stable")],
)
def test_a_trend_is_that_of_the_scores(scores, trend):
    gates = ClusteringQualityGates([QualityGate("x", "x", 1.0)])
    for score in scores:
        gates.validate_clustering_results({"x": score}, LABELS)
    assert gates.get_quality_trends()["score_trend"] == trend


# --- resources --------------------------------------------------------------------------
def test_the_default_thresholds_and_this_machine():
    monitor = ResourceMonitor()
    limits = {
        kind.value: (t.warning_threshold, t.critical_threshold)
        for kind, t in monitor.thresholds.items()
    }
    assert limits == {"memory": (80, 95), "cpu": (70, 90), "disk": (85, 95)}
    told = monitor.get_current_status()
    assert {"usage_percent", "available_gb", "total_gb"} <= set(told["resources"]["memory"])
    assert {"usage_percent", "free_gb", "total_gb"} <= set(told["resources"]["disk"])
    json.dumps(told)


def used(percent, kind="cpu"):
    return lambda: {kind: {"usage_percent": percent}}


@pytest.mark.parametrize(
    ("percent", "status"), [(10, "healthy"), (75, "degraded"), (95, "critical")]
)
def test_the_status_is_that_of_the_latest_check(percent, status):
    monitor = ResourceMonitor(read=used(percent))
    monitor._check_resources()
    assert monitor.current_status.value == status
    monitor._read = used(10)
    monitor._check_resources()
    assert monitor.current_status == ResilienceStatus.HEALTHY


def test_an_alert_says_what_and_how_much():
    monitor = ResourceMonitor(read=used(91.0))
    (alert,) = monitor.get_current_status()["recent_alerts"]
    assert (alert["resource_type"], alert["level"]) == ("cpu", "critical")
    assert (alert["value"], alert["threshold"]) == (91.0, 90.0)
    assert {"timestamp", "message"} < set(alert)


def test_a_network_is_watched_by_those_who_can_read_it():
    limits = {ResourceType.NETWORK: ResourceThresholds(50, 90)}
    monitor = ResourceMonitor(limits, read=used(60.0, "network"))
    assert monitor.check() == ResilienceStatus.DEGRADED
    assert ResourceMonitor(limits).check() == ResilienceStatus.HEALTHY


def watching():
    return sum(thread.name == "holdfast-resources" for thread in threading.enumerate())


def test_watching_starts_once_and_stops_at_once():
    monitor = ResourceMonitor(read=used(1))
    monitor.start_monitoring()
    monitor.start_monitoring()
    assert watching() == 1
    monitor.stop_monitoring()
    assert watching() == 0


# --- the manager ------------------------------------------------------------------------
@pytest.fixture
def manager():
    made = ResilienceManager()
    made.resource_monitor = ResourceMonitor(read=used(10.0))
    return made


def test_rates_without_any_operation():
    metrics = ResilienceMetrics()
    assert (metrics.success_rate, metrics.fallback_rate) == (1.0, 0.0)


def test_operations_are_counted_and_what_they_raise_goes_on(manager):
    status = manager.get_comprehensive_status()
    assert set(status) == {
        "timestamp",
        "overall_status",
        "metrics",
        "resources",
        "quality",
        "recommendations",
    }
    assert set(status["metrics"]) == {
        "success_rate",
        "fallback_rate",
        "total_operations",
        "circuit_breaker_trips",
    }
    assert (status["overall_status"], len(status["recommendations"])) == ("healthy", 1)
    for _ in range(5):
        with manager.operation_context("cluster"):
            pass
    for _ in range(2):
        with pytest.raises(ValueError, match="bad"), manager.operation_context("cluster"):
            raise ValueError("bad")
    assert manager.metrics.total_operations == 7
    assert manager.metrics.successful_operations == 5
    assert manager.metrics.failed_operations == 2
    told = manager.get_comprehensive_status()
    assert told["overall_status"] == "degraded"
    assert told["metrics"]["success_rate"] == pytest.approx(5 / 7)
    assert "71%" in told["recommendations"][0]


def test_a_fallback_counts_without_an_operation(manager):
    manager.record_fallback_operation("esn", "kmeans")
    manager.record_circuit_breaker_trip("esn")
    assert manager.metrics.fallback_operations == 1
    assert manager.metrics.fallback_rate > 0
    assert manager.metrics.circuit_breaker_trips == 1


def test_resources_and_quality_decide_too(manager):
    manager.resource_monitor = ResourceMonitor(read=used(99.0))
    manager.quality_gates.gates = [QualityGate("x", "x", 1.0)]
    manager.quality_gates.validate_clustering_results({"x": 0.5}, [0])
    told = manager.get_comprehensive_status()
    assert told["overall_status"] == "critical"
    assert len(told["recommendations"]) == 2
    assert manager.metrics.quality_gate_failures == 1
    assert manager.metrics.resource_alerts == 1


def test_the_manager_starts_and_stops_its_monitor(manager):
    manager.start()
    assert watching() == 1
    manager.stop()
    assert watching() == 0


def test_a_decorated_function_is_an_operation():
    before = resilience_manager.metrics.total_operations

    @resilient_operation("work")
    def work(n):
        """Work."""
        return n

    assert work(3) == 3
    assert work.__name__ == "work"
    assert resilience_manager.metrics.total_operations == before + 1
