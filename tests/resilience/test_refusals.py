"""What a guard cannot work with is refused where it is written, by name, rule and value."""

import pytest

from holdfast.errors import InvalidParameterError
from holdfast.resilience import (
    CircuitBreakerConfig,
    Fallback,
    Retry,
    RetryConfig,
    circuit_breaker,
    retry,
)
from holdfast.telemetry import Check


async def later():
    return 1


@pytest.mark.parametrize(
    ("kind", "given", "name"),
    [
        (RetryConfig, {"max_attempts": 2.5}, "max_attempts"),
        (RetryConfig, {"max_attempts": "3"}, "max_attempts"),
        (RetryConfig, {"base_delay": None}, "base_delay"),
        (RetryConfig, {"max_delay": float("nan")}, "max_delay"),
        (RetryConfig, {"backoff_multiplier": -1}, "backoff_multiplier"),
        (RetryConfig, {"jitter": "full"}, "jitter"),
        (RetryConfig, {"exceptions": 3}, "exceptions"),
        (RetryConfig, {"on_retry": 3}, "on_retry"),
        (CircuitBreakerConfig, {"failure_threshold": 2.5}, "failure_threshold"),
        (CircuitBreakerConfig, {"failure_threshold": "5"}, "failure_threshold"),
        (CircuitBreakerConfig, {"timeout_seconds": "60"}, "timeout_seconds"),
        (CircuitBreakerConfig, {"timeout_seconds": 0}, "timeout_seconds"),
        (CircuitBreakerConfig, {"failure_rate_threshold": 3}, "failure_rate_threshold"),
        (CircuitBreakerConfig, {"expected_exception": 3}, "expected_exception"),
        (Retry, {"name": 3}, "name"),
        (Check, {"name": "c", "probe": 3}, "probe"),
        (Check, {"name": "c", "probe": print, "remedy": 3}, "remedy"),
    ],
)
def test_a_parameter_outside_of_its_domain(kind, given, name):
    with pytest.raises(InvalidParameterError, match=name):
        kind(**given)


@pytest.mark.parametrize("decorate", [retry, circuit_breaker])
def test_a_decorator_without_its_parentheses(decorate):
    with pytest.raises(InvalidParameterError, match="name must be a str"):
        decorate(print)


def test_a_plain_function_cannot_await_its_fallback():
    with pytest.raises(InvalidParameterError, match="handlers must not be coroutine functions"):
        Fallback(later)(lambda: 1)


def test_a_coroutine_can():
    async def fails():
        raise ValueError

    import asyncio

    assert asyncio.run(Fallback(later)(fails)()) == 1
