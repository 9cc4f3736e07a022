"""The configurations of the decorators by name."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.errors import InvalidParameterError
from holdfast.resilience._policy import count, hook, kinds, real

if TYPE_CHECKING:
    from collections.abc import Callable


class CircuitState(str, enum.Enum):
    """Whether calls pass."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    DISABLED = "disabled"
    FORCED_OPEN = "forced_open"
    METRICS_ONLY = "metrics_only"


class RetryStrategy(str, enum.Enum):
    """How the interval between attempts grows."""

    FIXED_DELAY = "fixed_delay"
    EXPONENTIAL_BACKOFF = "exponential_backoff"
    LINEAR_BACKOFF = "linear_backoff"
    FIBONACCI_BACKOFF = "fibonacci_backoff"

    @classmethod
    def of(cls, strategy: str | RetryStrategy) -> RetryStrategy:
        """The strategy of that name."""
        try:
            return cls(strategy)
        except ValueError:
            names = ", ".join(member.value for member in cls)
            raise InvalidParameterError(
                f"strategy must be one of {names}, got {strategy!r}"
            ) from None


@dataclass
class RetryConfig:
    """How often and when to try again, for `retry(name, ...)` and `Retry`.

    Attributes
    ----------
    max_attempts : int
        The first call is one of them.
    strategy : RetryStrategy or str
    base_delay, max_delay : float
        Seconds.
    jitter : bool
        Give or take 10 % of the delay; never more than `max_delay`.
    backoff_multiplier : float
        For the exponential strategy.
    exceptions : tuple of exception classes
        What is retried.
    on_retry : callable, optional
        Called with the number of the failed attempt and its exception.
    """

    max_attempts: int = 3
    strategy: RetryStrategy | str = RetryStrategy.EXPONENTIAL_BACKOFF
    base_delay: float = 1.0
    max_delay: float = 60.0
    jitter: bool = True
    backoff_multiplier: float = 2.0
    exceptions: tuple[type[BaseException], ...] = (Exception,)
    on_retry: Callable[[int, BaseException | None], object] | None = None

    def __post_init__(self) -> None:
        """Check what would otherwise fail at the first call."""
        self.strategy = RetryStrategy.of(self.strategy)
        count("max_attempts", self.max_attempts)
        for name, least in (
            ("base_delay", 0.0),
            ("max_delay", 0.0),
            ("backoff_multiplier", 1.0),
        ):
            real(name, getattr(self, name), least)
        if not isinstance(self.jitter, bool):
            raise InvalidParameterError(f"jitter must be a bool, got {self.jitter!r}")
        kinds("exceptions", self.exceptions)
        hook("on_retry", self.on_retry)


@dataclass
class CircuitBreakerConfig:
    """When a breaker opens and closes, for `circuit_breaker(name, ...)`.

    The open time has two spellings, which differ in more than the name. With
    `timeout_seconds` (the default) a success clears the count of failures, three trials
    close the breaker, and half of at least 10 calls failing within
    `monitor_window_seconds` opens it too. With `recovery_timeout` a success takes one
    failure back and one trial closes it.

    Attributes
    ----------
    failure_threshold : int
        Failures that open it.
    timeout_seconds, recovery_timeout : float
        Seconds it stays open; give one of them.
    success_threshold : int
        Successful trials that close it.
    monitor_window_seconds, failure_rate_threshold : float
        The rate rule of the first spelling.
    expected_exception : exception class or tuple of them
        What counts as a failure.
    gradual : bool
        Whether a success takes one failure back; follows from the spelling.
    """

    failure_threshold: int = 5
    timeout_seconds: float | None = None
    success_threshold: int | None = None
    monitor_window_seconds: float = 300.0
    failure_rate_threshold: float = 0.5
    recovery_timeout: float | None = None
    expected_exception: type[BaseException] | tuple[type[BaseException], ...] = Exception
    gradual: bool | None = None

    def __post_init__(self) -> None:
        """Fill in what follows from the spelling."""
        given = {self.timeout_seconds, self.recovery_timeout} - {None}
        if len(given) > 1:
            raise InvalidParameterError(
                "timeout_seconds and recovery_timeout are two spellings, got "
                f"{self.timeout_seconds} and {self.recovery_timeout}"
            )
        if self.gradual is None:
            self.gradual = self.timeout_seconds is None and self.recovery_timeout is not None
        if self.success_threshold is None:
            self.success_threshold = 1 if self.gradual else 3
        self.timeout_seconds = self.recovery_timeout = given.pop() if given else 60.0
        for name in ("failure_threshold", "success_threshold"):
            count(name, getattr(self, name))
        for name in ("timeout_seconds", "monitor_window_seconds"):
            real(name, getattr(self, name))
            if not getattr(self, name) > 0:
                raise InvalidParameterError(
                    f"{name} must be finite and greater than 0, got {getattr(self, name)}"
                )
        real("failure_rate_threshold", self.failure_rate_threshold, 0.0, 1.0)
        kinds("expected_exception", self.expected_exception)
