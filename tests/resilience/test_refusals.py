"""What a guard cannot work with is refused where it is written, by name, rule and value."""

import pytest

from holdfast.errors import InvalidParameterError
from holdfast.resilience import (
    Fallback,
    circuit_breaker,
    retry,
)
from holdfast.telemetry import Check


async def later():
    return 1


@pytest.mark.parametrize(
    ("kind", "given", "name"),
    [
        (Check, {"name": "c", "probe": 3}, "probe"),
        (Check, {"name": "c", "probe": print, "remedy": 3}, "remedy"),
    ],
)
def test_a_parameter_outside_of_its_domain(kind, given, name):
    with pytest.raises(InvalidParameterError, match=name):
        kind(**given)


@pytest.mark.parametrize("decorate", [retry, circuit_breaker])
def test_a_decorator_without_its_parentheses(decorate):
    with pytest.raises(InvalidParameterError, match="name must be a str"):
        decorate(print)


def test_a_plain_function_cannot_await_its_fallback():
    with pytest.raises(InvalidParameterError, match="handlers must not be coroutine functions"):
        Fallback(later)(lambda: 1)


def test_a_coroutine_can():
    async def fails():
        raise ValueError

    import asyncio

    assert asyncio.run(Fallback(later)(fails)()) == 1
