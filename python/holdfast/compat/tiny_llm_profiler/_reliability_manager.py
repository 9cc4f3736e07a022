"""Guards by name, and what they say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast import resilience
from holdfast.compat.tiny_llm_profiler._resources import ResourceManager
from holdfast.compat.tiny_llm_profiler._stages import (
    GracefulDegradation,
    RetryMechanism,
    TimeoutManager,
)
from holdfast.errors import utc_now
from holdfast.resilience import CircuitBreaker, CircuitBreakerConfig, RetryConfig, _registry

if TYPE_CHECKING:
    from collections.abc import Mapping


class ReliabilityManager:
    """Retries and breakers by name, resources and fallbacks.

    `reliability_manager` has those that `retry(name, ...)` and `circuit_breaker(name, ...)`
    made; any other one has its own.

    Attributes
    ----------
    timeout_manager : TimeoutManager
    resource_manager : ResourceManager
    graceful_degradation : GracefulDegradation
    """

    def __init__(self) -> None:
        self.timeout_manager = TimeoutManager()
        self.resource_manager = ResourceManager()
        self.graceful_degradation = GracefulDegradation()
        self._retries: dict[str, RetryConfig] = {}
        self._breakers: dict[str, CircuitBreaker] = {}

    @property
    def retry_configs(self) -> Mapping[str, RetryConfig]:
        """Configurations by name."""
        return self._retries

    @property
    def circuit_breakers(self) -> Mapping[str, CircuitBreaker]:
        """Breakers by name."""
        return self._breakers

    def create_retry_decorator(
        self, name: str, config: RetryConfig | None = None
    ) -> RetryMechanism:
        """A retry; the first use of a name sets its configuration."""
        return RetryMechanism(self._retries.setdefault(name, config or RetryConfig()))

    def create_circuit_breaker(
        self, name: str, config: CircuitBreakerConfig | None = None
    ) -> CircuitBreaker:
        """The breaker of this name; the first use sets its configuration."""
        if name not in self._breakers:
            made = CircuitBreaker(name, config or CircuitBreakerConfig())
            self._breakers.setdefault(name, made)
        return self._breakers[name]

    def get_health_status(self) -> dict[str, Any]:
        """Breakers, resources and retries, as plain values."""
        return {
            "timestamp": utc_now().isoformat(),
            "circuit_breakers": {
                name: breaker.get_status() for name, breaker in self.circuit_breakers.items()
            },
            "resource_stats": self.resource_manager.get_resource_stats(),
            "retry_configs": {
                name: {
                    "max_attempts": config.max_attempts,
                    "strategy": resilience.RetryStrategy(config.strategy).value,
                    "base_delay": config.base_delay,
                }
                for name, config in self.retry_configs.items()
            },
        }

    def reset_all_circuit_breakers(self) -> None:
        """Close them, and forget what was counted."""
        for breaker in self.circuit_breakers.values():
            breaker.reset()

    def cleanup_all_resources(self) -> None:
        """See `ResourceManager.cleanup_resources`."""
        self.resource_manager.cleanup_resources()


class _OfTheProcess(ReliabilityManager):
    """The guards that the decorators by name made."""

    @property
    def retry_configs(self) -> Mapping[str, RetryConfig]:
        return _registry.retries()

    @property
    def circuit_breakers(self) -> Mapping[str, CircuitBreaker]:
        return _registry.breakers()

    def create_retry_decorator(
        self, name: str, config: RetryConfig | None = None
    ) -> RetryMechanism:
        if name not in self.retry_configs:
            resilience.retry(name, **vars(config or RetryConfig()))
        return RetryMechanism(self.retry_configs[name])

    def create_circuit_breaker(
        self, name: str, config: CircuitBreakerConfig | None = None
    ) -> CircuitBreaker:
        if name not in self.circuit_breakers:
            resilience.circuit_breaker(name, **vars(config or CircuitBreakerConfig()))
        return self.circuit_breakers[name]


reliability_manager = _OfTheProcess()
