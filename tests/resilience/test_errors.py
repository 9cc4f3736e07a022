"""What refuses a call says so in words, also when a user raises it."""

import os
import subprocess
import sys

import pytest

from holdfast.errors import InvalidParameterError
from holdfast.resilience import (
    BulkheadFullError,
    CircuitOpenError,
    RateLimitedError,
    RejectedError,
    circuit_breaker,
    retry,
)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (CircuitOpenError("api"), "Circuit breaker is open: 'api' after 0 failures"),
        (RateLimitedError("api"), "api"),
        (RateLimitedError("api", 2.0), "api is used up; ask again in 2 s"),
        (BulkheadFullError("api"), "api"),
        (RejectedError("pool", "the pool is draining"), "pool: the pool is draining"),
    ],
)
def test_an_error_with_few_arguments_has_words(error, text):
    assert str(error) == text


def test_what_a_retry_refuses_does_not_stay_under_its_name():
    with pytest.raises(InvalidParameterError, match="on_retry"):
        retry("refused-once", on_retry=3)
    assert retry("refused-once", max_attempts=2)(lambda: 7)() == 7


def test_the_two_spellings_of_a_breaker_are_told_apart():
    circuit_breaker("spelt", recovery_timeout=60)
    with pytest.raises(InvalidParameterError, match="spelt"):
        circuit_breaker("spelt", timeout_seconds=60)


def test_guards_are_imported_without_what_takes_long():
    program = (
        "import sys\n"
        "from holdfast.resilience import Bulkhead, CircuitBreaker, Fallback, Hedge, Pipeline\n"
        "from holdfast.resilience import Pool, RateLimiter, Retry, Timeout\n"
        "slow = {'asyncio', 'dataclasses', 'inspect', 'logging', 'numpy', 'typing', 'uuid'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-S", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert shown.stdout.strip() == "[]"
