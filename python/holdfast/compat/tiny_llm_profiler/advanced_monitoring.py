"""Older path of metrics and alerts: see `holdfast.telemetry`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from holdfast import telemetry
from holdfast.telemetry import (
    Alert,
    AlertManager,
    AlertRule,
    AlertSeverity,
    AlertState,
    Metric,
    MetricCollector,
    MetricType,
    MonitoringSystem,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Alert",
    "AlertManager",
    "AlertRule",
    "AlertSeverity",
    "AlertState",
    "Metric",
    "MetricCollector",
    "MetricType",
    "MonitoringSystem",
    "get_health_summary",
    "get_monitoring_system",
    "logger",
    "monitoring_system",
    "record_metric",
    "start_monitoring",
    "stop_monitoring",
]

logger = logging.getLogger("holdfast.telemetry")
# None until first use. Older tests replace it, and the functions below.
monitoring_system: MonitoringSystem | None = None


def get_monitoring_system() -> MonitoringSystem:
    """The system of this process, that of `holdfast.telemetry`."""
    global monitoring_system  # noqa: PLW0603
    if monitoring_system is None:
        monitoring_system = telemetry.get_monitoring_system()
    return monitoring_system


def start_monitoring() -> None:
    """Sample the machine and evaluate the rules from now on."""
    get_monitoring_system().start()


def stop_monitoring() -> None:
    """Stop what `start_monitoring` started; nothing where it was not."""
    if monitoring_system is None:
        telemetry.stop_monitoring()
    else:
        monitoring_system.stop()


def record_metric(name: str, value: float, labels: Mapping[str, str] | None = None) -> None:
    """Record a sample, stamped now."""
    get_monitoring_system().record_metric(name, value, labels)


def get_health_summary() -> dict[str, Any]:
    """How this process is; see `MonitoringSystem.get_health_summary`."""
    return get_monitoring_system().get_health_summary()
