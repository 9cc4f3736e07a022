"""The configurations of the decorators by name."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import timedelta

from holdfast.errors import InvalidParameterError
from holdfast.errors._parameters import count, flag, hook, kinds, real, refuse, seconds
from holdfast.resilience._enums import RetryStrategy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


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

    Raises
    ------
    InvalidParameterError
        A field is outside its domain.
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
            real(name, getattr(self, name), least=least)
        flag("jitter", self.jitter)
        kinds("exceptions", self.exceptions)
        hook("on_retry", self.on_retry, optional=True)


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

    Raises
    ------
    InvalidParameterError
        A field is outside its domain, or both spellings of the open time are given and
        differ.
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
        spellings = ("timeout_seconds", "recovery_timeout")
        for name in (*spellings, "monitor_window_seconds"):
            if getattr(self, name) is not None or name not in spellings:
                seconds(name, getattr(self, name), zero=False)
        given = {self.timeout_seconds, self.recovery_timeout} - {None}
        if len(given) > 1:
            raise InvalidParameterError(
                "timeout_seconds and recovery_timeout must be one, being two spellings, got "
                f"{self.timeout_seconds} and {self.recovery_timeout}"
            )
        if self.gradual is None:
            self.gradual = self.timeout_seconds is None and self.recovery_timeout is not None
        flag("gradual", self.gradual)
        if self.success_threshold is None:
            self.success_threshold = 1 if self.gradual else 3
        self.timeout_seconds = self.recovery_timeout = given.pop() if given else 60.0
        for name in ("failure_threshold", "success_threshold"):
            count(name, getattr(self, name))
        rate = self.failure_rate_threshold
        real("failure_rate_threshold", rate, above=0, most=1)
        kinds("expected_exception", self.expected_exception)

    def parameters(self) -> dict[str, Any]:
        """The parameters of `CircuitBreaker` that it stands for."""
        options: dict[str, Any] = {
            "failure_threshold": self.failure_threshold,
            "open_time": self.timeout_seconds,
            "success_threshold": self.success_threshold,
            "half_open_permits": self.success_threshold,
            "success_takes_one": self.gradual,
        }
        if not self.gradual:
            options["window"] = timedelta(seconds=self.monitor_window_seconds)
            options["failure_rate"] = self.failure_rate_threshold
            options["minimum_calls"] = max(10, 2 * self.failure_threshold)
        return options

    def spelt(self, given: dict[str, Any]) -> dict[str, Any]:
        """Changes under this class's names, under those of `CircuitBreaker`.

        Raises
        ------
        InvalidParameterError
            `monitor_window_seconds` is no duration.
        """
        parameters = {_SPELT.get(name, name): value for name, value in given.items()}
        if "monitor_window_seconds" in given:
            window = seconds("monitor_window_seconds", given["monitor_window_seconds"])
            parameters["window"] = timedelta(seconds=window)
        return parameters

    def changed(self, parameters: dict[str, Any]) -> CircuitBreakerConfig:
        """What stands for these parameters of a `CircuitBreaker`."""
        lasts = seconds("open_time", parameters["open_time"])
        window = parameters["window"]
        spanned = isinstance(window, timedelta)
        return replace(
            self,
            failure_threshold=parameters["failure_threshold"] or self.failure_threshold,
            timeout_seconds=lasts,
            recovery_timeout=lasts,
            success_threshold=parameters["success_threshold"],
            gradual=parameters["success_takes_one"],
            failure_rate_threshold=parameters["failure_rate"],
            monitor_window_seconds=(
                window.total_seconds() if spanned else self.monitor_window_seconds
            ),
        )


_SPELT = {
    "timeout_seconds": "open_time",
    "recovery_timeout": "open_time",
    "failure_rate_threshold": "failure_rate",
    "monitor_window_seconds": "window",
    "gradual": "success_takes_one",
}


def known(kind: type[RetryConfig | CircuitBreakerConfig], given: dict[str, Any]) -> None:
    """Refuse names that `kind` does not know."""
    names = [field.name for field in fields(kind)]
    for name in given:
        if name not in names:
            refuse("parameters", f"among {', '.join(names)}", name)
