"""The series of clustering and data processing, under their established names."""

from __future__ import annotations

import functools
import os
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

from holdfast import _context
from holdfast._core import Registry
from holdfast.errors import _parameters as parameters
from holdfast.telemetry._alerting.catalogue_rules import baselines, default_rules, last_answers
from holdfast.telemetry._health.checks import get_health
from holdfast.telemetry._series.bridge import PrometheusBridge
from holdfast.telemetry._series.catalogue_names import CATALOGUE, declare, size_bucket
from holdfast.telemetry._series.derived import derived
from holdfast.telemetry._series.registry import get_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast._core import Counter, Gauge, Histogram
    from holdfast.telemetry._alerting.catalogue_rules import (
        HealthCheckResult,
        PerformanceBaseline,
    )
    from holdfast.telemetry._alerting.engine import AlertManager

_Function = TypeVar("_Function", bound="Callable[..., Any]")

_BREAKER = {"closed": 0, "half_open": 1, "half-open": 1, "open": 2}


class EnhancedMetricsCollector:
    """Records clusterings, data processing, guards and errors.

    What this package counts by itself needs no recorder: see `holdfast.telemetry` in the
    documentation for who sets which name.

    Parameters
    ----------
    registry : Registry, optional
        Where the series are declared; by default that of the process. A `CollectorRegistry` of
        `prometheus_client` shows them too.
    max_history_size : int
        Clusterings that `metric_history` keeps.

    Attributes
    ----------
    alert_rules : list of WindowRule
        Evaluated once `watch` has given them to an `AlertManager`.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain, or the registry has another series under one of
        its names.
    """

    def __init__(self, registry: Registry | Any = None, max_history_size: int = 10_000) -> None:
        theirs = registry if hasattr(registry, "register") else None
        if theirs is not None:
            registry = Registry()
            theirs.register(PrometheusBridge(registry))
        parameters.instance("registry", registry, Registry, optional=True)
        parameters.count("max_history_size", max_history_size)
        self.registry = get_registry() if registry is None else registry
        self.metric_history: deque[dict[str, Any]] = deque(maxlen=max_history_size)
        self.alert_rules = default_rules()
        self._series = {name: declare(self.registry, name) for name in CATALOGUE}

    @property
    def in_memory_metrics(self) -> dict[str, float]:
        """Every value of the registry, by its name and labels in the exposition."""
        lines = self.export_prometheus_metrics().decode().splitlines()
        rows = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {series: float(value) for series, _, value in rows}

    @property
    def performance_baselines(self) -> dict[str, PerformanceBaseline]:
        """What clusterings usually take, by algorithm; of at least three successes."""
        return baselines(list(self.metric_history))

    @property
    def health_checks(self) -> dict[str, HealthCheckResult]:
        """What the checks of this process found last, without asking them."""
        return last_answers(get_health())

    def watch(self, manager: AlertManager) -> None:
        """Let `manager` evaluate `alert_rules`, over a history that samples the registry."""
        for rule in self.alert_rules:
            kind = CATALOGUE.get(rule.metric_name, ("gauge",))[0]
            manager.add_rule(rule.expressed(kind))

    def counter(self, name: str) -> Counter:
        """The counter of this name."""
        return cast("Counter", self._series[name])

    def gauge(self, name: str) -> Gauge:
        """The gauge of this name."""
        return cast("Gauge", self._series[name])

    def histogram(self, name: str) -> Histogram:
        """The histogram of this name."""
        return cast("Histogram", self._series[name])

    def record_clustering_operation(
        self,
        algorithm: str,
        duration: float,
        dataset_size: int,
        status: str = "success",
        fallback_used: bool = False,  # noqa: FBT001, FBT002 (as scripts pass it)
        correlation_id: str | None = None,
    ) -> None:
        """Count a clustering of `dataset_size` rows that took `duration` seconds."""
        bucket = size_bucket(dataset_size)
        self.histogram("clustering_operation_duration_seconds").labels(
            algorithm, bucket
        ).observe(duration)
        self.counter("clustering_operations_total").labels(
            algorithm, status, str(fallback_used).lower()
        ).inc()
        self.metric_history.append(
            {
                "timestamp": time.time(),
                "type": "clustering_operation",
                "algorithm": algorithm,
                "duration": duration,
                "dataset_size": dataset_size,
                "status": status,
                "fallback_used": fallback_used,
                "correlation_id": correlation_id or _context.current().trace_id or None,
            }
        )

    def record_neuromorphic_operation(
        self,
        method: str,
        component: str,
        duration: float,
        status: str = "success",
        error_type: str | None = None,
        recoverable: bool = True,  # noqa: FBT001, FBT002 (as scripts pass it)
    ) -> None:
        """Time an extraction of features; count it as a failure unless `success`."""
        self.histogram("neuromorphic_feature_extraction_duration_seconds").labels(
            method, component
        ).observe(duration)
        if status != "success":
            self.counter("neuromorphic_clustering_failures_total").labels(
                error_type or "unknown", component, str(recoverable).lower()
            ).inc()

    def record_circuit_breaker_state(self, component: str, state: str) -> None:
        """`closed`, `half_open` or `open`; what opens counts as a failure.

        Raises
        ------
        InvalidParameterError
            `state` is none of them.
        """
        if state not in _BREAKER:
            parameters.refuse("state", f"one of {', '.join(_BREAKER)}", state)
        self.gauge("circuit_breaker_state").labels(component).set(_BREAKER[state])
        if state == "open":
            self.counter("circuit_breaker_failures_total").labels(component).inc()

    def record_fallback_operation(
        self,
        primary_method: str,
        fallback_method: str,
        reason: str,
        correlation_id: str | None = None,  # noqa: ARG002 (no label; see CATALOGUE)
    ) -> None:
        """Count the use of a fallback."""
        self.counter("fallback_operations_total").labels(
            primary_method, fallback_method, reason
        ).inc()

    def record_data_processing(
        self, operation_type: str, duration: float, data_size: int
    ) -> None:
        """Time the processing of `data_size` rows."""
        self.histogram("data_processing_duration_seconds").labels(
            operation_type, size_bucket(data_size)
        ).observe(duration)
        items = self.counter("data_processing_items_processed_total")
        items.labels(operation_type).inc(data_size)

    def record_employee_records(self, count: int, source: str = "csv") -> None:
        """Count records."""
        self.counter("employee_records_processed_total").labels(source).inc(count)

    def record_team_compositions(self, count: int, composition_type: str = "balanced") -> None:
        """Count compositions."""
        self.counter("team_compositions_generated_total").labels(composition_type).inc(count)

    def record_validation_error(self, error_type: str) -> None:
        """Count an input that was refused."""
        self.counter("validation_errors_total").labels(error_type).inc()

    def record_processing_error(
        self,
        component: str,
        error_type: str,
        recoverable: bool = True,  # noqa: FBT001, FBT002 (as scripts pass it)
    ) -> None:
        """Count an error."""
        self.counter("processing_errors_total").labels(
            component, error_type, str(recoverable).lower()
        ).inc()

    def set_data_quality_score(
        self, score: float, dataset: str = "main", validation_type: str = "overall"
    ) -> None:
        """From 0 to 100."""
        self.gauge("data_quality_score").labels(dataset, validation_type).set(score)

    def set_memory_usage(self, component: str, bytes_used: float) -> None:
        """Of this process."""
        self.gauge("memory_usage_bytes").labels(component, os.getpid()).set(bytes_used)

    def set_system_health(self, score: float, component: str = "overall") -> None:
        """From 0 to 1."""
        self.gauge("system_health_score").labels(component).set(score)

    def get_metrics_summary(self) -> dict[str, Any]:
        """How many series there are, and the registry they are in."""
        lines = self.export_prometheus_metrics().splitlines()
        count = sum(not line.startswith(b"#") for line in lines)
        return {
            "status": "prometheus_active",
            "registry": self.registry,
            "metrics_count": count,
        }

    def export_prometheus_metrics(self) -> bytes:
        """The text of the registry, and what is counted elsewhere under these names."""
        return self.registry.expose("prometheus", derived())

    def monitor_performance(
        self, operation_name: str, component: str = "general"
    ) -> Callable[[_Function], _Function]:
        """A decorator that times calls and counts what they raise.

        The size is the length of the first argument, or of `data`.
        """

        def decorate(function: _Function) -> _Function:
            @functools.wraps(function)
            def timed(*args: Any, **kwargs: Any) -> Any:
                data = kwargs.get("data", args[0] if args else ())
                size = len(data) if hasattr(data, "__len__") else 0
                start = time.perf_counter()
                try:
                    return function(*args, **kwargs)
                except Exception as error:
                    self.record_processing_error(component, type(error).__name__)
                    raise
                finally:
                    self.record_data_processing(
                        operation_name, time.perf_counter() - start, size
                    )

            return cast("_Function", timed)

        return decorate

    @contextmanager
    def monitor_clustering_operation(self, algorithm: str, dataset_size: int) -> Iterator[None]:
        """Record the block as one clustering, with the status `success` or `error`."""
        start, status = time.perf_counter(), "error"
        try:
            yield
            status = "success"
        finally:
            duration = time.perf_counter() - start
            self.record_clustering_operation(algorithm, duration, dataset_size, status)

    def health_check(self) -> dict[str, Any]:
        """The answer of the checks of this process, with a score: 1, 0.5 degraded, 0."""
        answer = get_health().answer("detailed")
        score = {"healthy": 1.0, "degraded": 0.5}.get(answer["status"], 0.0)
        components = {name: check["status"] for name, check in answer["checks"].items()}
        return {
            "status": answer["status"],
            "timestamp": answer["timestamp"],
            "metrics_available": True,
            "components": components,
            "health_score": score,
        }

    def liveness_probe(self) -> bool:
        """Whether the process need not be restarted."""
        return bool(get_health().answer("live")["status"] != "unhealthy")

    def readiness_probe(self) -> bool:
        """Whether work may be sent."""
        return bool(get_health().answer("ready")["status"] != "unhealthy")


_metrics: EnhancedMetricsCollector | None = None


def get_enhanced_metrics() -> EnhancedMetricsCollector:
    """The recorder of this process, made on first use."""
    global _metrics  # noqa: PLW0603
    if _metrics is None:
        _metrics = EnhancedMetricsCollector()
    return _metrics
