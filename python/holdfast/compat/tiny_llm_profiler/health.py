"""Older path of the health of a machine: checks by name, and samples of its load.

New programs use `holdfast.telemetry.add_check` and `start_monitoring`. What the machine does
not tell is None here, and optional packages that are absent are no fault.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from holdfast.compat._machine import lazy_psutil, sample
from holdfast.compat.tiny_llm_profiler._environment import validate_environment
from holdfast.edge._files import write_whole
from holdfast.errors import InvalidParameterError
from holdfast.telemetry import Machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from os import PathLike

__all__ = [
    "HealthChecker",
    "HealthStatus",
    "SystemMetrics",
    "get_health_status",
    "health_checker",
    "run_health_checks",
]

_REQUIRED = ("numpy",)
_OPTIONAL = ("serial", "psutil", "click", "rich", "plotly", "pandas", "aiofiles", "httpx")
_KEPT = 1000
_GIB = 2.0**30


def __getattr__(name: str) -> Any:
    """`psutil`, which older tests replace here."""
    return lazy_psutil(__name__, name)


def _now() -> datetime:
    return datetime.now()  # noqa: DTZ005 (local, as scripts compare it)


@dataclass
class HealthStatus:
    """What one check found."""

    name: str
    healthy: bool
    message: str
    details: dict[str, Any] = field(default_factory=dict)
    timestamp: datetime = field(default_factory=_now)
    response_time_ms: float | None = None


@dataclass
class SystemMetrics:
    """The load of the machine at one time; None where it does not tell."""

    timestamp: datetime
    cpu_percent: float | None
    memory_percent: float | None
    memory_available_mb: float | None
    disk_free_gb: float | None
    temperature_celsius: float | None = None
    load_average: float | None = None


class HealthChecker:
    """Checks by name.

    Attributes
    ----------
    checks : dict
        Functions that return a HealthStatus, by name.
    last_check_results : dict
        What they found last.
    system_metrics_history : list of SystemMetrics
        The last `max_history_size`.
    """

    def __init__(self) -> None:
        self.max_history_size = _KEPT
        self.checks: dict[str, Callable[[], HealthStatus]] = {}
        self.last_check_results: dict[str, HealthStatus] = {}
        self.system_metrics_history: list[SystemMetrics] = []
        self._machine = Machine()
        self._lock = RLock()
        for check in (_system_resources, _python_environment, _dependencies):
            self.register_check(check.__name__.lstrip("_"), self._bound(check))
        self.register_check("disk_space", _disk_space)
        self.register_check("security_environment", _security_environment)

    def _bound(
        self, check: Callable[[HealthChecker], HealthStatus]
    ) -> Callable[[], HealthStatus]:
        return lambda: check(self)

    def register_check(self, name: str, check_function: Callable[[], HealthStatus]) -> None:
        """Ask `check_function` under `name`; it replaces one of the same name."""
        if not callable(check_function):
            raise InvalidParameterError(
                f"check_function must be callable, got {check_function!r}"
            )
        with self._lock:
            self.checks[name] = check_function

    def run_check(self, name: str) -> HealthStatus:
        """Ask one check; what it raises is unhealthy.

        Raises
        ------
        InvalidParameterError
            There is no such check.
        """
        check = self.checks.get(name)
        if check is None:
            raise InvalidParameterError(
                f"name must be one of {sorted(self.checks)}, got {name!r}"
            )
        begun = time.perf_counter()
        try:
            status = check()
        except Exception as error:  # noqa: BLE001 (whatever it is, it is the answer)
            text = f"{type(error).__name__}: {error}"
            details = {"exception": str(error), "exception_type": type(error).__name__}
            status = HealthStatus(name, False, f"Health check failed: {text}", details)  # noqa: FBT003
        status.response_time_ms = 1e3 * (time.perf_counter() - begun)
        with self._lock:
            self.last_check_results[name] = status
        return status

    def run_all_checks(self) -> dict[str, HealthStatus]:
        """Ask them all, now."""
        return {name: self.run_check(name) for name in list(self.checks)}

    def get_overall_health(self) -> HealthStatus:
        """Ask them all, now, and add them up."""
        results = self.run_all_checks()
        failed = [name for name, status in results.items() if not status.healthy]
        message = (
            f"Failed: {', '.join(failed)}" if failed else f"All {len(results)} checks passed"
        )
        details = {
            "total_checks": len(results),
            "healthy_checks": len(results) - len(failed),
            "failed_checks": failed,
            "check_results": {name: _plain(status) for name, status in results.items()},
        }
        return HealthStatus("overall", not failed, message, details)

    def collect_system_metrics(self) -> SystemMetrics:
        """Sample the machine; the processors' share is that since the last sample."""
        found = sample(self._machine)
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        metrics = SystemMetrics(
            _now(),
            found.get("system_cpu_percent"),
            found.get("system_memory_percent"),
            found.get("system_memory_available_mb"),
            found.get("system_disk_free_gb"),
            found.get("system_temperature_avg"),
            load,
        )
        with self._lock:
            history = self.system_metrics_history
            history.append(metrics)
            del history[: -self.max_history_size]
        return metrics

    def get_metrics_summary(self, duration_minutes: float = 10) -> dict[str, Any]:
        """Averages and extremes of the samples of the last minutes."""
        since = _now() - timedelta(minutes=duration_minutes)
        with self._lock:
            recent = [m for m in self.system_metrics_history if m.timestamp >= since]
        if not recent:
            return {"error": f"No metrics in the last {duration_minutes:g} minutes"}
        told: dict[str, Any] = {
            "time_period_minutes": duration_minutes,
            "sample_count": len(recent),
            "cpu": _extremes(m.cpu_percent for m in recent),
            "memory": {
                **_extremes(m.memory_percent for m in recent),
                "current_available_mb": recent[-1].memory_available_mb,
            },
            "disk": {"free_gb": recent[-1].disk_free_gb},
        }
        degrees = [m.temperature_celsius for m in recent if m.temperature_celsius is not None]
        if degrees:
            told["temperature"] = {
                "average_celsius": sum(degrees) / len(degrees),
                "max_celsius": max(degrees),
                "current_celsius": degrees[-1],
            }
        return told

    def export_health_report(self, path: str | PathLike[str]) -> None:
        """Write checks, load and advice as JSON."""
        overall = self.get_overall_health()
        self.collect_system_metrics()
        failed = overall.details["failed_checks"]
        report = {
            "timestamp": _now().isoformat(),
            "overall_health": _plain(overall),
            "individual_checks": overall.details["check_results"],
            "system_metrics": self.get_metrics_summary(),
            "recommendations": [self.last_check_results[name].message for name in failed],
        }
        write_whole(path, json.dumps(report, indent=2, default=str).encode())


def _plain(status: HealthStatus) -> dict[str, Any]:
    return {**asdict(status), "timestamp": status.timestamp.isoformat()}


def _extremes(values: Iterable[float | None]) -> dict[str, float | None]:
    known = [value for value in values if value is not None]
    return {
        "average_percent": sum(known) / len(known) if known else None,
        "max_percent": max(known, default=None),
        "min_percent": min(known, default=None),
    }


def _system_resources(checker: HealthChecker) -> HealthStatus:
    found = checker.collect_system_metrics()
    beyond = [
        f"{what} is {value:.1f} {unit}, the limit is {limit:g}"
        for what, value, unit, limit, sign in (
            ("the load of the processors", found.cpu_percent, "%", 90, 1),
            ("the use of memory", found.memory_percent, "%", 85, 1),
            ("available memory", found.memory_available_mb, "MB", 100, -1),
            ("free disk space", found.disk_free_gb, "GB", 1, -1),
            ("the temperature", found.temperature_celsius, "°C", 80, 1),
        )
        if value is not None and sign * (value - limit) > 0
    ]
    message = "; ".join(beyond) or "System resources are within their limits"
    details = {**asdict(found), "timestamp": found.timestamp.isoformat()}
    return HealthStatus("system_resources", not beyond, message, details)


def _disk_space() -> HealthStatus:
    details, low = {}, []
    for path in dict.fromkeys(["/", tempfile.gettempdir(), str(Path.home())]):
        try:
            disk = os.statvfs(path)
        except (AttributeError, OSError):
            continue
        free = disk.f_bavail * disk.f_frsize / _GIB
        used = disk.f_blocks - disk.f_bfree
        share = 100.0 * used / (used + disk.f_bavail) if used + disk.f_bavail else 0.0
        details[path] = {"free_gb": free, "used_percent": share}
        if free < 0.5 or share > 95:  # noqa: PLR2004 (the limits of the check)
            low.append(f"{path} has {free:.2f} GB free, {share:.0f} % used")
    message = "; ".join(low) or "There is room on every disk"
    return HealthStatus("disk_space", not low, message, details)


def _python_environment(checker: HealthChecker) -> HealthStatus:
    del checker
    version = sys.version_info
    fit = tuple(version[:2]) >= (3, 10)
    text = ".".join(map(str, version[:3]))
    inside = sys.prefix != sys.base_prefix
    details = {"python_version": text, "in_virtualenv": inside, "executable": sys.executable}
    message = f"Python {text}" if fit else f"Python {text} is older than 3.10"
    return HealthStatus("python_environment", fit, message, details)


def _security_environment() -> HealthStatus:
    found = validate_environment()
    secure = bool(found["secure"])
    message = "; ".join(found["errors"]) or f"{len(found['warnings'])} warnings, no errors"
    return HealthStatus("security_environment", secure, message, found)


def _dependencies(checker: HealthChecker) -> HealthStatus:
    del checker
    found = {
        name: importlib.util.find_spec(name) is not None for name in (*_REQUIRED, *_OPTIONAL)
    }
    missing = [name for name in _REQUIRED if not found[name]]
    details = {
        "installed": [name for name, is_there in found.items() if is_there],
        "missing_required": missing,
        "missing_optional": [name for name in _OPTIONAL if not found[name]],
    }
    message = f"Missing: {', '.join(missing)}" if missing else "All dependencies are installed"
    return HealthStatus("dependencies", not missing, message, details)


health_checker = HealthChecker()


def get_health_status() -> dict[str, Any]:
    """Ask all checks of `health_checker`, now."""
    overall = health_checker.get_overall_health()
    return {
        "healthy": overall.healthy,
        "message": overall.message,
        "timestamp": overall.timestamp.isoformat(),
        "details": overall.details,
    }


def run_health_checks() -> bool:
    """Whether all checks of `health_checker` pass, now."""
    return health_checker.get_overall_health().healthy
