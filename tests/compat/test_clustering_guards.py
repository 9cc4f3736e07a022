"""Breaker, retry and timeout of the older clusterer; only the imports name Holdfast."""

# ruff: noqa: SLF001 (older scripts call and replace private methods)

import asyncio
import contextvars
import functools
import threading
from unittest.mock import Mock

import numpy as np
import pytest

# from insights_clustering.neuromorphic_clustering import (...)
from holdfast.compat.insights_clustering.neuromorphic_clustering import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitBreakerState,
    NeuromorphicClusterer,
    NeuromorphicErrorType,
    NeuromorphicException,
    RetryManager,
    get_correlation_id,
    resource_monitor,
    set_correlation_id,
    timeout_operation,
)
from holdfast.errors import InvalidParameterError
from holdfast.resilience import VirtualClock


def failing(error):
    def fail():
        raise error

    return fail


@pytest.fixture
def clock():
    return VirtualClock()


def test_defaults_of_the_configuration():
    config = CircuitBreakerConfig()
    assert (config.failure_threshold, config.recovery_timeout) == (5, 60)
    assert config.expected_exception is Exception
    config = CircuitBreakerConfig(3, 30, ValueError)
    assert (config.failure_threshold, config.recovery_timeout) == (3, 30)
    assert config.expected_exception is ValueError


def test_a_new_breaker_is_closed():
    config = CircuitBreakerConfig()
    breaker = CircuitBreaker(config)
    assert breaker.config is config
    assert breaker.state == CircuitBreakerState.CLOSED
    assert breaker.failure_count == 0
    assert breaker.last_failure_time is None


def test_it_opens_at_the_threshold_refuses_and_closes_after_one_success(clock):
    breaker = CircuitBreaker(CircuitBreakerConfig(2, 10), clock=clock)
    fail = breaker(failing(ValueError("x")))
    for _ in range(2):
        with pytest.raises(ValueError, match="x"):
            fail()
    assert breaker.state == CircuitBreakerState.OPEN
    assert breaker.failure_count == 2
    assert breaker.last_failure_time.tzinfo is None

    called = Mock(return_value=7)
    work = breaker(called)
    with pytest.raises(NeuromorphicException, match="Circuit breaker is open") as refused:
        work()
    assert refused.value.error_type == NeuromorphicErrorType.RESOURCE_ERROR
    assert refused.value.context["failure_count"] == 2
    assert not refused.value.recoverable
    called.assert_not_called()

    clock.advance(11)
    assert work() == 7
    assert breaker.state == CircuitBreakerState.CLOSED
    assert breaker.failure_count == 0
    assert breaker.last_failure_time is None


def test_a_success_takes_one_failure_back_and_never_more(clock):
    breaker = CircuitBreaker(CircuitBreakerConfig(5, 10), clock=clock)
    fail, work = breaker(failing(ValueError("x"))), breaker(int)
    for expected in (1, 2):
        with pytest.raises(ValueError, match="x"):
            fail()
        assert breaker.failure_count == expected
    for expected in (1, 0, 0):
        work()
        assert breaker.failure_count == expected


def test_other_exceptions_are_not_counted():
    breaker = CircuitBreaker(CircuitBreakerConfig(1, 10, ValueError))
    with pytest.raises(KeyError):
        breaker(failing(KeyError("x")))()
    assert breaker.state == CircuitBreakerState.CLOSED
    assert breaker.failure_count == 0


def test_a_decorated_function_keeps_its_name():
    @CircuitBreaker(CircuitBreakerConfig())
    def extract():
        """Features."""
        return 1

    assert (extract.__name__, extract.__doc__, extract()) == ("extract", "Features.", 1)


@pytest.mark.parametrize("call", [Mock(return_value=3), functools.partial(int, "3")], ids=str)
def test_anything_callable_can_be_guarded(call):
    assert CircuitBreaker(CircuitBreakerConfig())(call)() == 3
    assert RetryManager().retry_with_backoff(call) == 3
    assert timeout_operation(5)(call)() == 3


def test_retries_wait_twice_as_long_each_time_up_to_the_cap(clock):
    manager = RetryManager(max_retries=4, base_delay=1.0, max_delay=5.0, clock=clock)
    seen = []

    def work(n, *, fails):
        seen.append(clock())
        if len(seen) <= fails:
            raise OSError("again")
        return n

    assert manager.retry_with_backoff(work, 3, fails=4) == 3
    assert np.diff(seen).tolist() == pytest.approx([1.0, 2.0, 4.0, 5.0])


def test_what_stays_is_wrapped_and_own_errors_are_not(clock):
    manager = RetryManager(max_retries=1, base_delay=0.1, clock=clock)
    with pytest.raises(NeuromorphicException) as raised:
        manager.retry_with_backoff(failing(KeyError("x")))
    assert raised.value.error_type == NeuromorphicErrorType.RESOURCE_ERROR
    assert raised.value.context == {"original_exception": "KeyError('x')", "retries": 1}
    assert isinstance(raised.value.__cause__, KeyError)
    own = NeuromorphicException("x", error_type=NeuromorphicErrorType.STABILITY_ERROR)
    with pytest.raises(NeuromorphicException) as raised:
        manager.retry_with_backoff(failing(own))
    assert raised.value is own


def test_retries_have_a_domain():
    with pytest.raises(InvalidParameterError, match="max_attempts"):
        RetryManager(max_retries=-1)


def test_a_timeout_does_not_wait_for_the_call_and_says_its_seconds():
    over, ended = threading.Event(), threading.Event()

    @timeout_operation(timeout_seconds=0.02)
    def slow():
        over.wait(10)
        ended.set()

    with pytest.raises(NeuromorphicException) as raised:
        slow()
    assert not ended.is_set()
    over.set()
    assert ended.wait(10)
    assert raised.value.error_type == NeuromorphicErrorType.TIMEOUT_ERROR
    assert raised.value.context == {"timeout_seconds": 0.02}
    assert slow.__name__ == "slow"


def test_the_correlation_id_is_known_in_the_thread_of_a_timeout():
    def script():
        set_correlation_id("order-17")
        return timeout_operation(5)(get_correlation_id)()

    assert contextvars.Context().run(script) == "order-17"


def test_resources_of_a_block_are_measured():
    with resource_monitor() as used:
        sum(range(1000))
    assert used.processing_time_ms > 0


def test_the_clusterer_takes_the_configuration(energies):
    clusterer = NeuromorphicClusterer(
        n_clusters=4,
        circuit_breaker_config=CircuitBreakerConfig(failure_threshold=1, recovery_timeout=300),
    )
    clusterer._extract_neuromorphic_features_safe = Mock(side_effect=MemoryError("no room"))
    assert clusterer.fit(energies).fallback_used
    assert clusterer.circuit_breaker.state == CircuitBreakerState.OPEN
    assert clusterer.fit(energies).fallback_used
    assert "Circuit breaker is open" in str(clusterer.last_error)
    assert clusterer._extract_neuromorphic_features_safe.call_count == 1


def test_a_coroutine_is_refused_in_the_same_words():
    @CircuitBreaker(CircuitBreakerConfig(failure_threshold=1))
    async def fail():
        raise OSError

    assert asyncio.iscoroutinefunction(fail)
    for expected in (OSError, NeuromorphicException):
        with pytest.raises(expected):
            asyncio.run(fail())
