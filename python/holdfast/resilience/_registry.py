"""Guards by name, shared by everyone in the process who says the name."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast.errors import InvalidParameterError
from holdfast.resilience._breaker import CircuitBreaker
from holdfast.resilience._config import CircuitBreakerConfig, RetryConfig
from holdfast.resilience._fallback import Fallback
from holdfast.resilience._pipeline import Pipeline
from holdfast.resilience._retry import Retry
from holdfast.resilience._timeout import Timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.resilience._pipeline import F
    from holdfast.resilience._policy import Policy, Seconds

T = TypeVar("T")

_lock = Lock()
_retries: dict[str, RetryConfig] = {}
_breakers: dict[str, CircuitBreaker] = {}
_pipelines: dict[str, Pipeline] = {}


def retry(name: str = "default", **parameters: Any) -> Retry:
    """A retry by name, to decorate with; parameters as in `RetryConfig`.

    The first use of a name sets its parameters; later ones repeat them or give none.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain, or another than this name has.
    """
    with _lock:
        config = _retries.get(name)
        if config is None:
            config = RetryConfig(**parameters)
            Retry(config, name=name)  # what it refuses must not stay under the name
            _retries[name] = config
    _same("retry", name, parameters, RetryConfig(**parameters), config)
    return Retry(config, name=name)


def circuit_breaker(name: str, **parameters: Any) -> CircuitBreaker:
    """The breaker of this name, to decorate with; parameters as in `CircuitBreakerConfig`.

    The first use of a name sets its parameters; later ones repeat them or give none.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain, or another than this name has.
    """
    with _lock:
        breaker = _breakers.get(name)
        if breaker is None:
            config = CircuitBreakerConfig(**parameters)
            breaker = _breakers[name] = CircuitBreaker(name, config)
    _same(
        "circuit_breaker", name, parameters, CircuitBreakerConfig(**parameters), breaker.config
    )
    return breaker


def pipeline(name: str, *policies: Policy) -> Pipeline:
    """The pipeline of this name; the first use gives its policies."""
    with _lock:
        shared = _pipelines.get(name)
        if shared is None:
            shared = _pipelines[name] = Pipeline(*policies, name=name)
    if policies and policies != shared.policies:
        raise InvalidParameterError(
            f"policies of pipeline {name!r} must be those it has, got {policies!r}"
        )
    return shared


def _same(kind: str, name: str, given: dict[str, Any], asked: Any, had: Any) -> None:
    # The two spellings of a breaker's open time mean different ways to close.
    spelt = ("gradual",) if {"timeout_seconds", "recovery_timeout"} & given.keys() else ()
    for parameter in (*given, *spelt):
        if getattr(asked, parameter) != getattr(had, parameter):
            raise InvalidParameterError(
                f"{parameter} of {kind}({name!r}) must be what it was at first "
                f"({getattr(had, parameter)!r}), got {getattr(asked, parameter)!r}"
            )


def breakers() -> dict[str, CircuitBreaker]:
    """The breakers by name."""
    with _lock:
        return dict(_breakers)


def retries() -> dict[str, RetryConfig]:
    """The configurations of the retries by name."""
    with _lock:
        return dict(_retries)


def with_timeout(seconds: Seconds) -> Timeout:
    """A timeout to decorate with: an overrun always raises `DeadlineExceededError`."""
    return Timeout(seconds)


def with_fallback(*handlers: Callable[..., Any]) -> Callable[[F], F]:
    """Decorate with handlers that are tried in turn when the function fails."""
    return Fallback(*handlers)


@contextmanager
def managed_resource(
    resource: T,
    category: str = "general",
    cleanup_func: Callable[[], object] | None = None,
) -> Iterator[T]:
    """Yield `resource` and clean it up at the end, whatever happens.

    By `cleanup_func`, else by its `close()` or `cleanup()` if it has one; what that raises
    is logged.
    """
    try:
        yield resource
    finally:
        clean = cleanup_func or getattr(resource, "close", None)
        clean = clean or getattr(resource, "cleanup", None)
        if clean is not None:
            try:
                clean()
            except Exception:
                logging.getLogger("holdfast.resilience").warning(
                    "cleaning up a resource (%s) failed", category, exc_info=True
                )
