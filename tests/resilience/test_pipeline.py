import asyncio
import functools
import inspect
import pickle
import warnings
from unittest import mock

import pytest

from holdfast import _sources
from holdfast.errors import InvalidParameterError
from holdfast.resilience import (
    Bulkhead,
    CircuitBreaker,
    Fallback,
    Hedge,
    Pipeline,
    RateLimiter,
    Retry,
    Timeout,
    VirtualClock,
)

ALL = (
    Fallback(value=-1, on=ZeroDivisionError),
    Timeout(60),
    Retry(2, base_delay=0),
    CircuitBreaker(),
    RateLimiter(10**9),
    Bulkhead(2000),
)


@Pipeline(*ALL)
def add(a: int, b: int = 2, *, c: int = 3) -> int:
    """Add."""
    return a + b + c


@Pipeline(*ALL)
async def add_soon(a: int, b: int = 2, *, c: int = 3) -> int:
    """Add, soon."""
    await asyncio.sleep(0)
    return a + b + c


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((1,), {}), ((1, 5), {}), ((1,), {"b": 5, "c": 7}), ((), {"a": 1, "c": 0})],
    ids=str,
)
def test_arguments_pass_through_untouched(args, kwargs):
    assert add(*args, **kwargs) == add.__wrapped__(*args, **kwargs)
    assert asyncio.run(add_soon(*args, **kwargs)) == add(*args, **kwargs)


def test_many_arguments_pass_through_too():
    guarded = Pipeline(*ALL)(lambda *args, **kwargs: (args, kwargs))
    many = {f"k{n}": n for n in range(40)}
    assert guarded(*range(50), **many) == (tuple(range(50)), many)

    @Pipeline(*ALL)
    async def soon(*args, **kwargs):
        return args, kwargs

    assert asyncio.run(soon(*range(50), **many)) == (tuple(range(50)), many)


def test_name_documentation_and_signature_stay():
    for guarded, doc in [(add, "Add."), (add_soon, "Add, soon.")]:
        assert guarded.__name__ == guarded.__wrapped__.__name__
        assert (guarded.__doc__, guarded.__module__) == (doc, __name__)
        signature = inspect.signature(guarded, eval_str=False)
        assert signature == inspect.signature(guarded.__wrapped__)
    assert inspect.iscoroutinefunction(add_soon)
    assert not inspect.iscoroutinefunction(add)


def test_guarded_functions_pickle_by_name():
    for guarded in (add, add_soon):
        assert pickle.loads(pickle.dumps(guarded)) is guarded


def test_policies_pickle_by_their_parameters():
    pipe = pickle.loads(pickle.dumps(Pipeline(*ALL, Hedge(), name="p")))
    assert repr(pipe.policies[2:5]) == repr(ALL[2:5])
    assert pipe(lambda: 1)() == 1


class Service:
    def __init__(self):
        self.base = 10

    @Pipeline(*ALL)
    def plain(self, x):
        return self.base + x

    @Pipeline(*ALL)
    @classmethod
    def of_class(cls, x):
        return cls, x

    @Pipeline(*ALL)
    @staticmethod
    def static(x):
        return x

    @Pipeline(*ALL)
    async def soon(self, x):
        return self.base + x


def test_methods_of_all_kinds():
    service = Service()
    assert service.plain(1) == Service.plain(service, 1) == 11
    assert service.of_class(1) == (Service, 1)
    assert Service.static(3) == service.static(3) == 3
    assert asyncio.run(service.soon(1)) == 11
    bound = service.plain
    assert bound.__self__ is service
    assert bound(2) == 12


@pytest.mark.parametrize(
    "function",
    [
        functools.partial(int, "7"),
        mock.Mock(return_value=7),
        type("C", (), {"__call__": lambda _: 7})(),
    ],
    ids=["partial", "mock", "object"],
)
def test_callables_without_a_name(function):
    assert Pipeline(*ALL)(function)() == 7


def test_generators_are_refused_where_they_are_decorated():
    def generator():
        yield

    async def agenerator():
        yield

    for function in (generator, agenerator):
        with pytest.raises(InvalidParameterError, match="generator"):
            Pipeline()(function)


def test_a_plain_function_that_gives_a_coroutine_warns():
    async def work():
        return 7

    guarded = Pipeline(*ALL)(lambda: work())  # noqa: PLW0108 (a plain function)
    with pytest.warns(RuntimeWarning, match="runs outside of its guard"):
        assert asyncio.run(guarded()) == 7
    with warnings.catch_warnings(), pytest.raises(RuntimeWarning, match="plain function"):
        warnings.simplefilter("error")
        guarded()


def test_blocks_nest_in_threads_and_tasks():
    bulkhead = Bulkhead(50, max_wait=10)
    pipe = Pipeline(CircuitBreaker(), bulkhead)
    with pipe, pipe, bulkhead:
        assert bulkhead.in_use == 3
    assert bulkhead.in_use == 0

    most = []

    async def task():
        async with pipe:
            await asyncio.sleep(0)
            most.append(bulkhead.in_use)

    async def main():
        await asyncio.gather(*(task() for _ in range(20)))

    asyncio.run(main())
    assert (max(most), bulkhead.in_use) == (20, 0)


@pytest.mark.parametrize(
    "policy",
    [Retry(), Fallback(value=1), Hedge(1), Timeout(1, mode="abandon")],
    ids=lambda policy: type(policy).__name__,
)
def test_a_block_refuses_what_would_run_it_twice_or_elsewhere(policy):
    with pytest.raises(InvalidParameterError, match="once"), Pipeline(policy):
        pass


def test_a_block_passes_exceptions_and_counts_them():
    breaker = CircuitBreaker()
    with pytest.raises(OSError), breaker:
        raise OSError
    assert breaker.failure_count == 1


def test_order_is_reading_order():
    """The same three policies, and what a call that fails twice means to each order."""
    told = {}
    for name, build in {
        "retry outside": lambda r, b: (r, b),
        "breaker outside": lambda r, b: (b, r),
    }.items():
        clock = VirtualClock()
        breaker = CircuitBreaker(failure_threshold=10)
        attempts = iter([OSError, OSError, None])

        def call(attempts=attempts):
            error = next(attempts)
            if error:
                raise error
            return "done"

        assert Pipeline(*build(Retry(3), breaker), clock=clock)(call)() == "done"
        totals = {s.labels.get("outcome"): s.value for s in breaker.samples()}
        told[name] = (totals["success"], totals["failure"])
    assert told == {"retry outside": (1, 2), "breaker outside": (1, 0)}


def test_more_policies_than_the_core_fuses():
    breakers = [CircuitBreaker() for _ in range(20)]
    guarded = Pipeline(*breakers)(lambda: 1)
    assert guarded() == 1

    @Pipeline(*breakers)
    def fails():
        raise OSError

    with pytest.raises(OSError):
        fails()
    assert [b.failure_count for b in breakers] == [1] * 20


def test_totals_are_collected():
    pipe = Pipeline(CircuitBreaker(), name="collected")
    pipe(lambda: 1)()
    with pytest.raises(OSError):
        pipe(mock.Mock(side_effect=OSError))()
    mine = [s for s in _sources.samples() if s.labels.get("name") == "collected"]
    assert {s.labels["outcome"]: s.value for s in mine} == {
        "begun": 2,
        "failed": 1,
        "refused": 0,
        "cancelled": 0,
    }


@pytest.mark.parametrize("what", [3, "retry", Retry], ids=repr)
def test_rejects_what_is_no_policy(what):
    with pytest.raises(InvalidParameterError, match="policies"):
        Pipeline(what)
    with pytest.raises(InvalidParameterError, match="callable"):
        Pipeline()(3)
