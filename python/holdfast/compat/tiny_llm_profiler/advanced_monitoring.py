"""Older path of metrics and alerts: see `holdfast.telemetry`."""

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
