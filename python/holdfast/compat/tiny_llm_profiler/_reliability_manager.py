"""The guards of the edge profiler by name, and the object that knew them all."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast.compat.tiny_llm_profiler._resources import ResourceManager
from holdfast.compat.tiny_llm_profiler._stages import (
    GracefulDegradation,
    RetryMechanism,
    TimeoutManager,
)
from holdfast.errors._base import utc_now
from holdfast.resilience import RetryConfig
from holdfast.resilience._registry import Registry, registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.resilience import CircuitBreaker, CircuitBreakerConfig

_T = TypeVar("_T")

logger = logging.getLogger("holdfast.resilience")


class ReliabilityManager:
    """Guards by name. The first use of a name sets its parameters.

    The module's own, `reliability_manager`, knows those of `holdfast.resilience.retry` and
    `circuit_breaker` as well; others have names of their own.

    Attributes
    ----------
    retry_configs, circuit_breakers : dict
    timeout_manager : TimeoutManager
    resource_manager : ResourceManager
    graceful_degradation : GracefulDegradation
    """

    def __init__(self, names: Registry | None = None) -> None:
        self._names = Registry() if names is None else names
        self.timeout_manager = TimeoutManager()
        self.resource_manager = ResourceManager()
        self.graceful_degradation = GracefulDegradation()

    @property
    def retry_configs(self) -> dict[str, RetryConfig]:
        """The configurations of the retries by name."""
        return self._names.retries

    @property
    def circuit_breakers(self) -> dict[str, CircuitBreaker]:
        """The breakers by name."""
        return self._names.breakers

    def create_retry_decorator(
        self, name: str, config: RetryConfig | None = None
    ) -> RetryMechanism:
        """A retry by the configuration of this name.

        Raises
        ------
        InvalidParameterError
            The name has another configuration.
        """
        return RetryMechanism(self._names.retry(name, _given(config)), name=name)

    def create_circuit_breaker(
        self, name: str, config: CircuitBreakerConfig | None = None
    ) -> CircuitBreaker:
        """The breaker of this name.

        Raises
        ------
        InvalidParameterError
            The name has another configuration.
        """
        return self._names.circuit_breaker(name, _given(config))

    def get_health_status(self) -> dict[str, Any]:
        """All breakers, resources and retries as plain values."""
        return {
            "timestamp": utc_now().isoformat(),
            "circuit_breakers": {
                name: breaker.get_status() for name, breaker in self.circuit_breakers.items()
            },
            "resource_stats": self.resource_manager.get_resource_stats(),
            "retry_configs": {
                name: {
                    "max_attempts": config.max_attempts,
                    "strategy": str(getattr(config.strategy, "value", config.strategy)),
                    "base_delay": config.base_delay,
                }
                for name, config in self.retry_configs.items()
            },
        }

    def reset_all_circuit_breakers(self) -> None:
        """Close them and forget what they counted."""
        for breaker in list(self.circuit_breakers.values()):
            breaker.reset()

    def cleanup_all_resources(self) -> None:
        """Clean up what is registered."""
        self.resource_manager.cleanup_resources()


def _given(config: RetryConfig | CircuitBreakerConfig | None) -> dict[str, Any]:
    return {} if config is None else dict(vars(config))


reliability_manager = ReliabilityManager(registry)


def retry(name: str = "default", **fields: Any) -> RetryMechanism:
    """A decorator with the fields of a RetryConfig; without any, by that of this name.

    The first configuration of a name is the one that `reliability_manager` shows.

    Raises
    ------
    InvalidParameterError
        A field is outside its domain.
    """
    if name in registry.retries and fields:
        return RetryMechanism(RetryConfig(**fields), name=name)
    return RetryMechanism(registry.retry(name, fields), name=name)


def with_timeout(seconds: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate: an overrun raises `ProfilingTimeoutError`."""
    return reliability_manager.timeout_manager.with_timeout(seconds)


def with_fallback(
    *fallback_funcs: Callable[..., Any],
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate: the function, then what is registered under its name, then these."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        name = getattr(function, "__name__", repr(function))
        degradation = reliability_manager.graceful_degradation
        return degradation.with_fallback(name, *fallback_funcs)(function)

    return decorate


@contextmanager
def managed_resource(
    resource: _T,
    category: str = "general",
    cleanup_func: Callable[[], object] | None = None,
) -> Iterator[_T]:
    """Yield `resource`, registered meanwhile; it is cleaned up once, at the end."""
    resources = reliability_manager.resource_manager
    resources.register_resource(resource, category, cleanup_func)
    try:
        yield resource
    finally:
        resources.release(resource, category)
