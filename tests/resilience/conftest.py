import asyncio

import pytest

from holdfast import _events
from holdfast.resilience import VirtualClock


@pytest.fixture
def clock():
    """Time that moves only when told, from a moment that is not the first."""
    return VirtualClock(1000.0)


@pytest.fixture
def events():
    """Everything the guards tell."""
    told = []
    stop = _events.subscribe(told.append)
    yield told
    stop()


class Faulty:
    """Fails for as long as it has failures left."""

    def __init__(self, *errors, result="done"):
        self.errors = list(errors)
        self.result = result
        self.calls = 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.result


@pytest.fixture
def faulty():
    return Faulty


@pytest.fixture(params=["function", "coroutine", "method"])
def made(request):
    """Three ways to guard the same callable: returns a callable that is run to its end."""

    def guard(policy, function):
        if request.param == "function":
            return policy(function)
        if request.param == "method":

            class Holder:
                @policy
                def call(self, *args, **kwargs):
                    return function(*args, **kwargs)

            return Holder().call

        @policy
        async def call(*args, **kwargs):
            return function(*args, **kwargs)

        return lambda *args, **kwargs: asyncio.run(call(*args, **kwargs))

    return guard
