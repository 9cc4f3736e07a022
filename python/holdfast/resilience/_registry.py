"""Guards by name, shared by everyone in the process who says the name."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock

from holdfast.errors import InvalidParameterError
from holdfast.errors._parameters import hook, text
from holdfast.resilience._breaker import CircuitBreaker
from holdfast.resilience._fallback import Fallback
from holdfast.resilience._pipeline import Pipeline
from holdfast.resilience._retry import Retry
from holdfast.resilience._timeout import Timeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar

    from holdfast.errors._parameters import Seconds
    from holdfast.resilience._config import CircuitBreakerConfig, RetryConfig
    from holdfast.resilience._pipeline import F
    from holdfast.resilience._policy import Policy

    T = TypeVar("T")


class Registry:
    """Retries and breakers by name: the first use of a name sets its parameters."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asked: dict[str, CircuitBreakerConfig] = {}
        self.retries: dict[str, RetryConfig] = {}
        self.breakers: dict[str, CircuitBreaker] = {}

    def retry(self, name: str, given: dict[str, Any]) -> RetryConfig:
        """The configuration of this name."""
        from holdfast.resilience._config import RetryConfig, known

        text("name", name, empty=True)
        known(RetryConfig, given)
        asked = RetryConfig(**given)
        Retry(asked, name=name)  # what it refuses must not stay under the name
        with self._lock:
            had = self.retries.setdefault(name, asked)
        _same("retry", name, given, asked, had)
        return had

    def circuit_breaker(self, name: str, given: dict[str, Any]) -> CircuitBreaker:
        """The breaker of this name."""
        from holdfast.resilience._config import CircuitBreakerConfig, known

        text("name", name, empty=True)
        known(CircuitBreakerConfig, given)
        asked = CircuitBreakerConfig(**given)
        with self._lock:
            if name not in self.breakers:
                self.breakers[name] = CircuitBreaker(name, asked)
                self._asked[name] = asked
            breaker, had = self.breakers[name], self._asked.get(name, asked)
        _same("circuit_breaker", name, given, asked, had)
        return breaker


registry = Registry()
_lock = Lock()
_pipelines: dict[str, Pipeline] = {}


def retry(name: str = "default", **parameters: Any) -> Retry:
    """A retry by name, to decorate with; parameters as in `RetryConfig`.

    The first use of a name sets its parameters; later ones repeat them or give none.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain, or another than this name has.
    """
    return Retry(registry.retry(name, parameters), name=name)


def circuit_breaker(name: str, **parameters: Any) -> CircuitBreaker:
    """The breaker of this name, to decorate with; parameters as in `CircuitBreakerConfig`.

    The first use of a name sets its parameters; later ones repeat them or give none.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain, or another than this name has.
    """
    return registry.circuit_breaker(name, parameters)


def pipeline(name: str, *policies: Policy) -> Pipeline:
    """The pipeline of this name; the first use gives its policies.

    Raises
    ------
    InvalidParameterError
        `name` is no text, or the policies are other ones than this name has.
    """
    text("name", name, empty=True)
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

    Raises
    ------
    InvalidParameterError
        `category` is no text, or `cleanup_func` cannot be called.
    """
    text("category", category, empty=True)
    hook("cleanup_func", cleanup_func, optional=True)
    try:
        yield resource
    finally:
        clean = cleanup_func or getattr(resource, "close", None)
        clean = clean or getattr(resource, "cleanup", None)
        if clean is not None:
            try:
                clean()
            except Exception:
                import logging

                logging.getLogger("holdfast.resilience").warning(
                    "cleaning up a resource (%s) failed", category, exc_info=True
                )
