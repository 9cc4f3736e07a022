"""Retry, timeout and fallback by the older class names."""

from __future__ import annotations

import functools
import logging
import random
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast.compat._waits import tried_again
from holdfast.edge import ProfilingTimeoutError
from holdfast.errors import DeadlineExceededError, InvalidParameterError
from holdfast.resilience import Fallback, Retry, RetryConfig, Timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    F = TypeVar("F", bound=Callable[..., Any])

logger = logging.getLogger("holdfast.resilience")


class RetryMechanism(Retry):
    """A `Retry` that logs each attempt that failed and will be repeated.

    Attributes
    ----------
    config : RetryConfig
    logger : logging.Logger
    """

    def __init__(self, config: RetryConfig, *, name: str | None = None) -> None:
        self.config = config
        self.logger = logger
        super().__init__(replace(config, on_retry=self._on_retry), name=name)

    def __call__(self, function: F) -> F:
        """Guard `function`."""
        if iscoroutinefunction(function):
            return super().__call__(function)
        return tried_again(self, function)  # type: ignore[return-value]

    def _on_retry(self, attempt: int, error: BaseException | None) -> None:
        most = self.config.max_attempts
        self.logger.warning("attempt %d of %d failed: %s", attempt, most, error)
        if self.config.on_retry is not None:
            self.config.on_retry(attempt, error)

    def _execute_with_retry(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        return self(function)(*args, **kwargs)

    def _calculate_delay(self, attempt: int) -> float:
        return self.wait(attempt, random.random())  # noqa: S311 (spreads waits)

    def _fibonacci(self, n: int) -> int:
        before, last = 1, 1
        for _ in range(n - 1):
            before, last = last, before + last
        return last

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the configuration."""
        return functools.partial(RetryMechanism, name=self.name), (self.config,)


@dataclass
class TimeoutConfig:
    """Limits in seconds, all greater than 0.

    Raises
    ------
    InvalidParameterError
        One is no duration.
    """

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


class GracefulDegradation:
    """Fallbacks by the name of an operation, found when it fails.

    When all have failed, what the first exception carries as `partial_result` or
    `partial_results` is the result; without that, the first exception is raised.

    Attributes
    ----------
    fallback_functions : dict
        By operation a list of `func` and `priority`, in the order in which they are tried.
    """

    def __init__(self) -> None:
        self.fallback_functions: dict[str, list[dict[str, Any]]] = {}

    def register_fallback(
        self, operation_name: str, fallback_func: Callable[..., Any], priority: int = 0
    ) -> None:
        """Add a fallback; lower priorities come first, equal ones in order.

        Raises
        ------
        InvalidParameterError
            `fallback_func` cannot be called.
        """
        if not callable(fallback_func):
            raise InvalidParameterError(
                f"fallback_func must be callable, got {fallback_func!r}"
            )
        had = self.fallback_functions.get(operation_name, [])
        added = [*had, {"func": fallback_func, "priority": priority}]
        self.fallback_functions[operation_name] = sorted(added, key=lambda f: f["priority"])

    def with_fallback(
        self, operation_name: str, *fallback_funcs: Callable[..., Any]
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorate: the function, then what is registered, then these."""

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            if iscoroutinefunction(function):

                @functools.wraps(function)
                async def degraded_async(*args: Any, **kwargs: Any) -> Any:
                    return await self._execute_with_fallback(
                        operation_name, function, args, kwargs, fallback_funcs
                    )

                return degraded_async

            @functools.wraps(function)
            def degraded(*args: Any, **kwargs: Any) -> Any:
                return self._execute_with_fallback(
                    operation_name, function, args, kwargs, fallback_funcs
                )

            return degraded

        return decorate

    def _execute_with_fallback(
        self,
        operation_name: str,
        primary: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        additional: Sequence[Callable[..., Any]] = (),
    ) -> Any:
        registered = [f["func"] for f in self.fallback_functions.get(operation_name, ())]
        fallback = Fallback(*registered, *additional, partial=True, name=operation_name)
        return fallback(primary)(*args, **kwargs)
