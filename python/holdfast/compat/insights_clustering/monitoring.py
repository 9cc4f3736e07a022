"""Older path of the monitor of clusterings."""

from __future__ import annotations

import enum

from holdfast.telemetry import (
    ClusteringMonitor,
    ClusteringOperationMetrics,
    ClusteringPerformanceBaseline,
    ClusteringPhase,
    clustering_monitor,
    monitor_clustering_operation,
)
from holdfast.telemetry import monitor_performance as performance_monitor

__all__ = [
    "ClusteringMonitor",
    "ClusteringOperationMetrics",
    "ClusteringPerformanceBaseline",
    "ClusteringPhase",
    "MetricType",
    "clustering_monitor",
    "monitor_clustering_operation",
    "performance_monitor",
]


class MetricType(str, enum.Enum):
    """What a metric is about."""

    PERFORMANCE = "performance"
    QUALITY = "quality"
    RESOURCE = "resource"
    BUSINESS = "business"
