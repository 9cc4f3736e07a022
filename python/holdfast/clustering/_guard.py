"""Retry and circuit breaker around the features of one clusterer.

The deadline of a fit needs no guard: it travels in the context, retries do not wait past
it and the kernels stop at it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast import _context
from holdfast.clustering._fallback import failure
from holdfast.errors import (
    CircuitOpenError,
    InvalidDataError,
    InvalidParameterError,
    MemoryBudgetError,
    NeuromorphicErrorType,
    NeuromorphicException,
    TimeBudgetError,
)
from holdfast.errors._parameters import refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.errors import ErrorHandler
    from holdfast.resilience import CircuitBreaker, CircuitBreakerConfig, Pipeline

    T = TypeVar("T")
    _Kinds = type[BaseException] | tuple[type[BaseException], ...]

# Bad input and bad parameters are the caller's: neither retried nor counted.
_CALLERS = (InvalidParameterError, InvalidDataError)
# These come again however often the same computation is tried.
_LASTING = (ArithmeticError, MemoryError, MemoryBudgetError, TimeBudgetError, TypeError)
_DEFAULTS = {"failure_threshold": 3, "recovery_timeout": 120.0}
_ATTEMPTS = 3
_DELAY = 0.1  # seconds


def checked_config(config: Any) -> CircuitBreakerConfig | CircuitBreaker:
    """What `circuit_breaker_config` asks for.

    Raises
    ------
    InvalidParameterError
        If it is no configuration of a breaker and no breaker.
    """
    from holdfast.resilience import CircuitBreaker, CircuitBreakerConfig

    if config is None:
        return CircuitBreakerConfig(
            **_DEFAULTS,  # type: ignore[arg-type]
            expected_exception=NeuromorphicException,
        )
    if isinstance(config, (CircuitBreakerConfig, CircuitBreaker)):
        return config
    if isinstance(config, Mapping):
        try:
            return CircuitBreakerConfig(**config)
        except TypeError as error:
            raise InvalidParameterError(
                f"circuit_breaker_config has keys a CircuitBreakerConfig has not: {error}"
            ) from None
    rule = "a CircuitBreakerConfig, a CircuitBreaker, a dict or None"
    return refuse("circuit_breaker_config", rule, config)


_NUMBERS = (
    "failure_threshold",
    "success_threshold",
    "monitor_window_seconds",
    "failure_rate_threshold",
)


def plain_config(config: Any) -> dict[str, float] | None:
    """The numbers of a configuration, from which one like it can be made."""
    if config is None:
        return None
    from holdfast.resilience import CircuitBreaker

    asked = checked_config(config)
    own = asked.config if isinstance(asked, CircuitBreaker) else asked
    if own is None:
        return None  # a breaker that was made from parameters, and is shared
    spelling = "recovery_timeout" if own.gradual else "timeout_seconds"
    return {name: getattr(own, name) for name in (*_NUMBERS, spelling)}


class Guard:
    """The breaker of one clusterer, and the retries under it.

    Parameters
    ----------
    config
        See `NeuromorphicClusterer`.
    """

    def __init__(self, config: Any) -> None:
        from holdfast.resilience import CircuitBreaker, Pipeline, Retry

        self.config = config
        asked = checked_config(config)
        if isinstance(asked, CircuitBreaker):
            self.breaker = asked
        else:
            self.breaker = CircuitBreaker("clustering", asked, ignore=_CALLERS)
        own = self.breaker.config
        self._expected: _Kinds = Exception if own is None else own.expected_exception
        retry = Retry(_ATTEMPTS, base_delay=_DELAY, retry_if=_may_pass, name="clustering")
        self._pipeline: Pipeline = Pipeline(self.breaker, retry, name="clustering")

    def call(self, attempt: Callable[[], T], ends: float | None) -> T:
        """Run `attempt` under the guards.

        Parameters
        ----------
        ends : float or None
            When the time budget is used up, in seconds of `time.monotonic`: no retry waits
            past it.

        Raises
        ------
        NeuromorphicException
            For whatever it raises, or in its place if the breaker is open.
        """

        def tried() -> T:
            try:
                return attempt()
            except _CALLERS:
                raise
            except Exception as cause:
                shown = self._shown(cause)
                if shown is cause:
                    raise
                raise shown from cause

        try:
            return self._run(tried, ends)
        except _CALLERS:
            raise
        except CircuitOpenError as refusal:
            raise NeuromorphicException(
                str(refusal),
                NeuromorphicErrorType.RESOURCE_ERROR,
                context={"failure_count": self.breaker.failure_count},
                recoverable=False,
            ) from refusal
        except NeuromorphicException:
            raise
        except Exception as cause:
            raise failure(cause) from cause

    def _shown(self, cause: Exception) -> Exception:
        """What the breaker is shown: what its configuration speaks of."""
        error = failure(cause)
        if isinstance(cause, self._expected) and not isinstance(error, self._expected):
            return cause
        return error

    def _run(self, tried: Callable[[], T], ends: float | None) -> T:
        if ends is None:
            return self._pipeline(tried)()
        around = _context.current()
        ends = ends if around.deadline is None else min(ends, around.deadline)
        with _context.use(around.replace(deadline=ends)):
            return self._pipeline(tried)()


def enhanced_error_handler() -> ErrorHandler:
    """The handler of the process; loaded when there is an error."""
    from holdfast.errors import enhanced_error_handler as handler

    return handler


def out_of_time() -> bool:
    """Whether the caller's deadline has passed."""
    deadline = _context.current().deadline
    return deadline is not None and deadline <= time.monotonic()


def _may_pass(error: BaseException) -> bool:
    """Whether another attempt at the same computation may end differently."""
    if isinstance(error, (*_CALLERS, *_LASTING)):
        return False
    if isinstance(error, NeuromorphicException):
        cause = error.__cause__
        return error.recoverable and not isinstance(cause, _LASTING)
    return True
