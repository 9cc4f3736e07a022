"""The older guards by class; only the imports name Holdfast."""

import pytest

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
    RetryConfig,
    RetryMechanism,
    TimeoutConfig,
    TimeoutManager,
    circuit_breaker,
    reliability_manager,
    retry,
)
from holdfast.errors import InvalidParameterError


def test_a_retry_is_a_decorator():
    seen = []
    config = RetryConfig(
        max_attempts=3, base_delay=0.0, on_retry=lambda n, e: seen.append((n, str(e)))
    )
    mechanism = RetryMechanism(config)
    assert mechanism.config is config
    calls = []

    @mechanism
    def work():
        calls.append(1)
        raise OSError("again")

    with pytest.raises(OSError, match="again"):
        work()
    assert len(calls) == 3
    assert seen == [(1, "again"), (2, "again")]


def test_a_breaker_opens_and_is_reset():
    breaker = CircuitBreaker("x", CircuitBreakerConfig(failure_threshold=1))

    @breaker
    def work():
        raise OSError("x")

    with pytest.raises(OSError, match="x"):
        work()
    assert breaker.state == CircuitState.OPEN
    with pytest.raises(CircuitOpenError, match="'x' after 1"):
        work()
    breaker.reset()
    assert breaker.get_status()["state"] == "closed"


def test_an_overrun_always_raises():
    from time import sleep

    manager = TimeoutManager(TimeoutConfig(default_timeout=5.0))
    with manager.timeout(), manager.timeout(1.0, "quick"):
        pass
    with pytest.raises(ProfilingTimeoutError) as raised, manager.timeout(0.001, "load"):
        sleep(0.02)
    assert raised.value.details["operation"] == "load"
    assert raised.value.details["timeout_seconds"] == 0.001

    @manager.with_timeout(0.001)
    def slow():
        sleep(0.02)

    with pytest.raises(ProfilingTimeoutError, match="slow"):
        slow()
    with pytest.raises(InvalidParameterError, match="default_timeout"):
        TimeoutConfig(default_timeout=0)


class Port:
    def __init__(self, *, broken=False):
        self.closed = 0
        self.broken = broken

    def close(self):
        self.closed += 1
        if self.broken:
            raise OSError("stuck")


def test_resources_are_cleaned_up_once_and_those_that_fail_are_kept(caplog):
    good, bad, own = Port(), Port(broken=True), []
    with ResourceManager() as manager:
        manager.register_resource(good, "serial")
        manager.register_resource(bad, "serial")
        manager.register_resource(object(), cleanup_func=lambda: own.append(1))
        told = manager.get_resource_stats()
        assert (told["total_categories"], told["by_category"]["serial"]["count"]) == (2, 2)
        manager.cleanup_resources("serial")
        assert manager.get_resource_stats()["by_category"]["serial"]["count"] == 1
        bad.broken = False
    assert (good.closed, bad.closed, own) == (1, 2, [1])
    assert "serial" in caplog.text
    assert manager.get_resource_stats()["by_category"]["general"] == {
        "count": 0,
        "oldest": None,
        "newest": None,
    }


def test_a_cleanup_may_use_the_manager():
    manager = ResourceManager()
    seen = []
    manager.register_resource(1, cleanup_func=lambda: seen.append(manager.get_resource_stats()))
    manager.cleanup_resources()
    assert len(seen) == 1


def test_fallbacks_by_priority_then_by_order_then_the_decorators():
    degradation = GracefulDegradation()
    tried = []

    def answer(name, *, fails=True):
        def handler(n):
            tried.append(name)
            if fails:
                raise OSError(name)
            return f"{name} {n}"

        return handler

    @degradation.with_fallback("infer", answer("last", fails=False))
    def infer(n):
        raise ValueError("primary")

    degradation.register_fallback("infer", answer("second"), priority=5)
    degradation.register_fallback("infer", answer("first"), priority=1)
    assert infer(3) == "last 3"
    assert tried == ["first", "second", "last"]

    @degradation.with_fallback("other", answer("bad"))
    def other(n):
        raise ValueError("primary")

    with pytest.raises(ValueError, match="primary"):
        other(1)


def test_a_manager_shares_by_name_and_tells():
    manager = ReliabilityManager()
    breaker = manager.create_circuit_breaker("b", CircuitBreakerConfig(failure_threshold=2))
    assert manager.create_circuit_breaker("b") is breaker
    manager.create_retry_decorator("r", RetryConfig(max_attempts=7, strategy="fixed_delay"))
    told = manager.get_health_status()
    assert told["retry_configs"] == {
        "r": {"max_attempts": 7, "strategy": "fixed_delay", "base_delay": 1.0}
    }
    assert told["circuit_breakers"]["b"]["state"] == "closed"
    assert set(told) == {"timestamp", "circuit_breakers", "resource_stats", "retry_configs"}
    breaker.force_open()
    manager.reset_all_circuit_breakers()
    assert breaker.state == CircuitState.CLOSED
    manager.resource_manager.register_resource(port := Port())
    manager.cleanup_all_resources()
    assert port.closed == 1


def test_the_manager_of_the_process_knows_the_decorators():
    made = circuit_breaker("compat_device", failure_threshold=4)
    retry("compat_connection", max_attempts=2)
    told = reliability_manager.get_health_status()
    assert "compat_device" in told["circuit_breakers"]
    assert told["retry_configs"]["compat_connection"]["max_attempts"] == 2
    assert reliability_manager.create_circuit_breaker("compat_device") is made
    again = reliability_manager.create_retry_decorator("compat_connection")
    assert again.config.max_attempts == 2
    new = reliability_manager.create_circuit_breaker("compat_new")
    assert circuit_breaker("compat_new") is new
