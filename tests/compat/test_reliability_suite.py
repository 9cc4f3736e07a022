"""The test-suite of a script for the older edge profiler; only its imports name Holdfast."""

# ruff: noqa: SLF001, ERA001, FBT003, RUF012 (written as the older one was)

import asyncio
import functools
import logging
import pickle
import threading
from datetime import datetime
from unittest.mock import Mock

import pytest

# from tiny_llm_profiler.exceptions import ProfilingTimeoutError
# from tiny_llm_profiler.reliability import (...)
from holdfast.compat.tiny_llm_profiler.reliability import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitOpenError,
    CircuitState,
    RetryableError,
    RetryConfig,
    RetryMechanism,
    RetryStrategy,
    TimeoutConfig,
)
from holdfast.errors import InvalidParameterError
from holdfast.resilience import VirtualClock


class Flaky:
    def __init__(self, *errors):
        self.errors, self.calls = list(errors), 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "success"


def quick(**parameters):
    return RetryConfig(base_delay=0.0, **parameters)


class TestEnumsAndConfigurations:
    def test_members(self):
        assert [s.value for s in RetryStrategy] == [
            "fixed_delay",
            "exponential_backoff",
            "linear_backoff",
            "fibonacci_backoff",
        ]
        assert {"closed", "open", "half_open"} <= {s.value for s in CircuitState}
        assert RetryStrategy.FIXED_DELAY == "fixed_delay"

    def test_defaults_and_positions(self):
        config = RetryConfig(5, RetryStrategy.LINEAR_BACKOFF, 2.0, 30.0, False, 3.0)
        assert config.exceptions == (Exception,)
        assert config.on_retry is None
        assert (config.max_attempts, config.max_delay, config.jitter) == (5, 30.0, False)
        config = CircuitBreakerConfig(5, 60.0, 3, 300.0, 0.5)
        assert config == CircuitBreakerConfig()
        assert TimeoutConfig() == TimeoutConfig(30.0, 10.0, 300.0, 5.0)

    @pytest.mark.parametrize("value", [0, -1, "x", None, float("nan"), True])
    def test_limits_are_checked(self, value):
        for name in vars(TimeoutConfig()):
            with pytest.raises(InvalidParameterError, match=name):
                TimeoutConfig(**{name: value})

    def test_an_unknown_strategy_is_refused(self):
        with pytest.raises(InvalidParameterError, match="strategy"):
            RetryConfig(strategy="eventually")
        assert RetryConfig(strategy="fixed_delay").strategy is RetryStrategy.FIXED_DELAY


class TestExceptions:
    def test_retryable(self):
        error = RetryableError("busy", OSError("line"), retry_after=2.0)
        assert str(error) == "busy"
        assert error.code == "RETRYABLE_ERROR"
        assert error.details == {"original_error": "line"}
        assert (str(error.original_error), error.retry_after) == ("line", 2.0)

    def test_circuit_open(self):
        when = datetime(2025, 1, 2, 3, 4, 5)  # noqa: DTZ001 (as the older code had it)
        error = CircuitOpenError("device", 5, when)
        assert error.code == "CIRCUIT_OPEN"
        assert error.details == {
            "circuit_name": "device",
            "failure_count": 5,
            "last_failure_time": when.isoformat(),
        }
        assert "device" in str(error)
        assert "5" in str(error)


class TestRetryMechanism:
    DELAYS = {
        "fixed_delay": [1, 1, 1, 1, 1, 1, 1, 1],
        "exponential_backoff": [1, 2, 4, 8, 16, 32, 60, 60],
        "linear_backoff": [1, 2, 3, 4, 5, 6, 7, 8],
        "fibonacci_backoff": [1, 2, 3, 5, 8, 13, 21, 34],
    }

    @pytest.mark.parametrize("strategy", DELAYS)
    def test_delays(self, strategy):
        mechanism = RetryMechanism(RetryConfig(strategy=strategy, jitter=False))
        assert [mechanism._calculate_delay(n) for n in range(1, 9)] == self.DELAYS[strategy]

    def test_jitter_is_ten_percent_and_never_beyond_the_cap(self):
        mechanism = RetryMechanism(RetryConfig(base_delay=10, max_delay=10))
        delays = [mechanism._calculate_delay(1) for _ in range(200)]
        assert 9 <= min(delays) < max(delays) <= 10

    def test_fibonacci(self):
        mechanism = RetryMechanism(RetryConfig())
        assert [mechanism._fibonacci(n) for n in range(1, 7)] == [1, 2, 3, 5, 8, 13]

    def test_succeeds_after_failures(self):
        function = Flaky(ValueError("1"), ValueError("2"))
        assert (
            RetryMechanism(quick())._execute_with_retry(function, (1,), {"x": 2}) == "success"
        )
        assert function.calls == 3

    def test_the_last_exception_is_raised_unchanged(self):
        last = ValueError("3")
        function = Flaky(ValueError("1"), ValueError("2"), last)
        with pytest.raises(ValueError, match="3") as raised:
            RetryMechanism(quick())(function)()
        assert raised.value is last

    def test_other_exceptions_are_not_retried(self):
        function = Flaky(TypeError(), ValueError())
        with pytest.raises(TypeError):
            RetryMechanism(quick(exceptions=(ValueError,)))(function)()
        assert function.calls == 1

    def test_on_retry_is_called_between_attempts_and_may_fail(self, caplog):
        seen = []

        def on_retry(attempt, error):
            seen.append((attempt, str(error)))
            raise RuntimeError

        function = Flaky(*map(ValueError, "abc"))
        with caplog.at_level(logging.WARNING), pytest.raises(ValueError, match="c"):
            RetryMechanism(quick(on_retry=on_retry))(function)()
        assert seen == [(1, "a"), (2, "b")]
        assert "attempt 1 of 3 failed: a" in caplog.text

    def test_functions_without_a_name(self):
        for function in (
            functools.partial(Flaky(OSError())),
            Mock(side_effect=[OSError(), "x"]),
        ):
            assert RetryMechanism(quick())(function)() in ("success", "x")

    def test_coroutines(self):
        function = Flaky(OSError())

        @RetryMechanism(quick())
        async def call():
            return function()

        assert asyncio.run(call()) == "success"

    def test_attributes_and_pickling(self):
        mechanism = RetryMechanism(RetryConfig(4))
        assert mechanism.config == RetryConfig(4)
        assert isinstance(mechanism.logger, logging.Logger)
        again = pickle.loads(pickle.dumps(mechanism))
        assert (again.config, again.name) == (mechanism.config, mechanism.name)

    def test_an_open_circuit_is_not_retried(self):
        function = Flaky(CircuitOpenError("device", 1, None))
        with pytest.raises(CircuitOpenError):
            RetryMechanism(quick())(function)()
        assert function.calls == 1


class TestCircuitBreaker:
    @pytest.fixture
    def clock(self):
        return VirtualClock(1000.0)

    @pytest.fixture
    def breaker(self, clock):
        return CircuitBreaker("test", CircuitBreakerConfig(3, 60.0, 2), clock=clock)

    def fail(self, breaker, times=1):
        for _ in range(times):
            with pytest.raises(ValueError, match="failure"):
                breaker._execute_protected(Mock(side_effect=ValueError("failure")), (), {})

    def test_attributes(self, breaker):
        assert (breaker.name, breaker.config.failure_threshold) == ("test", 3)
        assert breaker.state == CircuitState.CLOSED
        assert (breaker.failure_count, breaker.success_count) == (0, 0)
        assert breaker.last_failure_time is None
        assert isinstance(breaker.state_changed_time, datetime)
        assert list(breaker.failure_history) == []
        assert isinstance(breaker.logger, logging.Logger)

    def test_opens_at_the_threshold_and_refuses(self, breaker):
        self.fail(breaker, 2)
        assert breaker.state == CircuitState.CLOSED
        assert len(breaker.failure_history) == 2
        self.fail(breaker)
        assert breaker.state == CircuitState.OPEN
        function = Mock()
        with pytest.raises(CircuitOpenError, match="test"):
            breaker._execute_protected(function, (), {})
        function.assert_not_called()

    def test_a_success_clears_the_count(self, breaker):
        self.fail(breaker, 2)
        assert breaker._execute_protected(lambda x: x, (7,), {}) == 7
        assert breaker.failure_count == 0
        assert len(breaker.failure_history) == 0

    def test_recovers_through_half_open(self, breaker, clock):
        self.fail(breaker, 3)
        last = breaker.last_failure_time
        clock.advance(60)
        assert breaker.state == CircuitState.OPEN  # looking never changes it
        breaker._execute_protected(int, (), {})
        assert (breaker.state, breaker.success_count) == (CircuitState.HALF_OPEN, 1)
        breaker._execute_protected(int, (), {})
        assert breaker.state == CircuitState.CLOSED
        assert (breaker.failure_count, breaker.success_count) == (0, 0)
        assert breaker.last_failure_time == last

    def test_a_failure_while_half_open_opens_it_again(self, breaker, clock):
        self.fail(breaker, 3)
        clock.advance(60)
        self.fail(breaker)
        assert breaker.state == CircuitState.OPEN
        clock.advance(59)
        with pytest.raises(CircuitOpenError):
            breaker._execute_protected(int, (), {})

    def test_status_and_reset(self, breaker):
        status = breaker.get_status()
        assert set(status) == {
            "name",
            "state",
            "failure_count",
            "success_count",
            "last_failure_time",
            "state_changed_time",
            "failures_in_window",
        }
        assert datetime.fromisoformat(status["state_changed_time"])
        self.fail(breaker, 3)
        status = breaker.get_status()
        assert (status["state"], status["failure_count"]) == ("open", 3)
        assert datetime.fromisoformat(status["last_failure_time"])
        breaker.reset()
        assert (breaker.state, breaker.failure_count) == (CircuitState.CLOSED, 0)

    def test_two_failures_do_not_open_a_threshold_of_five(self):
        breaker = CircuitBreaker("rate", CircuitBreakerConfig())
        self.fail(breaker, 4)
        assert breaker.state == CircuitState.CLOSED

    def test_a_first_probe_that_succeeds_never_hangs(self, breaker, clock):
        self.fail(breaker, 3)
        clock.advance(60)
        thread = threading.Thread(target=breaker(int), daemon=True)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
