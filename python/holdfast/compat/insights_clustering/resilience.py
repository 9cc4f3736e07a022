"""Older path of quality gates, resources and the manager over both."""

from holdfast.compat.insights_clustering._resilience_manager import (
    ResilienceManager,
    ResilienceMetrics,
    resilience_manager,
    resilient_operation,
)
from holdfast.telemetry import (
    ClusteringQualityGates,
    QualityGate,
    ResilienceStatus,
    ResourceMonitor,
    ResourceThresholds,
    ResourceType,
)

__all__ = [
    "ClusteringQualityGates",
    "QualityGate",
    "ResilienceManager",
    "ResilienceMetrics",
    "ResilienceStatus",
    "ResourceMonitor",
    "ResourceThresholds",
    "ResourceType",
    "resilience_manager",
    "resilient_operation",
]
