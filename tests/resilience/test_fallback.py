import asyncio

import pytest

from holdfast.errors import CircuitOpenError, InvalidParameterError
from holdfast.resilience import CircuitBreaker, Fallback, Pipeline, Retry


def broken(*_args, **_kwargs):
    raise OSError("primary")


def also_broken(*_args, **_kwargs):
    raise ValueError("fallback")


def test_the_first_result_wins_and_gets_the_same_arguments(made):
    seen = []

    def second(*args, **kwargs):
        seen.append((args, kwargs))
        return "second"

    guarded = made(Fallback(also_broken, second, lambda: "third"), broken)
    assert guarded(1, b=2) == "second"
    assert seen[0][0][-1] == 1
    assert seen[0][1] == {"b": 2}


def test_the_first_exception_is_raised_when_all_have_failed(made):
    with pytest.raises(OSError, match="primary"):
        made(Fallback(also_broken, also_broken), broken)()


def test_a_value_is_the_last_resort(made):
    assert made(Fallback(also_broken, value=None), broken)() is None


def test_priorities_order_the_handlers():
    fallback = Fallback(lambda: "zero")
    fallback.add(lambda: "late", priority=5)
    fallback.add(lambda: "early", priority=-1)
    assert fallback(broken)() == "early"


def test_partial_results_are_taken_when_wanted():
    def partly():
        error = OSError()
        error.partial_results = [1, 2]
        raise error

    assert Fallback(partial=True)(partly)() == [1, 2]
    assert Fallback(partial=True, value=0)(broken)() == 0
    with pytest.raises(OSError):
        Fallback(also_broken)(partly)()


def test_only_named_exceptions_are_answered():
    with pytest.raises(OSError):
        Fallback(value=1, on=ValueError)(broken)()
    with pytest.raises(KeyboardInterrupt):
        Fallback(value=1)(lambda: (_ for _ in ()).throw(KeyboardInterrupt))()


def test_a_refusal_is_answered(clock):
    breaker = CircuitBreaker(failure_threshold=1, clock=clock)
    guarded = Pipeline(Fallback(value="cached", on=CircuitOpenError), breaker)(broken)
    with pytest.raises(OSError):
        guarded()
    assert guarded() == "cached"


def test_coroutines_fall_back_on_coroutines_and_functions():
    async def other():
        await asyncio.sleep(0)
        return "other"

    async def down():
        raise OSError

    assert asyncio.run(Fallback(other)(down)()) == "other"
    assert asyncio.run(Fallback(lambda: "plain")(down)()) == "plain"


def test_inside_a_retry_the_fallback_answers_each_attempt(clock):
    calls = []
    outside = Pipeline(Fallback(value="x"), Retry(3), clock=clock)
    inside = Pipeline(Retry(3), Fallback(value="x"), clock=clock)

    def call():
        calls.append(1)
        raise OSError

    for pipe, attempts in [(outside, 3), (inside, 1)]:
        calls.clear()
        assert pipe(call)() == "x"
        assert len(calls) == attempts


def test_events_and_totals_tell_the_use(events):
    fallback = Fallback(also_broken, lambda: 1, name="f")
    assert fallback(broken)() == 1
    assert [(e.kind, e.attributes["step"]) for e in events] == [("fallback.used", 1)]
    with pytest.raises(OSError):
        Fallback(also_broken, name="g")(broken)()
    assert events[-1].kind == "fallback.exhausted"
    assert [s.value for s in fallback.samples()] == [1, 0]


@pytest.mark.parametrize("handlers", [(), (3,)], ids=str)
def test_rejects_what_cannot_be_fallen_back_on(handlers):
    with pytest.raises(InvalidParameterError, match="handlers"):
        Fallback(*handlers)
