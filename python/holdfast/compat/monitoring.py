"""Older path of the metric catalogue: see `holdfast.telemetry`."""

from __future__ import annotations

import importlib.util

from holdfast.telemetry import EnhancedMetricsCollector, get_enhanced_metrics
from holdfast.telemetry import WindowRule as AlertRule
from holdfast.telemetry._alerting.catalogue_rules import (
    HealthCheckResult,
    MetricValue,
    PerformanceBaseline,
)

enhanced_metrics = metrics = get_enhanced_metrics()
PROMETHEUS_AVAILABLE = importlib.util.find_spec("prometheus_client") is not None

__all__ = [
    "PROMETHEUS_AVAILABLE",
    "AlertRule",
    "EnhancedMetricsCollector",
    "HealthCheckResult",
    "MetricValue",
    "PerformanceBaseline",
    "enhanced_metrics",
    "metrics",
]
