"""Memory, processors and disk against thresholds; what one operation used."""

from __future__ import annotations

import enum
import os
import shutil
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from holdfast import _context
from holdfast.errors import ResourceExhaustionError
from holdfast.errors import _parameters as parameters
from holdfast.errors._base import utc_now
from holdfast.telemetry._fork import Locked
from holdfast.telemetry._health.machine import Machine
from holdfast.telemetry._logs.own_log import logger
from holdfast.telemetry._ticker import Ticker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime

_GIB = 2.0**30
_KEPT = 1000


class ResilienceStatus(str, enum.Enum):
    """How a process is off."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    FAILING = "failing"
    CRITICAL = "critical"


class ResourceType(str, enum.Enum):
    """What can run short.

    No machine tells how much its network can carry: that is for a `read` of one's own.
    """

    MEMORY = "memory"
    CPU = "cpu"
    DISK = "disk"
    NETWORK = "network"


@dataclass
class ResourceThresholds:
    """When the use of a resource is a warning, and when it is critical.

    Raises
    ------
    InvalidParameterError
        If a threshold is no number, or critical is below warning.
    """

    warning_threshold: float
    critical_threshold: float
    unit: str = "percent"
    check_interval_seconds: float = 30

    def __post_init__(self) -> None:
        """Check the order."""
        least = parameters.real("warning_threshold", self.warning_threshold, finite=False)
        critical = self.critical_threshold
        parameters.real("critical_threshold", critical, least=least, finite=False)
        parameters.text("unit", self.unit, empty=True)
        parameters.real("check_interval_seconds", self.check_interval_seconds, above=0)


def default_thresholds() -> dict[ResourceType, ResourceThresholds]:
    """Percent in use: memory 80 and 95, processors 70 and 90, disk 85 and 95."""
    return {
        ResourceType.MEMORY: ResourceThresholds(80.0, 95.0),
        ResourceType.CPU: ResourceThresholds(70.0, 90.0),
        ResourceType.DISK: ResourceThresholds(85.0, 95.0),
    }


def in_use(machine: Machine) -> dict[str, dict[str, float]]:
    """What is in use now; a resource that cannot be read is absent.

    The first reading waits a tenth of a second for the share of the processors. Memory is
    that of the container where it has a limit.
    """
    machine.settle()
    sample = machine.sample()
    found: dict[str, dict[str, float]] = {}
    if "container_memory_percent" in sample:
        limit = sample["container_memory_limit_bytes"]
        found["memory"] = {
            "usage_percent": sample["container_memory_percent"],
            "available_gb": (limit - sample["container_memory_used_bytes"]) / _GIB,
            "total_gb": limit / _GIB,
        }
    elif "system_memory_percent" in sample:
        available = sample["system_memory_available_mb"] / 1024.0
        share = 1.0 - sample["system_memory_percent"] / 100.0
        found["memory"] = {
            "usage_percent": sample["system_memory_percent"],
            "available_gb": available,
            "total_gb": available / share if share > 0 else available,
        }
    if "system_cpu_percent" in sample:
        found["cpu"] = {
            "usage_percent": sample["system_cpu_percent"],
            "core_count": os.cpu_count() or 1,
        }
    if "system_disk_percent" in sample:
        found["disk"] = {
            "usage_percent": sample["system_disk_percent"],
            "free_gb": sample["system_disk_free_gb"],
            "total_gb": shutil.disk_usage(machine.root).total / _GIB,
        }
    return found


class ResourceMonitor(Locked):
    """Holds what is in use against thresholds.

    Parameters
    ----------
    thresholds : mapping, optional
        ResourceThresholds by ResourceType; by default those of `default_thresholds`.
    read : callable, optional
        Gives what is in use, as in `get_current_status()["resources"]`; another one makes
        any machine of a test.

    Attributes
    ----------
    current_status : ResilienceStatus
        Of the latest check.
    alerts : deque of dict
        The last thousand: `timestamp`, `resource_type`, `level`, `value`, `threshold`,
        `message`. One is added when a resource gets worse, not at every check.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.
    """

    def __init__(
        self,
        thresholds: Mapping[ResourceType, ResourceThresholds] | None = None,
        *,
        read: Callable[[], dict[str, dict[str, float]]] | None = None,
    ) -> None:
        super().__init__()
        self.thresholds = default_thresholds() if thresholds is None else _checked(thresholds)
        parameters.hook("read", read, optional=True)
        self.current_status = ResilienceStatus.HEALTHY
        self.alerts: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        machine = Machine()
        self._read = read or (lambda: in_use(machine))
        self._levels: dict[ResourceType, str | None] = {}
        self._ticker = Ticker("holdfast-resources", self._check_resources, self._interval)

    def _interval(self) -> float:
        every = [each.check_interval_seconds for each in self.thresholds.values()]
        return min(every, default=30.0)

    def start_monitoring(self) -> None:
        """Check in a thread until `stop_monitoring`; again is no harm."""
        self._ticker.start()

    def stop_monitoring(self) -> None:
        """Stop checking."""
        self._ticker.stop()

    def check(self) -> ResilienceStatus:
        """Check now."""
        self._check_resources()
        return self.current_status

    def _check_resources(self) -> dict[str, dict[str, float]]:
        resources = self._read()
        with self._lock:
            levels = {}
            for kind, limits in self.thresholds.items():
                value = resources.get(ResourceType(kind).value, {}).get("usage_percent")
                levels[kind] = None if value is None else self._level(value, limits)
                if value is not None and _worse(levels[kind], self._levels.get(kind)):
                    self._alert(ResourceType(kind), str(levels[kind]), value, limits)
            self._levels = levels
            worst = set(levels.values())
            if "critical" in worst:
                self.current_status = ResilienceStatus.CRITICAL
            elif "warning" in worst:
                self.current_status = ResilienceStatus.DEGRADED
            else:
                self.current_status = ResilienceStatus.HEALTHY
        return resources

    @staticmethod
    def _level(value: float, limits: ResourceThresholds) -> str | None:
        if value >= limits.critical_threshold:
            return "critical"
        return "warning" if value >= limits.warning_threshold else None

    def _alert(
        self, kind: ResourceType, level: str, value: float, limits: ResourceThresholds
    ) -> None:
        threshold = (
            limits.critical_threshold if level == "critical" else limits.warning_threshold
        )
        message = f"{kind.value} is at {value:.1f} %, {level} from {threshold:g} % on"
        self.alerts.append(
            {
                "timestamp": utc_now(),
                "resource_type": kind.value,
                "level": level,
                "value": value,
                "threshold": threshold,
                "message": message,
            }
        )
        logger("holdfast.resources").warning(message)

    def get_current_status(self) -> dict[str, Any]:
        """Check now, and tell: `status`, `timestamp`, `resources`, the last ten alerts."""
        resources = self._check_resources()
        with self._lock:
            return {
                "status": self.current_status.value,
                "timestamp": utc_now().isoformat(),
                "resources": resources,
                "recent_alerts": [
                    {**alert, "timestamp": alert["timestamp"].isoformat()}
                    for alert in list(self.alerts)[-10:]
                ],
            }

    def require(self, *kinds: ResourceType | str) -> None:
        """Refuse to go on where a resource is critical.

        Parameters
        ----------
        *kinds
            Resources that matter; by default all.

        Raises
        ------
        ResourceExhaustionError
            Naming the resource, its use and the threshold.
        """
        wanted = [parameters.member("kinds", kind, ResourceType) for kind in kinds]
        resources = self._check_resources()
        for kind in wanted or list(self.thresholds):
            limits = self.thresholds.get(ResourceType(kind))
            value = resources.get(ResourceType(kind).value, {}).get("usage_percent")
            if limits is None or value is None or value < limits.critical_threshold:
                continue
            name = ResourceType(kind).value
            raise ResourceExhaustionError(
                f"{name} is at {value:.1f} %, the limit is {limits.critical_threshold:g} %",
                resource_type=name,
                current_usage=value,
                threshold=limits.critical_threshold,
            )


def _checked(
    thresholds: Mapping[ResourceType, ResourceThresholds],
) -> dict[ResourceType, ResourceThresholds]:
    given = parameters.mapping("thresholds", thresholds)
    for limits in given.values():
        parameters.instance("thresholds", limits, ResourceThresholds)
    return {
        parameters.member("thresholds", kind, ResourceType): limits
        for kind, limits in given.items()
    }


def _worse(level: str | None, before: str | None) -> bool:
    order = (None, "warning", "critical")
    return order.index(level) > order.index(before)


@dataclass
class ResourceMetrics:
    """What one operation used.

    Attributes
    ----------
    memory_usage_mb : float or None
        Growth of the resident memory; None where it cannot be read.
    cpu_percent : float
        Processor time of the process per time passed: 200 is two processors.
    """

    memory_usage_mb: float | None = None
    cpu_percent: float = 0.0
    processing_time_ms: float = 0.0
    correlation_id: str = ""
    timestamp: datetime = field(default_factory=utc_now)


def resource_monitor(
    operation: str = "operation", *, max_memory_mb: float = 500.0, max_seconds: float = 30.0
) -> AbstractContextManager[ResourceMetrics]:
    """Measure what the block uses, and log a warning beyond the limits.

    The result is filled in when the block ends.

    Raises
    ------
    InvalidParameterError
        `operation` is no text or empty, or a limit is negative.
    """
    parameters.text("operation", operation)
    parameters.real("max_memory_mb", max_memory_mb, least=0, finite=False)
    parameters.real("max_seconds", max_seconds, least=0, finite=False)
    return _measured(operation, max_memory_mb, max_seconds)


@contextmanager
def _measured(
    operation: str, max_memory_mb: float, max_seconds: float
) -> Iterator[ResourceMetrics]:
    machine = Machine()
    told = ResourceMetrics(correlation_id=_context.current().trace_id)
    before = machine.sample().get("process_resident_memory_bytes")
    begun, used = time.perf_counter(), time.process_time()
    try:
        yield told
    finally:
        seconds = time.perf_counter() - begun
        told.processing_time_ms = 1e3 * seconds
        told.cpu_percent = 100.0 * (time.process_time() - used) / seconds if seconds else 0.0
        after = machine.sample().get("process_resident_memory_bytes")
        if before is not None and after is not None:
            told.memory_usage_mb = (after - before) / 2**20
        log = logger("holdfast.resources")
        if told.memory_usage_mb is not None and told.memory_usage_mb > max_memory_mb:
            log.warning(
                "%s took %.0f MB, more than %g", operation, told.memory_usage_mb, max_memory_mb
            )
        if seconds > max_seconds:
            log.warning("%s took %.1f s, more than %g", operation, seconds, max_seconds)
