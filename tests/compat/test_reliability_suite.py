"""The test-suite of a script for the older edge profiler; only its imports name Holdfast."""

# ruff: noqa: SLF001, ERA001, FBT003, PT012, RUF012, SIM117 (written as the older one was)

import asyncio
import functools
import gc
import logging
import pickle
import threading
import time
from datetime import datetime
from unittest.mock import Mock

import pytest

# from tiny_llm_profiler.exceptions import ProfilingTimeoutError
from holdfast.compat.tiny_llm_profiler.exceptions import ProfilingTimeoutError

# from tiny_llm_profiler.reliability import (...)
from holdfast.compat.tiny_llm_profiler.reliability import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitOpenError,
    CircuitState,
    GracefulDegradation,
    ReliabilityManager,
    ResourceManager,
    RetryableError,
    RetryConfig,
    RetryMechanism,
    RetryStrategy,
    TimeoutConfig,
    TimeoutManager,
    circuit_breaker,
    logger,
    managed_resource,
    reliability_manager,
    retry,
    with_fallback,
    with_timeout,
)
from holdfast.errors import InvalidParameterError
from holdfast.resilience import VirtualClock
from holdfast.resilience import circuit_breaker as breaker_of


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


class TestTimeoutManager:
    def test_a_late_block_is_told_though_it_came_to_its_end(self):
        manager = TimeoutManager(TimeoutConfig(default_timeout=0.02))
        with pytest.raises(ProfilingTimeoutError, match="profile") as raised:
            with manager.timeout(operation_name="profile"):
                time.sleep(0.04)
        assert raised.value.details["timeout_seconds"] == 0.02

    def test_python_code_is_stopped(self):
        cleaned = []
        with pytest.raises(ProfilingTimeoutError), TimeoutManager().timeout(0.02):
            try:
                while True:
                    pass
            finally:
                cleaned.append(1)
        assert cleaned == [1]

    def test_earlier_exceptions_and_results_pass(self):
        manager = TimeoutManager(TimeoutConfig())
        with pytest.raises(KeyError), manager.timeout(10):
            raise KeyError
        assert manager.with_timeout(10)(lambda x: x)(3) == 3
        assert manager.with_timeout()(lambda x: x)(3) == 3

    def test_the_operation_is_the_function(self):
        def measure():
            time.sleep(0.04)

        with pytest.raises(ProfilingTimeoutError, match="measure"):
            TimeoutManager().with_timeout(0.02)(measure)()

    def test_coroutines_are_cancelled(self):
        @with_timeout(0.02)
        async def measure():
            await asyncio.sleep(30)

        with pytest.raises(ProfilingTimeoutError, match="measure"):
            asyncio.run(measure())

    def test_nested_overruns_name_the_one_that_was_exceeded(self):
        inner = TimeoutManager().with_timeout(30)(lambda: time.sleep(0.04))
        with pytest.raises(ProfilingTimeoutError, match="outer"):
            with TimeoutManager().timeout(0.02, "outer"):
                inner()


class Resource:
    def __init__(self):
        self.closed = 0

    def close(self):
        self.closed += 1


class TestResourceManager:
    def test_precedence(self):
        manager, calls = ResourceManager(), []
        first, second, third = Resource(), Resource(), Mock(spec=["cleanup"])
        manager.register_resource(first, "files", lambda: calls.append("function"))
        manager.register_resource(second, "files")
        manager.register_resource(third)
        manager.register_resource(7, "numbers")
        manager.cleanup_resources()
        assert (calls, first.closed, second.closed) == (["function"], 0, 1)
        third.cleanup.assert_called_once_with()
        stats = manager.get_resource_stats()
        assert stats["total_categories"] == 3
        assert stats["by_category"]["files"] == {"count": 0, "oldest": None, "newest": None}

    def test_stats(self):
        manager, resource = ResourceManager(), Resource()
        manager.register_resource(resource, "a")
        stats = manager.get_resource_stats()
        assert stats["active_weak_refs"] == 1
        assert resource in manager.active_resources
        assert stats["by_category"]["a"]["count"] == 1
        assert datetime.fromisoformat(stats["by_category"]["a"]["oldest"])
        (entry,) = manager.resource_registry["a"]
        assert entry.resource is resource
        assert entry.cleanup_func is None
        assert isinstance(entry.created_at, datetime)

    def test_one_category_only(self):
        manager, a, b = ResourceManager(), Resource(), Resource()
        manager.register_resource(a, "a")
        manager.register_resource(b, "b")
        manager.cleanup_resources("a")
        manager.cleanup_resources("nobody")
        assert (a.closed, b.closed) == (1, 0)

    def test_what_fails_is_kept_and_logged(self, caplog):
        manager = ResourceManager()
        clean = Mock(side_effect=[OSError, None])
        manager.register_resource(Resource(), cleanup_func=clean)
        manager.cleanup_resources()
        assert "cleaning up" in caplog.text
        assert manager.get_resource_stats()["by_category"]["general"]["count"] == 1
        manager.cleanup_resources()
        manager.cleanup_resources()
        assert clean.call_count == 2

    def test_a_block_cleans_everything_up(self):
        resource = Resource()
        with pytest.raises(KeyError), ResourceManager() as manager:
            manager.register_resource(resource)
            raise KeyError
        assert resource.closed == 1

    def test_cleaning_up_may_use_the_manager(self):
        manager = ResourceManager()
        manager.register_resource(1, cleanup_func=manager.cleanup_resources)
        manager.register_resource(2, cleanup_func=manager.get_resource_stats)
        thread = threading.Thread(target=manager.cleanup_resources, daemon=True)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
        assert manager.get_resource_stats()["by_category"]["general"]["count"] == 0

    def test_what_was_cleaned_up_is_let_go(self):
        manager = ResourceManager()
        manager.register_resource(Resource())
        manager.cleanup_resources()
        gc.collect()
        assert manager.get_resource_stats()["active_weak_refs"] == 0


class TestGracefulDegradation:
    def test_registered_by_priority_then_the_decorators_own(self):
        degradation, tried = GracefulDegradation(), []

        def fallback(name, result=None):
            def call(x):
                tried.append(name)
                if result is None:
                    raise KeyError
                return result

            return call

        degradation.register_fallback("op", fallback("late"), priority=5)
        degradation.register_fallback("op", fallback("first"), priority=1)
        degradation.register_fallback("op", fallback("second"), priority=1)

        @degradation.with_fallback("op", fallback("own", "answer"))
        def primary(x):
            raise ValueError(x)

        assert primary(3) == "answer"
        assert tried == ["first", "second", "late", "own"]
        assert [f["priority"] for f in degradation.fallback_functions["op"]] == [1, 1, 5]

    def test_the_exception_of_the_primary_is_raised(self):
        degradation = GracefulDegradation()
        with pytest.raises(ValueError, match="primary"):
            degradation._execute_with_fallback(
                "op",
                Mock(side_effect=ValueError("primary")),
                (),
                {},
                (Mock(side_effect=KeyError),),
            )
        assert degradation._execute_with_fallback("op", int, ("7",), {}) == 7

    def test_partial_results_count(self):
        error = ValueError("halfway")
        error.partial_results = [1, 2]
        assert GracefulDegradation().with_fallback("op")(Mock(side_effect=error))() == [1, 2]

    def test_coroutines(self):
        degradation = GracefulDegradation()
        degradation.register_fallback("op", lambda: "instead")

        @degradation.with_fallback("op")
        async def primary():
            raise OSError

        assert asyncio.run(primary()) == "instead"

    def test_by_the_name_of_the_function(self):
        def measured():
            raise OSError

        reliability_manager.graceful_degradation.register_fallback("measured", lambda: "known")
        assert with_fallback(lambda: "own")(measured)() == "known"
        with pytest.raises(InvalidParameterError, match="fallback_func"):
            reliability_manager.graceful_degradation.register_fallback("measured", 3)


class TestReliabilityManager:
    def test_health(self):
        manager = ReliabilityManager()
        manager.create_retry_decorator("r", RetryConfig(strategy="linear_backoff"))
        breaker = manager.create_circuit_breaker("b", CircuitBreakerConfig(2))
        assert manager.create_circuit_breaker("b") is breaker
        health = manager.get_health_status()
        assert set(health) == {
            "timestamp",
            "circuit_breakers",
            "resource_stats",
            "retry_configs",
        }
        assert datetime.fromisoformat(health["timestamp"])
        assert health["circuit_breakers"]["b"] == breaker.get_status()
        assert health["retry_configs"]["r"] == {
            "max_attempts": 3,
            "strategy": "linear_backoff",
            "base_delay": 1.0,
        }
        assert health["resource_stats"]["total_categories"] == 0
        assert (set(manager.retry_configs), set(manager.circuit_breakers)) == ({"r"}, {"b"})

    def test_a_name_that_means_something_else_is_refused(self):
        manager = ReliabilityManager()
        manager.create_circuit_breaker("b", CircuitBreakerConfig(2))
        with pytest.raises(InvalidParameterError, match="failure_threshold"):
            manager.create_circuit_breaker("b", CircuitBreakerConfig(3))

    def test_resets_and_cleans_up(self):
        manager, resource = ReliabilityManager(), Resource()
        breaker = manager.create_circuit_breaker("b", CircuitBreakerConfig(1))
        with pytest.raises(OSError):
            breaker(Flaky(OSError()))()
        manager.resource_manager.register_resource(resource)
        manager.reset_all_circuit_breakers()
        manager.cleanup_all_resources()
        assert (breaker.state, resource.closed) == (CircuitState.CLOSED, 1)
        assert isinstance(manager.timeout_manager, TimeoutManager)
        assert manager.timeout_manager.config == TimeoutConfig()

    def test_the_module_level_names_share_one_manager(self):
        @retry("module level", max_attempts=2, base_delay=0.0, strategy="exponential_backoff")
        @circuit_breaker("module level", failure_threshold=5, timeout_seconds=60)
        def call():
            raise OSError

        with pytest.raises(OSError):
            call()
        breaker = circuit_breaker("module level")
        assert breaker.failure_count == 2
        assert breaker_of("module level") is breaker
        assert reliability_manager.circuit_breakers["module level"] is breaker
        assert reliability_manager.retry_configs["module level"].max_attempts == 2
        assert "module level" in reliability_manager.get_health_status()["circuit_breakers"]
        assert isinstance(logger, logging.Logger)

    def test_managed_resources_are_registered_meanwhile_and_cleaned_up_once(self, caplog):
        def held():
            stats = reliability_manager.resource_manager.get_resource_stats()
            return stats["by_category"].get("managed", {"count": 0})["count"]

        resource = Resource()
        with managed_resource(resource, "managed") as same:
            assert same is resource
            assert held() == 1
        assert (resource.closed, held()) == (1, 0)
        reliability_manager.cleanup_all_resources()
        assert resource.closed == 1
        with managed_resource(3, "managed", Mock(side_effect=OSError)):
            pass
        assert "cleaning up" in caplog.text
        assert held() == 0
