import io
import time

import pytest

from holdfast.errors import CircuitOpenError, DeadlineExceededError, InvalidParameterError
from holdfast.resilience import (
    Retry,
    circuit_breaker,
    managed_resource,
    pipeline,
    retry,
    with_fallback,
    with_timeout,
)


def test_the_decorators_as_they_were_written():
    calls = []

    @retry("device_connection", max_attempts=3, strategy="exponential_backoff", base_delay=0.0)
    @circuit_breaker("device_esp32", failure_threshold=5, timeout_seconds=60)
    def communicate():
        calls.append(1)
        raise ConnectionError("lost")

    with pytest.raises(ConnectionError):
        communicate()
    assert len(calls) == 3
    with pytest.raises(CircuitOpenError, match="device_esp32") as refused:
        communicate()
    assert len(calls) == 5
    assert refused.value.failure_count == 5
    assert circuit_breaker("device_esp32").state == "open"


def test_one_name_one_guard():
    assert circuit_breaker("shared", failure_threshold=2) is circuit_breaker("shared")
    assert circuit_breaker("shared", failure_threshold=2) is circuit_breaker("shared")
    with pytest.raises(InvalidParameterError, match="failure_threshold"):
        circuit_breaker("shared", failure_threshold=3)
    retry("shared", max_attempts=2)
    with pytest.raises(InvalidParameterError, match="max_attempts"):
        retry("shared", max_attempts=5)
    again = Retry(2)
    assert pipeline("shared", again) is pipeline("shared")


def test_jitter_of_ten_percent_and_then_the_cap():
    waits = [retry("spread", base_delay=10, max_delay=10).wait(1, n / 10) for n in range(10)]
    assert waits == pytest.approx([9, 9.2, 9.4, 9.6, 9.8, 10, 10, 10, 10, 10])


def test_an_overrun_is_told():
    with pytest.raises(DeadlineExceededError):
        with_timeout(0.001)(time.sleep)(0.015)


def test_fallbacks_by_decorator():
    @with_fallback(lambda: "second")
    def first():
        raise OSError

    assert first() == "second"


def test_a_resource_is_cleaned_up_once_whatever_happens(caplog):
    with managed_resource(io.StringIO()) as text:
        text.write("x")
    assert text.closed
    cleaned = []
    with pytest.raises(OSError), managed_resource(text, "files", lambda: cleaned.append(1)):
        raise OSError
    assert cleaned == [1]
    with managed_resource(3, cleanup_func=lambda: 1 / 0) as number:
        assert number == 3
    assert "cleaning up" in caplog.text


def test_a_name_goes_by_what_it_was_asked_for_first():
    breaker = circuit_breaker("reconfigured", failure_threshold=5)
    breaker.configure(failure_threshold=9)
    assert circuit_breaker("reconfigured", failure_threshold=5) is breaker
    assert breaker.config.failure_threshold == 9
