"""Older names and duplicates, for scripts written for the systems before Holdfast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast._lazy import attach

if TYPE_CHECKING:
    from holdfast.compat._circuit_breaker import CircuitBreaker as CircuitBreaker
    from holdfast.compat._correlation import get_correlation_id as get_correlation_id
    from holdfast.compat._correlation import set_correlation_id as set_correlation_id
    from holdfast.compat._errors import EnhancedErrorHandler as EnhancedErrorHandler
    from holdfast.compat._errors import ObserverCoordinatorError as ObserverCoordinatorError
    from holdfast.compat._errors import TimeoutError as TimeoutError  # noqa: A004
    from holdfast.compat._errors import error_handler as error_handler
    from holdfast.compat._graceful_degradation import GracefulDegradation as GracefulDegradation
    from holdfast.compat._kmeans_clusterer import KMeansClusterer as KMeansClusterer
    from holdfast.compat._reliability_manager import ReliabilityManager as ReliabilityManager
    from holdfast.compat._reliability_manager import circuit_breaker as circuit_breaker
    from holdfast.compat._reliability_manager import logger as logger
    from holdfast.compat._reliability_manager import managed_resource as managed_resource
    from holdfast.compat._reliability_manager import reliability_manager as reliability_manager
    from holdfast.compat._reliability_manager import retry as retry
    from holdfast.compat._reliability_manager import with_fallback as with_fallback
    from holdfast.compat._reliability_manager import with_timeout as with_timeout
    from holdfast.compat._resilience_manager import ResilienceManager as ResilienceManager
    from holdfast.compat._resilience_manager import ResilienceMetrics as ResilienceMetrics
    from holdfast.compat._resilience_manager import resilience_manager as resilience_manager
    from holdfast.compat._resilience_manager import resilient_operation as resilient_operation
    from holdfast.compat._resource_manager import ResourceManager as ResourceManager
    from holdfast.compat._retry_mechanism import RetryManager as RetryManager
    from holdfast.compat._retry_mechanism import RetryMechanism as RetryMechanism
    from holdfast.compat._timeout_manager import TimeoutConfig as TimeoutConfig
    from holdfast.compat._timeout_manager import TimeoutManager as TimeoutManager
    from holdfast.compat._timeout_manager import timeout_operation as timeout_operation
    from holdfast.errors import CircuitOpenError as CircuitOpenError
    from holdfast.errors import RetryableError as RetryableError
    from holdfast.resilience import CircuitBreakerConfig as CircuitBreakerConfig
    from holdfast.resilience import CircuitState as CircuitState
    from holdfast.resilience import RetryConfig as RetryConfig
    from holdfast.resilience import RetryStrategy as RetryStrategy

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "CircuitBreaker": "holdfast.compat._circuit_breaker",
        "CircuitBreakerConfig": "holdfast.resilience",
        "CircuitOpenError": "holdfast.errors",
        "CircuitState": "holdfast.resilience",
        "GracefulDegradation": "holdfast.compat._graceful_degradation",
        "ReliabilityManager": "holdfast.compat._reliability_manager",
        "ResourceManager": "holdfast.compat._resource_manager",
        "RetryConfig": "holdfast.resilience",
        "RetryManager": "holdfast.compat._retry_mechanism",
        "RetryMechanism": "holdfast.compat._retry_mechanism",
        "RetryStrategy": "holdfast.resilience",
        "RetryableError": "holdfast.errors",
        "TimeoutConfig": "holdfast.compat._timeout_manager",
        "TimeoutManager": "holdfast.compat._timeout_manager",
        "circuit_breaker": "holdfast.compat._reliability_manager",
        "logger": "holdfast.compat._reliability_manager",
        "managed_resource": "holdfast.compat._reliability_manager",
        "reliability_manager": "holdfast.compat._reliability_manager",
        "retry": "holdfast.compat._reliability_manager",
        "timeout_operation": "holdfast.compat._timeout_manager",
        "with_fallback": "holdfast.compat._reliability_manager",
        "with_timeout": "holdfast.compat._reliability_manager",
        "EnhancedErrorHandler": "holdfast.compat._errors",
        "KMeansClusterer": "holdfast.compat._kmeans_clusterer",
        "ObserverCoordinatorError": "holdfast.compat._errors",
        "ResilienceManager": "holdfast.compat._resilience_manager",
        "ResilienceMetrics": "holdfast.compat._resilience_manager",
        "TimeoutError": "holdfast.compat._errors",
        "error_handler": "holdfast.compat._errors",
        "get_correlation_id": "holdfast.compat._correlation",
        "resilience_manager": "holdfast.compat._resilience_manager",
        "resilient_operation": "holdfast.compat._resilience_manager",
        "set_correlation_id": "holdfast.compat._correlation",
    },
)
