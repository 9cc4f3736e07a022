"""Clusterings that were watched, as series for whoever scrapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.telemetry._clusterings.operation import ClusteringOperationMetrics
    from holdfast.telemetry._series.catalogue import EnhancedMetricsCollector

_PARTS = ("feature_extraction", "neuromorphic_processing")


class ClusteringSeries:
    """Counts operations in the catalogue of `metrics`, and those under way."""

    def __init__(self, metrics: EnhancedMetricsCollector) -> None:
        self._metrics = metrics
        self._running = metrics.gauge("clustering_jobs_running")
        self._ended = {
            "success": metrics.counter("clustering_jobs_completed_total"),
            "failed": metrics.counter("clustering_jobs_failed_total"),
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
        # The text of an error is no label: there is no end to texts.
        last = operation.errors[-1]["type"] if operation.errors else "unknown"
        if operation.status == "failed":
            metrics.counter("clustering_job_failures_total").labels(last).inc()
        if operation.fallback_triggered:
            metrics.record_fallback_operation(method, "kmeans", last)
            success = str(operation.status == "success").lower()
            recovered = metrics.counter("error_recovery_attempts_total")
            recovered.labels(last, "kmeans", success).inc()
        if operation.memory_peak_mb is not None:
            metrics.set_memory_usage("clustering", operation.memory_peak_mb * 2**20)

    def violated(self, limit: str) -> None:
        """An operation was beyond a limit of `ClusteringMonitor.alert_thresholds`."""
        self._metrics.counter("sla_violations_total").labels(limit, "warning").inc()

    def odd(self, metric: str, severity: str) -> None:
        """An operation was far from what is usual."""
        self._metrics.counter("performance_anomalies_total").labels(metric, severity).inc()
