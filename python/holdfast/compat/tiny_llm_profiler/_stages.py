"""Retry, timeout and fallback by the older class names."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from holdfast.edge import ProfilingTimeoutError
from holdfast.errors import DeadlineExceededError, InvalidParameterError
from holdfast.resilience import Fallback, Retry, RetryConfig, Timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    _Called = TypeVar("_Called", bound=Callable[..., Any])


class RetryMechanism(Retry):
    """`Retry` from a `RetryConfig`.

    Parameters
    ----------
    config : RetryConfig
    """

    def __init__(self, config: RetryConfig) -> None:
        super().__init__(config)
        self.config = config

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the configuration."""
        return RetryMechanism, (self.config,)


@dataclass
class TimeoutConfig:
    """How long what may take, in seconds.

    Raises
    ------
    InvalidParameterError
        If a time is not greater than 0.
    """

    default_timeout: float = 30.0
    connection_timeout: float = 10.0
    operation_timeout: float = 300.0
    heartbeat_interval: float = 5.0

    def __post_init__(self) -> None:
        """Check the times."""
        for name, value in vars(self).items():
            if not value > 0:
                raise InvalidParameterError(f"{name} must be greater than 0, got {value!r}")


class TimeoutManager:
    """Bounds blocks and functions; an overrun always raises.

    What runs too long is not stopped unless it looks at the deadline, as computations of
    Holdfast do: see the mode "cooperative" of `holdfast.resilience.Timeout`.

    Parameters
    ----------
    config : TimeoutConfig, optional
    """

    def __init__(self, config: TimeoutConfig | None = None) -> None:
        self.config = config or TimeoutConfig()

    @contextmanager
    def timeout(
        self, seconds: float | None = None, operation_name: str = "operation"
    ) -> Iterator[None]:
        """Bound the block; without `seconds` by the default of the configuration.

        Raises
        ------
        ProfilingTimeoutError
            When the block has taken longer.
        """
        limit = seconds or self.config.default_timeout
        try:
            with Timeout(limit):
                yield
        except DeadlineExceededError as error:
            raise ProfilingTimeoutError(operation_name, limit) from error

    def with_timeout(
        self, timeout_seconds: float | None = None
    ) -> Callable[[_Called], _Called]:
        """Decorate a function with `timeout`."""

        def decorate(function: _Called) -> _Called:
            name = getattr(function, "__name__", repr(function))

            @functools.wraps(function)
            def call(*args: Any, **kwargs: Any) -> Any:
                with self.timeout(timeout_seconds, name):
                    return function(*args, **kwargs)

            return cast("_Called", call)

        return decorate


class GracefulDegradation:
    """Other answers for operations that fail, by the name of the operation.

    Attributes
    ----------
    fallback_functions : dict
        `{"func": ..., "priority": ...}` by operation, the first to try first.
    """

    def __init__(self) -> None:
        self.fallback_functions: dict[str, list[dict[str, Any]]] = {}

    def register_fallback(
        self, operation_name: str, fallback_func: Callable[..., Any], priority: int = 0
    ) -> None:
        """Add an answer; lower numbers come first, equal ones in the order they were added."""
        known = self.fallback_functions.setdefault(operation_name, [])
        known.append({"func": fallback_func, "priority": priority})
        known.sort(key=lambda one: int(one["priority"]))

    def with_fallback(
        self, operation_name: str, *fallback_funcs: Callable[..., Any]
    ) -> Callable[[_Called], _Called]:
        """Decorate an operation: what is registered answers first, then `fallback_funcs`.

        Each gets the arguments of the call. When all fail, the exception of the operation
        itself is raised.
        """

        def decorate(function: _Called) -> _Called:
            @functools.wraps(function)
            def call(*args: Any, **kwargs: Any) -> Any:
                known = self.fallback_functions.get(operation_name, ())
                handlers = [*(one["func"] for one in known), *fallback_funcs]
                guarded = Fallback(*handlers)(function) if handlers else function
                return guarded(*args, **kwargs)

            return cast("_Called", call)

        return decorate
