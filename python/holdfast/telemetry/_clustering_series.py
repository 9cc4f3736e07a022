"""Clusterings as series, for whoever scrapes.

A correlation id is no label: each would be a series of its own. It is in the log lines and
the spans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.telemetry._clustering_operation import size_bucket

if TYPE_CHECKING:
    from holdfast._core import Registry
    from holdfast.telemetry._clustering_operation import ClusteringOperationMetrics

_SECONDS = (0.005, 0.02, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0)


class ClusteringSeries:
    """The series of one registry."""

    def __init__(self, registry: Registry) -> None:
        self._operations = registry.counter(
            "clustering_operations_total",
            "Clusterings that ended.",
            ("algorithm", "status", "fallback_used"),
        )
        self._duration = registry.histogram(
            "clustering_operation_duration_seconds",
            "Time of a clustering.",
            ("algorithm", "dataset_size_bucket"),
            buckets=_SECONDS,
        )
        self._phases = registry.histogram(
            "neuromorphic_feature_extraction_duration_seconds",
            "Time of a part of the features.",
            ("method", "component"),
            buckets=_SECONDS,
        )
        self._failures = registry.counter(
            "neuromorphic_clustering_failures_total",
            "Errors during clusterings.",
            ("error_type", "component", "recoverable"),
        )
        self._fallbacks = registry.counter(
            "fallback_operations_total",
            "Clusterings that ended in the fallback.",
            ("primary_method", "fallback_method", "reason"),
        )
        self._trips = registry.counter(
            "circuit_breaker_failures_total",
            "Calls that a circuit breaker refused.",
            ("component",),
        )
        self._running = registry.gauge("clustering_jobs_running", "Clusterings under way.")
        self._completed = registry.counter(
            "clustering_jobs_completed_total", "Clusterings that succeeded."
        )
        self._failed = registry.counter(
            "clustering_jobs_failed_total", "Clusterings that failed."
        )

    def began(self) -> None:
        """One more is under way."""
        self._running.inc()

    def ended(self, operation: ClusteringOperationMetrics) -> None:
        """One less, and what it was like."""
        self._running.dec()
        method = operation.method
        fallback = str(operation.fallback_triggered).lower()
        self._operations.labels(method, operation.status, fallback).inc()
        bucket = size_bucket(operation.dataset_size)
        self._duration.labels(method, bucket).observe(operation.total_duration_ms / 1e3)
        parts = operation.component_durations_ms or {
            name: operation.phase_durations[name]
            for name in ("feature_extraction", "neuromorphic_processing")
            if name in operation.phase_durations
        }
        for part, ms in parts.items():
            self._phases.labels(method, part).observe(ms / 1e3)
        for error in operation.errors:
            recoverable = str(error["recoverable"]).lower()
            self._failures.labels(error["type"], "clustering", recoverable).inc()
        if operation.fallback_triggered:
            reason = operation.errors[-1]["type"] if operation.errors else "unknown"
            self._fallbacks.labels(method, "kmeans", reason).inc()
        if operation.circuit_breaker_trips:
            self._trips.labels("clustering").inc(operation.circuit_breaker_trips)
        if operation.status == "success":
            self._completed.inc()
        else:
            self._failed.inc()
