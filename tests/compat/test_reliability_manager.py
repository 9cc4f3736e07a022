"""The test-suite of a script for the older edge profiler; only its imports name Holdfast."""

# ruff: noqa: SLF001, ERA001, PT012, SIM117 (written as the older one was)

import asyncio
import gc
import logging
import threading
import time
from datetime import datetime
from unittest.mock import Mock

import pytest

# from tiny_llm_profiler.exceptions import ProfilingTimeoutError
from holdfast.compat.tiny_llm_profiler.exceptions import ProfilingTimeoutError

# from tiny_llm_profiler.reliability import (...)
from holdfast.compat.tiny_llm_profiler.reliability import (
    CircuitBreakerConfig,
    CircuitState,
    GracefulDegradation,
    ReliabilityManager,
    ResourceManager,
    RetryConfig,
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
from holdfast.resilience import circuit_breaker as breaker_of


class Flaky:
    def __init__(self, *errors):
        self.errors, self.calls = list(errors), 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "success"


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
