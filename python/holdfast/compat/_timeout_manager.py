"""Older ways to say `Timeout`."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from dataclasses import dataclass, fields
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from holdfast.edge import ProfilingTimeoutError
from holdfast.errors import (
    DeadlineExceededError,
    InvalidParameterError,
    NeuromorphicErrorType,
    NeuromorphicException,
)
from holdfast.resilience import Timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class TimeoutConfig:
    """Limits in seconds, all greater than 0."""

    default_timeout: float = 30.0
    connection_timeout: float = 10.0
    operation_timeout: float = 300.0
    heartbeat_interval: float = 5.0

    def __post_init__(self) -> None:
        """Check them."""
        for field in fields(self):
            value = getattr(self, field.name)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not 0 < value < float("inf"):
                raise InvalidParameterError(
                    f"{field.name} must be seconds, finite and greater than 0, got {value!r}"
                )


class TimeoutManager:
    """Bounds blocks and functions; an overrun always raises `ProfilingTimeoutError`.

    Python code is interrupted between two instructions, coroutines are cancelled; native
    code and sleeps end first. See `holdfast.resilience.Timeout` for what can be stopped.

    Attributes
    ----------
    config : TimeoutConfig
    """

    def __init__(self, config: TimeoutConfig | None = None) -> None:
        self.config = config or TimeoutConfig()

    def _guard(self, seconds: float | None, name: str) -> Timeout:
        return Timeout(seconds or self.config.default_timeout, mode="interrupt", name=name)

    @contextmanager
    def timeout(
        self, seconds: float | None = None, operation_name: str = "operation"
    ) -> Iterator[None]:
        """Bound a block; without `seconds`, by the default."""
        told = _told(operation_name, seconds or self.config.default_timeout)
        with told, self._guard(seconds, operation_name):
            yield

    def with_timeout(
        self, timeout_seconds: float | None = None
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorate a function or a coroutine function."""

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            name = getattr(function, "__name__", repr(function))
            guarded = self._guard(timeout_seconds, name)(function)
            seconds = timeout_seconds or self.config.default_timeout
            if iscoroutinefunction(guarded):

                @functools.wraps(guarded)
                async def bounded_async(*args: Any, **kwargs: Any) -> Any:
                    with _told(name, seconds):
                        return await guarded(*args, **kwargs)

                return bounded_async

            @functools.wraps(guarded)
            def bounded(*args: Any, **kwargs: Any) -> Any:
                with _told(name, seconds):
                    return guarded(*args, **kwargs)

            return bounded

        return decorate


@contextmanager
def _told(name: str, seconds: float) -> Iterator[None]:
    """Say of an overrun of this name which operation took too long."""
    try:
        yield
    except DeadlineExceededError as error:
        if error.args[:1] != (name,):
            raise
        raise ProfilingTimeoutError(name, seconds) from error


def timeout_operation(
    timeout_seconds: float = 300,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a function whose caller goes on when it takes too long.

    The call itself goes on in its thread until it ends: `Timeout(mode="abandon")`.
    """
    guard = Timeout(timeout_seconds, mode="abandon")

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        guarded = guard(function)

        @functools.wraps(guarded)
        def bounded(*args: Any, **kwargs: Any) -> Any:
            try:
                return guarded(*args, **kwargs)
            except DeadlineExceededError as error:
                if error.args[:1] != (guard.name,):
                    raise
                raise NeuromorphicException(
                    f"not finished within {timeout_seconds:g} s",
                    NeuromorphicErrorType.TIMEOUT_ERROR,
                    context={"timeout_seconds": timeout_seconds},
                ) from error

        return bounded

    return decorate
