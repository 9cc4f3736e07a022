import asyncio
import contextlib
import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast import _context
from holdfast.errors import (
    CircuitOpenError,
    InvalidParameterError,
    RejectedError,
    RetryableError,
)
from holdfast.resilience import Pipeline, Retry, RetryBudget, RetryConfig, Timeout


def timed(clock, *policies):
    return Pipeline(*policies, clock=clock)


def test_returns_the_first_success(made, faulty, clock):
    call = faulty(OSError(), ValueError())
    assert made(timed(clock, Retry(3)), call)() == "done"
    assert call.calls == 3


def test_raises_the_last_failure_unchanged(made, faulty, clock):
    last = ValueError("last")
    call = faulty(OSError(), OSError(), last)
    with pytest.raises(ValueError, match="last") as caught:
        made(timed(clock, Retry(3)), call)()
    assert caught.value is last
    assert last.__cause__ is None


@pytest.mark.parametrize(
    "error",
    [KeyboardInterrupt(), SystemExit(), MemoryError(), asyncio.CancelledError()],
    ids=repr,
)
def test_never_retries_what_is_no_failure_of_the_call(error, faulty, clock):
    call = faulty(error)
    with pytest.raises(type(error)):
        timed(clock, Retry(3))(call)()
    assert call.calls == 1


def test_refusals_are_retried_only_when_named(faulty, clock):
    for on, calls in [(Exception, 1), (CircuitOpenError, 2), ((RejectedError,), 2)]:
        call = faulty(CircuitOpenError("b", 1, None, None))
        with contextlib.suppress(CircuitOpenError):
            timed(clock, Retry(2, on=on))(call)()
        assert call.calls == calls


STRATEGIES = {
    "fixed_delay": [1, 1, 1, 1, 1, 1, 1, 1],
    "exponential_backoff": [1, 2, 4, 8, 16, 32, 60, 60],
    "linear_backoff": [1, 2, 3, 4, 5, 6, 7, 8],
    "fibonacci_backoff": [1, 2, 3, 5, 8, 13, 21, 34],
}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_intervals_grow_by_their_strategy(strategy):
    retry = Retry(strategy=strategy, base_delay=1, max_delay=60, jitter="none")
    assert [retry.wait(n) for n in range(1, 9)] == STRATEGIES[strategy]


@given(
    strategy=st.sampled_from(sorted(STRATEGIES)),
    attempt=st.integers(1, 60),
    chance=st.floats(0, 1, exclude_max=True),
    jitter=st.sampled_from(["full", "decorrelated", "none", 0.1]),
    previous=st.floats(0, 100),
)
def test_waits_agree_with_their_formulas(strategy, attempt, chance, jitter, previous):
    base, cap = 0.5, 20.0
    retry = Retry(strategy=strategy, base_delay=base, max_delay=cap, jitter=jitter)
    fibonacci = [1, 2]
    while len(fibonacci) < attempt:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    interval = {
        "fixed_delay": base,
        "exponential_backoff": base * 2 ** (attempt - 1),
        "linear_backoff": base * attempt,
        "fibonacci_backoff": base * fibonacci[attempt - 1],
    }[strategy]
    interval = min(interval, cap)
    upper = min(cap, 3 * max(previous, base))
    expected = {
        "none": interval,
        "full": interval * chance,
        "decorrelated": base + (upper - base) * chance,
        0.1: min(cap, interval * (0.9 + 0.2 * chance)),
    }[jitter]
    assert retry.wait(attempt, chance, previous) == pytest.approx(expected, abs=2e-8)


def test_waits_in_the_time_of_the_pipeline(faulty, clock):
    retry = Retry(4, strategy="linear_backoff", base_delay=1, max_delay=9, jitter="none")
    timed(clock, retry)(faulty(*[OSError()] * 3))()
    assert clock() == 1000 + 1 + 2 + 3
    assert retry.retries == 3


def test_jitter_stays_within_the_interval(faulty, clock):
    waits = []
    for _ in range(200):
        before = clock()
        timed(clock, Retry(2, base_delay=1.0))(faulty(OSError()))()
        waits.append(clock() - before)
    assert 0 <= min(waits) < 0.2
    assert 0.8 < max(waits) <= 1
    assert len(set(waits)) > 150


@pytest.mark.parametrize("hint", [7, 7.0, timedelta(seconds=7)], ids=repr)
def test_a_hint_of_the_exception_is_honoured(hint, faulty, clock):
    error = OSError()
    error.retry_after = hint
    timed(clock, Retry(2))(faulty(error))()
    assert clock() == 1007
    timed(clock, Retry(2))(faulty(RetryableError("busy", retry_after=3)))()
    assert clock() == 1010


def test_does_not_wait_past_the_deadline(faulty, clock):
    call = faulty(OSError(), OSError())
    guarded = timed(clock, Timeout(5), Retry(3, base_delay=5, jitter="none"))(call)
    with pytest.raises(OSError):
        guarded()
    assert (call.calls, clock()) == (1, 1000)


def test_the_total_time_is_bounded(faulty, clock):
    call = faulty(*[OSError()] * 99)
    retry = Retry(99, strategy="fixed_delay", base_delay=1, jitter="none", max_elapsed=3)
    with pytest.raises(OSError):
        timed(clock, retry)(call)()
    assert call.calls == 4


def test_results_and_exceptions_may_be_judged(faulty, clock):
    answers = itertools.chain([None, None], itertools.repeat("ready"))
    retry = Retry(5, retry_result=lambda answer: answer is None)
    assert timed(clock, retry)(lambda: next(answers))() == "ready"
    call = faulty(OSError("fatal"))
    with pytest.raises(OSError):
        timed(clock, Retry(5, retry_if=lambda e: "fatal" not in str(e)))(call)()
    assert call.calls == 1


def test_an_answer_that_never_comes_is_returned_as_it_is(clock):
    assert (
        timed(clock, Retry(3, retry_result=lambda answer: answer is None))(lambda: None)()
        is None
    )


def test_a_budget_bounds_the_retries_of_all_who_share_it(clock):
    budget = RetryBudget(0.1, per_second=0, reserve=5)
    calls = 0

    @timed(clock, Retry(4, budget=budget))
    def down():
        nonlocal calls
        calls += 1
        raise OSError

    for _ in range(100):
        with pytest.raises(OSError):
            down()
    assert 100 + 5 <= calls <= 100 + 5 + 10


def test_hooks_see_each_failed_attempt_and_their_errors_stay_outside(faulty, clock, caplog):
    seen = []

    def hook(attempt, error):
        seen.append((attempt, type(error)))
        raise RuntimeError("in the hook")

    assert timed(clock, Retry(3, on_retry=hook))(faulty(OSError(), ValueError()))() == "done"
    assert seen == [(1, OSError), (2, ValueError)]
    assert "on_retry failed" in caplog.text


def test_events_tell_attempts_and_giving_up(faulty, clock, events):
    with pytest.raises(OSError):
        timed(clock, Retry(2, name="r", jitter="none"))(faulty(OSError(), OSError()))()
    told = [(event.kind, event.source, event.attributes["attempt"]) for event in events]
    assert told == [("retry.attempt_failed", "r", 1), ("retry.gave_up", "r", 2)]
    assert events[0].attributes["wait"] == 0.1
    assert events[1].attributes["reason"] == "attempts"


def test_the_context_knows_the_attempt(made, clock):
    seen = []

    def call():
        seen.append(_context.current().attempt)
        if len(seen) < 3:
            raise OSError
        return _context.current().attempt

    assert made(timed(clock, Retry(3)), call)() == 3
    assert seen == [1, 2, 3]
    assert _context.current() is _context.NOWHERE


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"max_attempts": 0}, "max_attempts"),
        ({"max_attempts": True}, "max_attempts"),
        ({"base_delay": -1}, "base_delay"),
        ({"max_delay": float("nan")}, "max_delay"),
        ({"backoff_multiplier": 0.5}, "backoff_multiplier"),
        ({"strategy": "quadratic"}, "strategy"),
        ({"jitter": "some"}, "jitter"),
        ({"jitter": 2.0}, "jitter"),
        ({"on": "OSError"}, "on"),
        ({"on_retry": 3}, "on_retry"),
        ({"max_elapsed": "1 s"}, "max_elapsed"),
    ],
    ids=str,
)
def test_rejects_parameters_outside_their_domain(parameters, names):
    with pytest.raises(InvalidParameterError, match=names):
        Retry(**parameters)


@pytest.mark.parametrize(
    "parameters", [{"max_attempts": 0}, {"strategy": "x"}, {"base_delay": -1}], ids=str
)
def test_a_configuration_is_checked_when_it_is_made(parameters):
    with pytest.raises(InvalidParameterError):
        RetryConfig(**parameters)
