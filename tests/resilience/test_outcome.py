import asyncio
import concurrent.futures
import gc
import inspect
import weakref

import pytest

from holdfast.errors import CircuitOpenError, RejectedError
from holdfast.resilience import (
    Bulkhead,
    CircuitBreaker,
    Fallback,
    Hedge,
    Outcome,
    Pipeline,
    RateLimiter,
    Retry,
    Timeout,
    VirtualClock,
)


class PartError(Exception):
    partial_result = "half"


def failing(kind=OSError, times=10):
    left = [times]

    def call(value="done"):
        if left[0]:
            left[0] -= 1
            raise kind("no")
        return value

    return call


@pytest.mark.parametrize(
    ("policies", "function", "expected"),
    [
        ([], failing(times=0), ("ok", "done", 1, False)),
        ([Retry(3, base_delay=0)], failing(times=2), ("ok", "done", 3, False)),
        ([Retry(3, base_delay=0)], failing(), ("failed", None, 3, False)),
        ([Fallback(value="else")], failing(), ("ok", "else", 1, True)),
        (
            [Fallback(lambda: "else"), Retry(2, base_delay=0)],
            failing(),
            ("ok", "else", 2, True),
        ),
        ([Fallback(partial=True)], failing(PartError), ("ok", "half", 1, True)),
        ([CircuitBreaker(on=OSError)], failing(KeyError), ("ignored", None, 1, False)),
        ([CircuitBreaker(ignore=KeyError)], failing(KeyError), ("ignored", None, 1, False)),
        ([CircuitBreaker(on=OSError)], failing(), ("failed", None, 1, False)),
        (
            [CircuitBreaker(on=KeyError), CircuitBreaker(on=OSError)],
            failing(),
            ("failed", None, 1, False),
        ),
        (
            [],
            failing(concurrent.futures.CancelledError),
            ("cancelled", None, 1, False),
        ),
    ],
)
def test_a_call_ends_in_one_of_five_ways(policies, function, expected):
    told = Pipeline(*policies).outcome(function)()
    assert (told.status, told.value, told.attempts, told.fallback) == expected
    assert told.ok == (expected[0] == "ok") == (told.error is None)
    assert told.duration >= 0


def test_a_refusal_names_the_guard_and_no_call_was_begun():
    clock = VirtualClock()
    limiter = RateLimiter(1, 3600, name="hourly", clock=clock)
    assert limiter.try_acquire()
    breaker = CircuitBreaker("db", clock=clock)
    breaker.force_open()
    for policy, name in ((limiter, "hourly"), (breaker, "db")):
        told = Pipeline(policy).outcome(int)()
        assert (told.status, told.rejected_by, told.attempts) == ("rejected", name, 0)
    with pytest.raises(CircuitOpenError):
        told.unwrap()
    saved = Pipeline(Fallback(value=7), breaker).outcome(int)()
    assert (saved.status, saved.value, saved.fallback, saved.attempts) == ("ok", 7, True, 0)


def test_what_an_error_carries_is_a_partial_result():
    told = Pipeline(Retry(2, base_delay=0)).outcome(failing(PartError))()
    assert (told.status, told.partial) == ("failed", "half")
    assert Pipeline().outcome(failing())().partial is None
    assert Pipeline().outcome(int)("7").unwrap() == 7


def test_an_overrun_failed(clock):
    def slow():
        clock.advance(5)

    told = Pipeline(Timeout(1.0), clock=clock).outcome(slow)()
    assert (told.status, type(told.error).__name__) == ("failed", "DeadlineExceededError")


def test_coroutines_are_told_of_when_awaited():
    pipeline = Pipeline(Retry(3, base_delay=0))

    async def twice(values):
        values.append(1)
        if len(values) < 2:
            raise OSError
        return "done"

    told = pipeline.outcome(twice)
    assert inspect.iscoroutinefunction(told)

    async def main():
        return await asyncio.gather(*(told([]) for _ in range(20)))

    assert {(one.status, one.attempts) for one in asyncio.run(main())} == {("ok", 2)}


def test_the_cancellation_of_a_task_is_raised_as_ever():
    async def main():
        begun = asyncio.Event()

        async def waits():
            begun.set()
            await asyncio.Event().wait()

        task = asyncio.ensure_future(Pipeline(Retry(2)).outcome(waits)())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    with pytest.raises(KeyboardInterrupt):
        Pipeline(Retry(2)).outcome(failing(KeyboardInterrupt))()


def test_calls_made_in_other_threads_are_counted():
    told = Pipeline(Timeout(60, mode="abandon"), Bulkhead(2)).outcome(failing(times=0))()
    assert (told.value, told.attempts, told.fallback) == ("done", 1, False)
    told = Pipeline(Hedge(60)).outcome(failing(times=0))()
    assert (told.value, told.attempts, told.fallback) == ("done", 1, False)


def test_a_process_of_its_own_cannot_tell_how_often():
    told = Pipeline(Timeout(60, mode="process")).outcome(abs)(-3)
    assert (told.status, told.value, told.attempts, told.fallback) == ("ok", 3, None, False)


def test_outcomes_are_values():
    told = Pipeline().outcome(int)("3")
    assert isinstance(told, Outcome)
    assert "status='ok', value=3" in repr(told)
    with pytest.raises(AttributeError):
        told.value = 4


def test_a_breaker_may_name_its_errors_by_any_iterable():
    told = Pipeline(CircuitBreaker(on=iter([KeyError]))).outcome(failing())()
    assert (told.status, type(told.error)) == ("ignored", OSError)


def test_a_value_that_came_too_late_is_not_the_one_that_was_returned():
    clock = VirtualClock()

    def late():
        clock.advance(2)
        return "late"

    told = Pipeline(Fallback(value="else"), Timeout(1), clock=clock).outcome(late)()
    assert (told.value, told.fallback, told.attempts) == ("else", True, 1)


def test_a_refusal_within_the_function_is_a_failure_of_the_function():
    inner = CircuitBreaker("inner", failure_threshold=1)
    inner.force_open()
    told = Pipeline(Retry(1)).outcome(inner(failing()))()
    assert (told.status, told.rejected_by) == ("failed", None)


def test_a_refusal_without_a_name_is_told():
    def refuse():
        raise RejectedError

    told = Pipeline(Fallback(refuse)).outcome(failing())()
    assert told.status in {"rejected", "failed"}
    assert told.rejected_by is None


def test_nothing_of_a_call_is_kept_by_its_outcome():
    class Value:
        pass

    kept = []

    def fail():
        value = Value()
        kept.append(weakref.ref(value))
        raise OSError

    gc.disable()
    try:
        told = Pipeline(Retry(1)).outcome(fail)()
        told.error.__traceback__ = None
        told = None
        assert kept[-1]() is None
    finally:
        gc.enable()
