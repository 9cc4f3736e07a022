"""Older path of the clusterer, its networks, its error and its guards."""

from __future__ import annotations

import logging
import time
from typing import Any

from holdfast.clustering import (
    ClusteringMetrics,
    EchoStateNetwork,
    LiquidStateMachine,
    NeuromorphicClusteringMethod,
    SpikingNeuralCluster,
)
from holdfast.compat._machine import lazy_psutil
from holdfast.compat.insights_clustering._clusterer import (
    CUPY_AVAILABLE,
    GEN3_CONFIG,
    REDIS_AVAILABLE,
    NeuromorphicClusterer,
)
from holdfast.compat.insights_clustering._correlation import (
    get_correlation_id,
    set_correlation_id,
)
from holdfast.compat.insights_clustering._guards import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitBreakerState,
    RetryManager,
    timeout_operation,
)
from holdfast.errors import NeuromorphicErrorType, NeuromorphicException
from holdfast.telemetry import ResourceMetrics, resource_monitor

_REPLACED = (time,)  # older tests replace its `sleep` here
logger = logging.getLogger("holdfast.clustering")


def __getattr__(name: str) -> Any:
    """`psutil`, which older tests replace here."""
    return lazy_psutil(__name__, name)


__all__ = [
    "CUPY_AVAILABLE",
    "GEN3_CONFIG",
    "REDIS_AVAILABLE",
    "CircuitBreaker",
    "CircuitBreakerConfig",
    "CircuitBreakerState",
    "ClusteringMetrics",
    "EchoStateNetwork",
    "LiquidStateMachine",
    "NeuromorphicClusterer",
    "NeuromorphicClusteringMethod",
    "NeuromorphicErrorType",
    "NeuromorphicException",
    "ResourceMetrics",
    "RetryManager",
    "SpikingNeuralCluster",
    "get_correlation_id",
    "resource_monitor",
    "set_correlation_id",
    "timeout_operation",
]
