import asyncio

import pytest

from holdfast import _context
from holdfast.errors import InvalidParameterError
from holdfast.resilience import Attempts, Pipeline, Retry, RetryBudget, Timeout


def flaky(failures, error=OSError):
    left = [failures]

    def call():
        left[0] -= 1
        if left[0] >= 0:
            raise error
        return "done"

    return call


def loop(retry, call, clock):
    numbers = []
    for attempt in retry.attempts(clock=clock):
        with attempt:
            numbers.append((attempt.number, _context.current().attempt))
            attempt.result = call()
    return numbers


async def aloop(retry, call, clock):
    numbers = []
    async for attempt in retry.attempts(clock=clock):
        with attempt:
            numbers.append((attempt.number, _context.current().attempt))
            attempt.result = call()
    return numbers


@pytest.fixture(params=["for", "async for"])
def run(request):
    if request.param == "for":
        return loop
    return lambda *args: asyncio.run(aloop(*args))


def test_repeats_the_block_until_it_comes_to_its_end(run, clock):
    retry = Retry(5, jitter="none", base_delay=1, max_delay=60)
    assert run(retry, flaky(3), clock) == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert clock() == 1000 + 1 + 2 + 4
    assert retry.retries == 3


def test_the_last_failure_leaves_the_loop_as_it_is(run, clock):
    error = OSError("mine")
    with pytest.raises(OSError) as raised:
        run(Retry(2, base_delay=0), flaky(9, error), clock)
    assert raised.value is error


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt, asyncio.CancelledError])
def test_what_is_not_retried_leaves_it_at_once(error, clock):
    retry = Retry(5, on=OSError)
    with pytest.raises(error):
        loop(retry, flaky(1, error), clock)
    assert retry.retries == 0


def test_results_deadlines_and_budgets_count_as_in_a_decorated_call(run, clock):
    results = iter([None, None, 7])
    wanting = Retry(5, retry_result=lambda result: result is None, base_delay=0)
    assert len(run(wanting, lambda: next(results), clock)) == 3

    poor = Retry(5, base_delay=0, budget=RetryBudget(0.0, per_second=0.0, reserve=1))
    with pytest.raises(OSError):
        run(poor, flaky(9), clock)
    assert poor.retries == 1

    patient = Retry(5, jitter="none", base_delay=10, max_delay=60)
    late = Pipeline(Timeout(5), clock=clock)(lambda: run(patient, flaky(9), clock))
    with pytest.raises(OSError):
        late()
    assert patient.retries == 0


def test_break_leaves_it_and_a_loop_is_good_once(clock):
    attempts = Retry(3).attempts(clock=clock)
    for attempt in attempts:
        with attempt:
            break
    assert list(attempts) == []
    assert _context.current().attempt == 1


def test_an_attempt_that_is_not_entered_is_told():
    with pytest.raises(RuntimeError, match="with attempt:"):
        for _ in Retry(3).attempts():
            pass


def test_rejects_what_is_no_retry():
    with pytest.raises(InvalidParameterError, match="retry must be a Retry, got 3"):
        Attempts(3)
