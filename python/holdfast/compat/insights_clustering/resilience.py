"""Older path of quality gates, resources and the manager over both."""

from __future__ import annotations

from typing import Any

from holdfast.compat._machine import lazy_psutil
from holdfast.compat.insights_clustering._resilience_manager import (
    ResilienceManager,
    ResilienceMetrics,
    ResourceMonitor,
    resilience_manager,
    resilient_operation,
)
from holdfast.telemetry import (
    ClusteringQualityGates,
    QualityGate,
    ResilienceStatus,
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


def __getattr__(name: str) -> Any:
    """`psutil`, which older tests replace here."""
    return lazy_psutil(__name__, name)
