"""Watches clusterings: what runs, what ended, how long and how well."""

from __future__ import annotations

import os
import time
from collections import deque
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from holdfast.errors import _parameters as parameters
from holdfast.errors._base import utc_now
from holdfast.telemetry._clusterings.baselines import ENOUGH, Usual
from holdfast.telemetry._clusterings.dashboard import as_csv, as_json, dashboard
from holdfast.telemetry._clusterings.operation import (
    ClusteringOperationMetrics,
    ClusteringPhase,
)
from holdfast.telemetry._clusterings.series import ClusteringSeries
from holdfast.telemetry._fork import Locked
from holdfast.telemetry._logs.own_log import logger
from holdfast.telemetry._series.catalogue import EnhancedMetricsCollector, get_enhanced_metrics
from holdfast.telemetry._tracing.span import span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

QUALITY = (
    "silhouette_score",
    "calinski_harabasz_score",
    "davies_bouldin_score",
    "inertia",
    "cluster_stability",
)
_TREND = 100

# The operation around the running call, and the monitor that watches it.
_around: ContextVar[tuple[ClusteringMonitor, ClusteringOperationMetrics] | None] = ContextVar(
    "holdfast_clustering", default=None
)


class ClusteringMonitor(Locked):
    """Keeps what is known of the clusterings of a process.

    Parameters
    ----------
    max_history_size : int
        Ended operations that are kept.
    metrics : EnhancedMetricsCollector, optional
        Where operations are counted as series; `clustering_monitor` has that of the process.

    Attributes
    ----------
    enabled : bool
        Whether every `NeuromorphicClusterer.fit` is watched. Those inside a trace or
        inside `monitor_operation` are in any case, and all while somebody listens to spans.
    active_operations : dict
        ClusteringOperationMetrics by id.
    completed_operations : deque
    performance_baselines : dict
        ClusteringPerformanceBaseline by `<method>_<size bucket>`.
    statistics : dict
        `total_operations` that ended, `success_rate`, `average_duration_ms`,
        `fallback_rate` over those that are kept, and the last hundred silhouettes in
        `quality_trends`.
    alert_thresholds : dict
        What is beyond them is logged as a warning, and so is a success that took more than
        three standard deviations longer than at least ten of its method and size before.

    Raises
    ------
    InvalidParameterError
        `max_history_size` is no integer of at least 1, or `metrics` is no
        EnhancedMetricsCollector.
    """

    def __init__(
        self, max_history_size: int = 1000, *, metrics: EnhancedMetricsCollector | None = None
    ) -> None:
        super().__init__()
        parameters.count("max_history_size", max_history_size)
        parameters.instance("metrics", metrics, EnhancedMetricsCollector, optional=True)
        self.enabled = False
        self.active_operations: dict[str, ClusteringOperationMetrics] = {}
        self.completed_operations: deque[ClusteringOperationMetrics] = deque(
            maxlen=max_history_size
        )
        self._usual = Usual()
        self.performance_baselines = self._usual.baselines
        self.statistics: dict[str, Any] = {
            "total_operations": 0,
            "success_rate": None,
            "average_duration_ms": None,
            "fallback_rate": None,
            "quality_trends": {"silhouette": deque(maxlen=_TREND)},
        }
        self.alert_thresholds: dict[str, float] = {
            "max_duration_ms": 300_000,
            "min_silhouette_score": 0.3,
            "max_memory_mb": 2048,
            "max_failure_rate": 0.1,
            "max_fallback_rate": 0.2,
        }
        self._series = None if metrics is None else ClusteringSeries(metrics)

    # --- watching --------------------------------------------------------------------------
    @contextmanager
    def monitor_operation(
        self,
        method: str,
        correlation_id: str | None = None,
        dataset_size: int = 0,
        target_clusters: int = 0,
    ) -> Iterator[ClusteringOperationMetrics]:
        """Watch a clustering; it is a span of the running trace, or a trace of its own.

        What is raised inside marks it as failed and goes on.

        Raises
        ------
        InvalidParameterError
            `method` is no text or empty, or a size is no integer of at least 0.
        """
        parameters.text("method", method)
        for name, size in (
            ("dataset_size", dataset_size),
            ("target_clusters", target_clusters),
        ):
            parameters.count(name, size, 0)
        with span(
            "clustering", method=method, rows=dataset_size, clusters=target_clusters
        ) as whole:
            operation = ClusteringOperationMetrics(
                operation_id=os.urandom(16).hex(),
                correlation_id=correlation_id or whole.trace_id,
                method=method,
                started_at=utc_now(),
                dataset_size=dataset_size,
                target_clusters=target_clusters,
            )
            whole.set(operation_id=operation.operation_id)
            with self._lock:
                self.active_operations[operation.operation_id] = operation
            if self._series is not None:
                self._series.began()
            token = _around.set((self, operation))
            begun = time.perf_counter()
            status = "failed"
            try:
                yield operation
                status = "success"
            except BaseException as error:
                recoverable = getattr(error, "recoverable", isinstance(error, Exception))
                operation.add_error(
                    type(error).__name__, str(error), recoverable=bool(recoverable)
                )
                raise
            finally:
                operation.total_duration_ms = 1e3 * (time.perf_counter() - begun)
                _around.reset(token)
                operation.complete_operation(status)
                self._end(operation)

    @contextmanager
    def join_operation(
        self, method: str, **settings: Any
    ) -> Iterator[ClusteringOperationMetrics]:
        """The operation of this monitor around the running call, or a new one."""
        around = _around.get()
        if around is not None and around[0] is self and around[1].status == "running":
            yield around[1]
            return
        with self.monitor_operation(method, **settings) as operation:
            yield operation

    @contextmanager
    def monitor_phase(
        self, operation_id: str, phase: ClusteringPhase | str
    ) -> Iterator[ClusteringOperationMetrics | None]:
        """Time a phase of an operation; it is a span too.

        Raises
        ------
        InvalidParameterError
            `phase` is unknown.
        """
        name = parameters.member("phase", phase, ClusteringPhase).value
        operation = self._find(operation_id)
        with span(name) as part:
            try:
                yield operation
            finally:
                if operation is not None:
                    took = 1e3 * (time.perf_counter() - part._begun)  # noqa: SLF001
                    with self._lock:
                        operation.add_phase_duration(name, took)

    def _find(self, operation_id: str) -> ClusteringOperationMetrics | None:
        with self._lock:
            return self.active_operations.get(operation_id)

    def _end(self, operation: ClusteringOperationMetrics) -> None:
        with self._lock:
            self.active_operations.pop(operation.operation_id, None)
            self.completed_operations.append(operation)
            self._count()
            odd = None
            if operation.status == "success":
                odd = self._usual.odd(operation)
                self._usual.learn(operation)
            if operation.silhouette_score is not None:
                trends = self.statistics["quality_trends"]["silhouette"]
                trends.append(operation.silhouette_score)
            told = self._alerts(operation)
        if self._series is not None:
            self._series.ended(operation)
            for limit in told:
                self._series.violated(limit)
            if odd is not None:
                self._series.odd("clustering_operation_duration_seconds", odd)
        messages = [*told.values(), *(operation.warnings[-1:] if odd else ())]
        for message in messages:
            logger("holdfast.clustering").warning(
                message, extra={"operation_id": operation.operation_id}
            )

    def _count(self) -> None:
        kept = self.completed_operations
        self.statistics["total_operations"] += 1
        self.statistics["success_rate"] = sum(o.status == "success" for o in kept) / len(kept)
        self.statistics["average_duration_ms"] = sum(o.total_duration_ms for o in kept) / len(
            kept
        )
        self.statistics["fallback_rate"] = sum(o.fallback_triggered for o in kept) / len(kept)

    def _alerts(self, operation: ClusteringOperationMetrics) -> dict[str, str]:
        """What to say of each limit that it is beyond."""
        limits = self.alert_thresholds
        told = {}
        for what, value, limit, beyond in (
            ("duration in ms", operation.total_duration_ms, "max_duration_ms", 1),
            ("silhouette", operation.silhouette_score, "min_silhouette_score", -1),
            ("memory in MB", operation.memory_peak_mb, "max_memory_mb", 1),
            ("failure rate", 1 - self.statistics["success_rate"], "max_failure_rate", 1),
            ("fallback rate", self.statistics["fallback_rate"], "max_fallback_rate", 1),
        ):
            rate = limit.endswith("_rate")
            # A rate over a handful of operations says nothing.
            enough = not rate or len(self.completed_operations) >= ENOUGH
            if value is not None and enough and beyond * (value - limits[limit]) > 0:
                told[limit] = f"{what} is {value:.3g}, beyond {limit}={limits[limit]:g}"
        return told

    # --- recording -------------------------------------------------------------------------
    def record_neuromorphic_metrics(
        self,
        operation_id: str,
        component: str,
        duration_ms: float,
        success: bool,  # noqa: FBT001 (as scripts call it)
        feature_count: int = 0,
    ) -> None:
        """Note what one component of the features took."""
        operation = self._find(operation_id)
        if operation is None:
            return
        with self._lock:
            if component not in operation.neuromorphic_components_used:
                operation.neuromorphic_components_used.append(component)
            times = operation.component_durations_ms
            times[component] = times.get(component, 0.0) + duration_ms
            operation.feature_dimensions += feature_count
            operation.feature_extraction_failures += not success

    def record_fallback(self, operation_id: str, reason: str, fallback_method: str) -> None:
        """Note that a fallback stepped in."""
        operation = self._find(operation_id)
        if operation is not None:
            with self._lock:
                operation.fallback_triggered = True
                operation.fallback_reason = reason
                operation.warnings.append(f"fell back to {fallback_method}: {reason}")

    def record_circuit_breaker_trip(self, operation_id: str) -> None:
        """Note that a circuit breaker rejected a call."""
        operation = self._find(operation_id)
        if operation is not None:
            with self._lock:
                operation.circuit_breaker_trips += 1

    def record_quality_metrics(
        self, operation_id: str, metrics: Mapping[str, float | None]
    ) -> None:
        """Note scores; those that are not given stay as they are."""
        operation = self._find(operation_id)
        if operation is not None:
            with self._lock:
                for name in QUALITY:
                    if metrics.get(name) is not None:
                        setattr(operation, name, metrics[name])

    def record_resource_usage(
        self, operation_id: str, memory_mb: float, cpu_percent: float
    ) -> None:
        """Note usage; the largest values are kept."""
        operation = self._find(operation_id)
        if operation is not None:
            with self._lock:
                operation.memory_peak_mb = max(operation.memory_peak_mb or 0.0, memory_mb)
                operation.cpu_usage_percent = max(
                    operation.cpu_usage_percent or 0.0, cpu_percent
                )

    # --- asking ----------------------------------------------------------------------------
    def get_operation_status(self, operation_id: str) -> dict[str, Any] | None:
        """What is known of an operation; None if it is unknown or forgotten."""
        with self._lock:
            found = self.active_operations.get(operation_id)
            if found is None:
                kept = self.completed_operations
                found = next((o for o in kept if o.operation_id == operation_id), None)
            return None if found is None else found.to_dict()

    def get_performance_dashboard(self, hours: float = 24) -> dict[str, Any]:
        """Rates, durations, quality, methods, trends and alerts of the last hours.

        Raises
        ------
        InvalidParameterError
            `hours` is not above 0 and at most 1e6.
        """
        parameters.real("hours", hours, above=0, most=1e6)
        return dashboard(self._ended(), hours, self.alert_thresholds)

    def export_metrics(self, format_type: str = "json", hours: float = 24) -> str:
        """The operations of the last hours as `json` or `csv`.

        Raises
        ------
        InvalidParameterError
            `hours` is not above 0 and at most 1e6.
        """
        parameters.real("hours", hours, above=0, most=1e6)
        if format_type == "json":
            return as_json(self._ended(), hours, self.alert_thresholds)
        if format_type == "csv":
            return as_csv(self._ended(), hours)
        return f"Unknown format {format_type!r}: json and csv are known"

    def _ended(self) -> list[ClusteringOperationMetrics]:
        with self._lock:
            return list(self.completed_operations)


clustering_monitor = ClusteringMonitor(metrics=get_enhanced_metrics())
