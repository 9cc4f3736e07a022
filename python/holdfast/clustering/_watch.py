"""A fit as telemetry sees it; where nobody looks, nothing is done."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from holdfast import _context

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from holdfast.telemetry._clusterings.monitor import ClusteringMonitor
    from holdfast.telemetry._clusterings.operation import ClusteringOperationMetrics

_NOTHING: AbstractContextManager[None] = nullcontext()


class Watch:
    """Nobody looks."""

    def phase(self, name: str) -> AbstractContextManager[object]:
        """A part of the fit, by the value of a `ClusteringPhase`."""
        del name
        return _NOTHING

    def fell_back(self, error: Exception) -> None:
        """The fallback steps in."""

    def ended(self, **facts: Any) -> None:
        """What was found."""


class _Watched(Watch):
    """Phases become spans and durations of an operation."""

    def __init__(
        self, monitor: ClusteringMonitor, operation: ClusteringOperationMetrics
    ) -> None:
        self._monitor = monitor
        self._operation = operation

    def phase(self, name: str) -> AbstractContextManager[object]:
        return self._monitor.monitor_phase(self._operation.operation_id, name)

    def fell_back(self, error: Exception) -> None:
        operation = self._operation.operation_id
        if "failure_count" in getattr(error, "context", {}):
            self._monitor.record_circuit_breaker_trip(operation)
        self._operation.add_error(
            type(error).__name__, str(error), recoverable=getattr(error, "recoverable", True)
        )
        self._monitor.record_fallback(operation, str(error), "kmeans")

    def ended(self, **facts: Any) -> None:
        for name, value in facts.items():
            if isinstance(value, list):
                known = getattr(self._operation, name)
                known += [one for one in value if one not in known]
            else:
                setattr(self._operation, name, value)


UNWATCHED = Watch()


@contextmanager
def watch(method: str, n_clusters: int | None) -> Iterator[Watch]:
    """Follow one fit, if it is part of a trace, or somebody listens to spans or monitors.

    Without that, telemetry is not even imported.
    """
    spans = sys.modules.get("holdfast.telemetry._tracing.span")
    if spans is None or not (spans.listening() or _context.current().trace_id or _monitoring()):
        yield UNWATCHED
        return
    from holdfast.telemetry import clustering_monitor

    begun, used = time.perf_counter(), time.process_time()
    with clustering_monitor.join_operation(
        method, target_clusters=n_clusters or 0
    ) as operation:
        try:
            yield _Watched(clustering_monitor, operation)
        finally:
            wall = time.perf_counter() - begun
            processors = (time.process_time() - used) / wall if wall > 0 else 0.0
            memory = _memory_mb()
            if memory is not None:
                clustering_monitor.record_resource_usage(
                    operation.operation_id, memory, 100.0 * processors
                )


def _monitoring() -> bool:
    monitor = sys.modules.get("holdfast.telemetry._clusterings.monitor")
    return monitor is not None and bool(monitor.clustering_monitor.enabled)


def _memory_mb() -> float | None:
    """The most memory this process has held so far; None where it cannot be asked."""
    try:
        import resource  # not on Windows
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)
