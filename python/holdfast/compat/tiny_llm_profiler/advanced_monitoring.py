"""Older path of metrics and alerts: see `holdfast.telemetry`."""

from __future__ import annotations

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
    get_health_summary,
    get_monitoring_system,
    record_metric,
    start_monitoring,
    stop_monitoring,
)
from holdfast.telemetry import _system as _home

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
    "record_metric",
    "start_monitoring",
    "stop_monitoring",
]


def __getattr__(name: str) -> object:
    if name == "monitoring_system":  # None until first use
        return _home.monitoring_system
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
