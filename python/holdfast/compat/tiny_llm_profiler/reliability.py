"""Older path of the guards: see `holdfast.resilience`."""

import time

from holdfast.compat.tiny_llm_profiler._reliability_manager import (
    ReliabilityManager,
    logger,
    managed_resource,
    reliability_manager,
    retry,
    with_fallback,
    with_timeout,
)
from holdfast.compat.tiny_llm_profiler._resources import ResourceManager
from holdfast.compat.tiny_llm_profiler._stages import (
    GracefulDegradation,
    RetryMechanism,
    TimeoutConfig,
    TimeoutManager,
)
from holdfast.resilience import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitOpenError,
    CircuitState,
    RetryableError,
    RetryConfig,
    RetryStrategy,
    circuit_breaker,
)

_REPLACED = (time,)  # older tests replace its `sleep` here

__all__ = [
    "CircuitBreaker",
    "CircuitBreakerConfig",
    "CircuitOpenError",
    "CircuitState",
    "GracefulDegradation",
    "ReliabilityManager",
    "ResourceManager",
    "RetryConfig",
    "RetryMechanism",
    "RetryStrategy",
    "RetryableError",
    "TimeoutConfig",
    "TimeoutManager",
    "circuit_breaker",
    "logger",
    "managed_resource",
    "reliability_manager",
    "retry",
    "with_fallback",
    "with_timeout",
]
