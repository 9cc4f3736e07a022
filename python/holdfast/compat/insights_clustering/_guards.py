"""Breaker, retry and timeout as the older clusterer's module had them.

They are the guards of `holdfast.resilience`; what they raise is a `NeuromorphicException`.
"""

from __future__ import annotations

import functools
import inspect
from contextlib import contextmanager
from datetime import timezone
from typing import TYPE_CHECKING, Any, TypeVar, cast

from holdfast import resilience
from holdfast.compat._waits import call_again
from holdfast.errors import (
    CircuitOpenError,
    DeadlineExceededError,
    NeuromorphicErrorType,
    NeuromorphicException,
)
from holdfast.resilience import CircuitState, Pipeline, Retry, Timeout, VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    _Called = TypeVar("_Called", bound=Callable[..., Any])

CircuitBreakerState = CircuitState
_AT_ONCE = 1e-9  # seconds


class CircuitBreakerConfig(resilience.CircuitBreakerConfig):
    """When a breaker opens, and for how long.

    Parameters
    ----------
    failure_threshold : int, default=5
    recovery_timeout : float, default=60
        Seconds; after 0 the next call is a trial.
    expected_exception : exception class or tuple of them, default=Exception
        What counts as a failure.

    Raises
    ------
    InvalidParameterError
        If a parameter is outside its domain.
    """

    def __init__(
        self,
        failure_threshold: int = 5,
        recovery_timeout: float = 60,
        expected_exception: type[BaseException] | tuple[type[BaseException], ...] = Exception,
    ) -> None:
        super().__init__(
            failure_threshold,
            recovery_timeout=_AT_ONCE if recovery_timeout == 0 else recovery_timeout,
            expected_exception=expected_exception,
        )
        self.recovery_timeout = recovery_timeout


class CircuitBreaker:
    """Decorate with it: calls are refused after repeated failures.

    A success takes one failure back; after `recovery_timeout` one trial closes it.

    Parameters
    ----------
    config : CircuitBreakerConfig
    clock : {"coarse", "precise"} or VirtualClock

    Examples
    --------
    >>> breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=1))
    >>> breaker(int)("3"), breaker.state.value
    (3, 'closed')
    """

    def __init__(
        self,
        config: resilience.CircuitBreakerConfig,
        *,
        clock: str | VirtualClock = "coarse",
    ) -> None:
        self.config = config
        self._breaker = resilience.CircuitBreaker(config, clock=clock)
        self._dated: datetime | None = None  # by hand

    @classmethod
    def over(cls, breaker: resilience.CircuitBreaker) -> CircuitBreaker:
        """The same breaker, by the names of this class."""
        shown = cls.__new__(cls)
        config = breaker.config or CircuitBreakerConfig()
        vars(shown).update(config=config, _breaker=breaker, _dated=None)
        return shown

    def __getattr__(self, name: str) -> Any:
        """What is not older is the breaker's own."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._breaker, name)

    @property
    def state(self) -> CircuitState:
        """As of the last call; set by hand, open lasts the usual time from now."""
        return self._breaker.state

    @state.setter
    def state(self, state: CircuitState | str) -> None:
        self._breaker.state = CircuitState(state)

    @property
    def failure_count(self) -> int:
        """Failures, less what successes took back."""
        return self._breaker.failure_count

    @property
    def last_failure_time(self) -> datetime | None:
        """UTC, without a time zone; None before the first failure and once it has closed."""
        last = self._breaker.last_failure_time
        if last is None or (self._dated is not last and not self._breaker.failure_count):
            return None
        return last.astimezone(timezone.utc).replace(tzinfo=None)

    @last_failure_time.setter
    def last_failure_time(self, moment: datetime | None) -> None:
        if moment is not None and moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        self._breaker.last_failure_time = self._dated = moment

    def __call__(self, function: _Called) -> _Called:
        """Guard `function`.

        Raises
        ------
        NeuromorphicException
            From the guarded function, while the breaker is open.
        """
        guarded = self._breaker(function)

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def call_soon(*args: Any, **kwargs: Any) -> Any:
                with self._told():
                    return await guarded(*args, **kwargs)

            return cast("_Called", call_soon)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self._told():
                return guarded(*args, **kwargs)

        return cast("_Called", call)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except CircuitOpenError as refusal:
            raise NeuromorphicException(
                str(refusal),
                NeuromorphicErrorType.RESOURCE_ERROR,
                context={"failure_count": self.failure_count},
                recoverable=False,
            ) from refusal


class RetryManager:
    """Tries again with growing waits.

    Parameters
    ----------
    max_retries : int, default=3
        Attempts after the first.
    base_delay, max_delay : float, default=1.0 and 60.0
        Seconds: after attempt n, counted from 0, `base_delay * 2**n`, at most `max_delay`.
    clock : VirtualClock, optional
        Time that moves when told, for tests.

    Raises
    ------
    InvalidParameterError
        If a parameter is outside its domain.
    """

    def __init__(
        self,
        max_retries: int = 3,
        base_delay: float = 1.0,
        max_delay: float = 60.0,
        *,
        clock: VirtualClock | None = None,
    ) -> None:
        self.max_retries = max_retries
        self.base_delay = base_delay
        self.max_delay = max_delay
        self._retry = Retry(
            max_retries + 1, base_delay=base_delay, max_delay=max_delay, jitter="none"
        )
        self._clock = clock

    def retry_with_backoff(
        self, operation: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Call `operation` until it succeeds; cancellation and `MemoryError` end it at once.

        Raises
        ------
        NeuromorphicException
            That of the last attempt, or in the place of any other exception.
        """
        try:
            if self._clock is None:
                return call_again(self._retry, operation, *args, **kwargs)
            pipeline = Pipeline(self._retry, clock=self._clock)
            return pipeline(functools.partial(operation, *args, **kwargs))()
        except NeuromorphicException:
            raise
        except Exception as error:
            raise NeuromorphicException(
                f"the operation failed after {self.max_retries} retries: {error}",
                NeuromorphicErrorType.RESOURCE_ERROR,
                context={"original_exception": repr(error), "retries": self.max_retries},
            ) from error


def timeout_operation(timeout_seconds: float = 300) -> Callable[[_Called], _Called]:
    """Decorate a function whose caller waits no longer than `timeout_seconds`.

    The call itself goes on in a thread of its own, which Python cannot stop; computations
    of Holdfast in it see the deadline and end.

    Raises
    ------
    InvalidParameterError
        If `timeout_seconds` is not greater than 0.
    NeuromorphicException
        From the decorated function, when the time is up.
    """
    limit = Timeout(timeout_seconds, mode="abandon")

    def decorate(function: _Called) -> _Called:
        bounded = limit(function)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return bounded(*args, **kwargs)
            except DeadlineExceededError as error:
                name = getattr(function, "__name__", repr(function))
                raise NeuromorphicException(
                    f"{name} took longer than {timeout_seconds:g} s",
                    NeuromorphicErrorType.TIMEOUT_ERROR,
                    context={"timeout_seconds": timeout_seconds},
                ) from error

        return cast("_Called", call)

    return decorate
