"""Clusterings that were watched, as series for whoever scrapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.telemetry._catalogue import EnhancedMetricsCollector
    from holdfast.telemetry._clustering_operation import ClusteringOperationMetrics

_PARTS = ("feature_extraction", "neuromorphic_processing")


class ClusteringSeries:
    """Counts operations in the catalogue of `metrics`, and those under way."""

    def __init__(self, metrics: EnhancedMetricsCollector) -> None:
        self._metrics = metrics
        registry = metrics.registry
        self._running = registry.gauge("clustering_jobs_running", "Clusterings under way.")
        self._ended = {
            "success": registry.counter("clustering_jobs_completed_total", "That succeeded."),
            "failed": registry.counter("clustering_jobs_failed_total", "That raised."),
        }

    def began(self) -> None:
        """One more is under way."""
        self._running.inc()

    def ended(self, operation: ClusteringOperationMetrics) -> None:
        """One less, and what it was like."""
        metrics, method = self._metrics, operation.method
        self._running.dec()
        self._ended[operation.status].inc()
        metrics.record_clustering_operation(
            method,
            operation.total_duration_ms / 1e3,
            operation.dataset_size,
            operation.status,
            operation.fallback_triggered,
            operation.correlation_id,
        )
        phases = operation.phase_durations
        parts = operation.component_durations_ms or {
            name: phases[name] for name in _PARTS if name in phases
        }
        for part, ms in parts.items():
            metrics.record_neuromorphic_operation(method, part, ms / 1e3)
        failures = metrics.counter("neuromorphic_clustering_failures_total")
        for error in operation.errors:
            recoverable = str(error["recoverable"]).lower()
            failures.labels(error["type"], "clustering", recoverable).inc()
        if operation.fallback_triggered:
            # The text of the reason is no label: there is no end to texts.
            reason = operation.errors[-1]["type"] if operation.errors else "unknown"
            metrics.record_fallback_operation(method, "kmeans", reason)
        if operation.circuit_breaker_trips:
            refused = metrics.counter("circuit_breaker_failures_total").labels("clustering")
            refused.inc(operation.circuit_breaker_trips)
