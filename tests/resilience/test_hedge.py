import asyncio
import itertools
import threading

import pytest

from holdfast.errors import DeadlineExceededError, InvalidParameterError
from holdfast.resilience import Hedge, Pipeline, RetryBudget, Timeout


def test_the_second_call_overtakes_the_first_which_is_cancelled():
    hedge = Hedge(0.001)
    began, cancelled = [], []

    @hedge
    async def call():
        began.append(1)
        if len(began) == 1:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                cancelled.append(1)
                raise
        return len(began)

    assert asyncio.run(call()) == 2
    assert (cancelled, hedge.hedges) == ([1], 1)
    assert [s.value for s in hedge.samples()] == [1, 1]


def test_threads_race_too():
    release = threading.Event()
    began = []

    @Hedge(0.001)
    def call():
        began.append(1)
        if len(began) == 1:
            release.wait(10)
        return len(began)

    assert call() == 2
    release.set()


@pytest.mark.parametrize("asynchronous", [True, False])
def test_one_failure_is_not_the_end_but_all_are(asynchronous):
    numbers, both, second = itertools.count(1), threading.Event(), asyncio.Event()

    async def soon():
        number = next(numbers)
        if number == 2:
            second.set()
        await second.wait()
        raise OSError(number)

    def late():
        number = next(numbers)
        if number == 2:
            both.set()
        both.wait(30)
        raise OSError(number)

    with pytest.raises(OSError, match="1"):
        asyncio.run(Hedge(0.001)(soon)()) if asynchronous else Hedge(0.05)(late)()
    assert next(numbers) == 3


def test_a_quick_call_is_not_hedged():
    hedge = Hedge(10)
    assert hedge(lambda: 1)() == 1
    assert asyncio.run(hedge(asyncio.sleep)(0, 2)) == 2
    assert hedge.hedges == 0


def test_the_delay_is_learned_from_the_calls_before():
    hedge = Hedge(quantile=0.9)
    assert hedge._wait() is None
    guarded = hedge(lambda: None)
    for _ in range(10):
        guarded()
    assert 0 <= hedge._wait() < 5


def test_a_budget_bounds_the_hedges():
    budget = RetryBudget(0.0, per_second=0, reserve=1)
    hedge = Hedge(0.0005, budget=budget)

    @hedge
    async def call():
        await asyncio.sleep(0.005)

    for _ in range(3):
        asyncio.run(call())
    assert hedge.hedges == 1


def test_the_deadline_holds_for_all_of_them():
    stop = threading.Event()
    guarded = Pipeline(Timeout(0.01), Hedge(0.001))(lambda: stop.wait(10))
    with pytest.raises(DeadlineExceededError):
        guarded()
    stop.set()


@pytest.mark.parametrize(
    "parameters", [{"quantile": 1}, {"delay": -1}, {"max_hedges": 0}], ids=str
)
def test_rejects_parameters_outside_their_domain(parameters):
    with pytest.raises(InvalidParameterError):
        Hedge(**parameters)
