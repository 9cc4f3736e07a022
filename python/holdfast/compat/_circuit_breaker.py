"""A breaker made without a name, as the clustering package had it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from holdfast.errors import CircuitOpenError, NeuromorphicErrorType, NeuromorphicException
from holdfast.resilience import CircuitBreaker as Breaker
from holdfast.resilience import CircuitBreakerConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class CircuitBreaker(Breaker):
    """`CircuitBreaker(name, config)`, or `CircuitBreaker(config)` without a name.

    Without a name it refuses calls by an error that is a `NeuromorphicException` as well.
    """

    def __init__(
        self,
        name: str | CircuitBreakerConfig | None = None,
        config: CircuitBreakerConfig | None = None,
        **parameters: Any,
    ) -> None:
        self._nameless = not isinstance(name, str)
        super().__init__(name, config, **parameters)

    def __call__(self, function: Any) -> Any:
        """Guard `function`."""
        guarded = super().__call__(function)
        return _translated(guarded, self.name) if self._nameless else guarded

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the configuration: what was counted belongs to a process."""
        if self.config is None:
            return super().__reduce__()
        return type(self), (self.config,) if self._nameless else (self.name, self.config)


class NeuromorphicCircuitOpenError(CircuitOpenError, NeuromorphicException):
    """A breaker of a clusterer is open."""

    def __init__(self, *facts: Any) -> None:
        NeuromorphicException.__init__(
            self,
            CircuitOpenError.__str__(CircuitOpenError(*facts)),
            NeuromorphicErrorType.RESOURCE_ERROR,
            context={"failure_count": facts[1]},
            recoverable=False,
        )
        self.args = facts

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the facts and what was added to them."""
        return type(self), self.args, self.__dict__

    def __str__(self) -> str:
        """Name the kind of error first."""
        return f"{self.error_type.value}: {self.message}"


def _translated(guarded: Callable[..., Any], name: str) -> Callable[..., Any]:
    from inspect import iscoroutinefunction  # noqa: PLC0415

    def told(error: CircuitOpenError) -> CircuitOpenError:
        ours = error.circuit_name == name and not isinstance(error, NeuromorphicException)
        return NeuromorphicCircuitOpenError(*error.args) if ours else error

    if iscoroutinefunction(guarded):

        @functools.wraps(guarded)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            made: Coroutine[Any, Any, Any] = guarded(*args, **kwargs)
            try:
                return await made
            except CircuitOpenError as error:
                raise told(error) from None

        return call_async

    @functools.wraps(guarded)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return guarded(*args, **kwargs)
        except CircuitOpenError as error:
            raise told(error) from None

    return call
