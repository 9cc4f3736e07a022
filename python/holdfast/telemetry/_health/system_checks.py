"""Checks of the machine: what is in use against thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.errors import _parameters as parameters
from holdfast.telemetry._health.checks import Check, HealthChecks, HealthStatus, get_health
from holdfast.telemetry._health.machine import Machine
from holdfast.telemetry._health.resources import ResourceThresholds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PERCENT = "percent"


def default_system_thresholds() -> dict[str, ResourceThresholds]:
    """By check: percent in use, and degrees Celsius of the hottest sensor."""
    return {
        "memory": ResourceThresholds(80.0, 95.0),
        "cpu": ResourceThresholds(70.0, 90.0),
        "disk": ResourceThresholds(85.0, 95.0),
        "file_descriptors": ResourceThresholds(80.0, 95.0),
        "temperature": ResourceThresholds(80.0, 95.0, unit="degrees Celsius"),
    }


def _read(machine: Machine) -> dict[str, float]:
    """What is in use, by check; what cannot be read is absent."""
    sample = machine.sample()
    memory = sample.get("container_memory_percent", sample.get("system_memory_percent"))
    used, most = sample.get("process_open_fds"), sample.get("process_max_fds")
    found = {
        "memory": memory,
        "cpu": sample.get("system_cpu_percent"),
        "disk": sample.get("system_disk_percent"),
        "file_descriptors": 100.0 * used / most if used is not None and most else None,
        "temperature": sample.get("system_temperature_max"),
    }
    return {name: value for name, value in found.items() if value is not None}


def add_system_checks(
    thresholds: Mapping[str, ResourceThresholds] | None = None,
    *,
    ttl: float = 10.0,
    critical: bool = False,
    health: HealthChecks | None = None,
    machine: Machine | None = None,
) -> list[Check]:
    """Check memory, processors, disk, file descriptors and temperature.

    From the warning threshold on a check is degraded, from the critical one on unhealthy.
    Memory is that of the container where it has a limit.

    Parameters
    ----------
    thresholds : mapping, optional
        ResourceThresholds by `memory`, `cpu`, `disk`, `file_descriptors` and `temperature`:
        only those given. By default 80 and 95 percent of the memory and of the descriptors
        this process may open, 70 and 90 of the processors, 85 and 95 of the disk, 80 and
        95 degrees Celsius.
    ttl, critical
        As of `Check`.
    health : HealthChecks, optional
        By default the checks of the process.
    machine : Machine, optional
        Another one makes any machine of a test.

    Returns
    -------
    list of Check
        What this machine does not tell is not among them.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.
    """
    known = default_system_thresholds()
    given = known if thresholds is None else parameters.mapping("thresholds", thresholds)
    for name, limits in given.items():
        if name not in known or not isinstance(limits, ResourceThresholds):
            rule = f"ResourceThresholds by {', '.join(known)}"
            parameters.refuse("thresholds", rule, thresholds)
    parameters.instance("health", health, HealthChecks, optional=True)
    parameters.instance("machine", machine, Machine, optional=True)
    watched = Machine() if machine is None else machine
    watched.settle()
    told = _read(watched)
    checks = [
        Check(name, _probe(name, limits, watched), ttl=ttl, critical=critical)
        for name, limits in given.items()
        if name in told
    ]
    for check in checks:
        (get_health() if health is None else health).add(check)
    return checks


def _probe(
    name: str, limits: ResourceThresholds, machine: Machine
) -> Callable[[], tuple[HealthStatus, str]]:
    said = name.replace("_", " ")
    unit = " %" if limits.unit == _PERCENT else f" {limits.unit}"

    def probe() -> tuple[HealthStatus, str]:
        value = _read(machine).get(name)
        if value is None:
            return HealthStatus.DEGRADED, f"{said} cannot be read any more"
        for limit, status in (
            (limits.critical_threshold, HealthStatus.UNHEALTHY),
            (limits.warning_threshold, HealthStatus.DEGRADED),
        ):
            if value >= limit:
                message = f"{said} is at {value:.1f}{unit}, the threshold is {limit:g}"
                return status, message
        return HealthStatus.HEALTHY, f"{said} is at {value:.1f}{unit}"

    return probe
