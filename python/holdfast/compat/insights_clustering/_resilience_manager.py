"""One object that counts operations, watches resources and judges quality."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast import telemetry
from holdfast.compat._machine import sample
from holdfast.errors._base import utc_now
from holdfast.telemetry import ClusteringQualityGates, span
from holdfast.telemetry._health.resources import in_use

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from holdfast.telemetry import ResourceThresholds, ResourceType

    _Called = TypeVar("_Called", bound=Callable[..., Any])

_GOOD, _FAIR = 0.9, 0.8
_FALLBACKS = 0.2
_KEPT = 1000


@dataclass
class ResilienceMetrics:
    """Counts since the beginning."""

    total_operations: int = 0
    successful_operations: int = 0
    failed_operations: int = 0
    fallback_operations: int = 0
    circuit_breaker_trips: int = 0
    resource_alerts: int = 0
    quality_gate_failures: int = 0
    last_updated: datetime = field(default_factory=utc_now)
    running: int = field(default=0, repr=False, compare=False)

    @property
    def success_rate(self) -> float:
        """Share of the operations that succeeded, of those that ended; 1 without any."""
        ended = self.total_operations - self.running
        ended = max(ended, self.successful_operations + self.failed_operations)
        return self.successful_operations / ended if ended else 1.0

    @property
    def fallback_rate(self) -> float:
        """Fallbacks per operation; a fallback outside any operation counts as one."""
        operations = max(self.total_operations, self.fallback_operations)
        return self.fallback_operations / operations if operations else 0.0


class _Psutil(telemetry.Machine):
    def sample(self) -> dict[str, float]:
        """What psutil tells, where it is installed."""
        return sample(_machine)


_machine = telemetry.Machine()


class ResourceMonitor(telemetry.ResourceMonitor):
    """`holdfast.telemetry.ResourceMonitor`, which reads by psutil where that is installed."""

    def __init__(
        self,
        thresholds: Mapping[ResourceType, ResourceThresholds] | None = None,
        *,
        read: Callable[[], dict[str, dict[str, float]]] | None = None,
    ) -> None:
        super().__init__(thresholds, read=read or (lambda: in_use(_Psutil())))
        self.alerts = _Alerts()  # type: ignore[assignment]


class _Alerts(list[dict[str, Any]]):
    """A list, as it was, of the last thousand."""

    def append(self, alert: dict[str, Any]) -> None:
        super().append(alert)
        del self[:-_KEPT]


class ResilienceManager:
    """Counts operations, watches resources and judges the quality of clusterings.

    Attributes
    ----------
    resource_monitor : ResourceMonitor
    quality_gates : ClusteringQualityGates
    metrics : ResilienceMetrics
    """

    def __init__(self) -> None:
        self.resource_monitor = ResourceMonitor()
        self.quality_gates = ClusteringQualityGates()
        self.metrics = ResilienceMetrics()
        self._lock = Lock()

    def start(self) -> None:
        """Watch resources in a thread."""
        self.resource_monitor.start_monitoring()

    def stop(self) -> None:
        """Stop watching."""
        self.resource_monitor.stop_monitoring()

    def _count(self, **counts: int) -> None:
        with self._lock:
            for name, count in counts.items():
                setattr(self.metrics, name, getattr(self.metrics, name) + count)
            self.metrics.last_updated = utc_now()

    @contextmanager
    def operation_context(self, name: str) -> Iterator[None]:
        """Count the block as an operation, and make it a span; what it raises goes on."""
        self._count(total_operations=1, running=1)
        with span(name):
            try:
                yield
            except BaseException:
                self._count(failed_operations=1, running=-1)
                raise
        self._count(successful_operations=1, running=-1)

    def record_fallback_operation(self, primary: str, fallback: str) -> None:
        """Count a fallback."""
        del primary, fallback
        self._count(fallback_operations=1)

    def record_circuit_breaker_trip(self, component: str) -> None:
        """Count an opening of a breaker."""
        del component
        self._count(circuit_breaker_trips=1)

    def get_comprehensive_status(self) -> dict[str, Any]:
        """Resources, counts, quality, and what to do about them."""
        resources = self.resource_monitor.get_current_status()
        quality = self.quality_gates.get_quality_trends()
        failures = sum(not told["passed"] for told in self.quality_gates.validation_history)
        with self._lock:
            self.metrics.resource_alerts = len(self.resource_monitor.alerts)
            self.metrics.quality_gate_failures = failures
            metrics = self.metrics
            status = resources["status"]
            if status == "critical":
                overall = "critical"
            elif status == "degraded" or metrics.success_rate < _FAIR:
                overall = "degraded"
            else:
                overall = "healthy"
            return {
                "timestamp": utc_now().isoformat(),
                "overall_status": overall,
                "metrics": {
                    "success_rate": metrics.success_rate,
                    "fallback_rate": metrics.fallback_rate,
                    "total_operations": metrics.total_operations,
                    "circuit_breaker_trips": metrics.circuit_breaker_trips,
                },
                "resources": resources,
                "quality": quality,
                "recommendations": self._recommendations(status, quality),
            }

    def _recommendations(self, status: str, quality: dict[str, Any]) -> list[str]:
        metrics = self.metrics
        told = [
            text
            for applies, text in (
                (status == "critical", "Free resources now: one is at its critical threshold"),
                (status == "degraded", "Watch resources: one is at its warning threshold"),
                (
                    metrics.success_rate < _GOOD,
                    f"Look into failures: {metrics.success_rate:.0%} of the operations succeed",
                ),
                (
                    metrics.fallback_rate > _FALLBACKS,
                    f"Look into fallbacks: {metrics.fallback_rate:.0%} of the calls use one",
                ),
                (
                    quality.get("pass_rate", 1.0) < _FAIR,
                    "Review the data or the gates: too few clusterings pass",
                ),
            )
            if applies
        ]
        return told or ["All is normal"]


resilience_manager = ResilienceManager()


def resilient_operation(operation_name: str) -> Callable[[_Called], _Called]:
    """Decorate a function whose calls `resilience_manager` counts."""

    def decorate(function: _Called) -> _Called:
        @functools.wraps(function)
        def counted(*args: Any, **kwargs: Any) -> Any:
            with resilience_manager.operation_context(operation_name):
                return function(*args, **kwargs)

        return counted  # type: ignore[return-value]

    return decorate
