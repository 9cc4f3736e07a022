from __future__ import annotations

from holdfast import _core
from holdfast.errors import RejectedError
from holdfast.errors._parameters import (
    count,
    hook,
    instance,
    kinds,
    one_of,
    real,
    refuse,
    seconds,
)
from holdfast.resilience._enums import RetryStrategy
from holdfast.resilience._guard import Guard
from holdfast.resilience._policy import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, ClassVar

    from holdfast._sources import Sample
    from holdfast.errors._parameters import Clock, Kinds, Seconds
    from holdfast.resilience._attempts import Attempts
    from holdfast.resilience._config import RetryConfig

_JITTERS = ("full", "decorrelated", "none")


class RetryBudget:
    """A bound on retries that several policies share (Finagle's `RetryBudget`).

    Retries are at most `share` of the calls plus `per_second`, so that they cannot
    multiply through layers when a dependency fails.

    Parameters
    ----------
    share : float, default 0.2
        Retries per call.
    per_second : float, default 1.0
        Retries that are free.
    reserve : float, default 10
        Retries it starts with, and the most it saves; at least 1.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.
    """

    def __init__(
        self, share: float = 0.2, *, per_second: float = 1.0, reserve: float = 10.0
    ) -> None:
        self._options = (
            real("share", share, least=0, most=1),
            real("per_second", per_second, least=0),
            real("reserve", reserve, least=1),
        )
        self._core = _core.RetryBudget(*self._options)

    def deposit(self) -> None:
        """Take note of a call that is no retry."""
        self._core.deposit()

    def withdraw(self) -> bool:
        """Whether a retry may be made; if so it is paid for."""
        return self._core.withdraw()

    @property
    def balance(self) -> float:
        """Retries that could be made at once."""
        return self._core.balance

    def __reduce__(self) -> tuple[Callable[..., RetryBudget], tuple[float, float, float]]:
        """Pickle the parameters."""
        return _budget, self._options


def _budget(share: float, per_second: float, reserve: float) -> RetryBudget:
    return RetryBudget(share, per_second=per_second, reserve=reserve)


class Retry(Guard):
    """Try again.

    The last failure is raised as it is. `KeyboardInterrupt`, cancellation and
    `MemoryError` are never retried, and neither are refusals by other guards
    (`RejectedError`) unless `on` names them. A wait that would end after the deadline of
    the call is not begun.

    Parameters
    ----------
    max_attempts : int, default 3
        The first call is one of them.
    on : exception class or classes, default Exception
        What is retried. Name what is known to pass and the operation that may be repeated.
    strategy : {"exponential_backoff", "fixed_delay", "linear_backoff", "fibonacci_backoff"}
        After failed attempt n: `base_delay` times `backoff_multiplier**(n - 1)`, 1, n, or
        1, 2, 3, 5, 8, ...
    base_delay, max_delay : seconds or timedelta, default 0.1 and 5
        The interval is capped first and then spread, so that clients stay apart at the cap.
    jitter : {"full", "decorrelated", "none"} or float, default "full"
        "full": uniform from 0 to the interval; "decorrelated": uniform from `base_delay`
        to three times the last wait (both: Brooker, AWS Architecture Blog, 2015). A number
        is a share: the interval give or take that much, and then the cap once more.
    max_elapsed : seconds or timedelta, optional
        No attempt begins later than this after the first.
    budget : RetryBudget, optional
    retry_if : callable, optional
        Given the exception, whether to retry it after all.
    retry_result : callable, optional
        Given the result, whether it calls for another attempt.
    on_retry : callable, optional
        Called with the number of the failed attempt and its exception before each wait;
        what it raises is logged.
    name : str, optional

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.
    """

    kind: ClassVar[str] = "retry"

    def __init__(
        self,
        max_attempts: int | RetryConfig = 3,
        *,
        on: Kinds = Exception,
        strategy: str | RetryStrategy = RetryStrategy.EXPONENTIAL_BACKOFF,
        base_delay: Seconds = 0.1,
        max_delay: Seconds = 5.0,
        backoff_multiplier: float = 2.0,
        jitter: str | float = "full",
        max_elapsed: Seconds | None = None,
        budget: RetryBudget | None = None,
        retry_if: Callable[[Exception], bool] | None = None,
        retry_result: Callable[[Any], bool] | None = None,
        on_retry: Callable[[int, BaseException | None], object] | None = None,
        name: str | None = None,
    ) -> None:
        if type(max_attempts) is not int:
            from holdfast.resilience._config import RetryConfig

            if isinstance(max_attempts, RetryConfig):
                config = max_attempts
                max_attempts, on, strategy = (
                    config.max_attempts,
                    config.exceptions,
                    config.strategy,
                )
                base_delay, max_delay = config.base_delay, config.max_delay
                backoff_multiplier, on_retry = config.backoff_multiplier, config.on_retry
                jitter = 0.1 if config.jitter else "none"
        options = {
            "max_attempts": max_attempts,
            "on": on,
            "strategy": strategy,
            "base_delay": base_delay,
            "max_delay": max_delay,
            "backoff_multiplier": backoff_multiplier,
            "jitter": jitter,
            "max_elapsed": max_elapsed,
            "budget": budget,
            "retry_if": retry_if,
            "retry_result": retry_result,
            "on_retry": on_retry,
        }
        name = options["name"] = name_of(self.kind, name)
        instance("budget", budget, RetryBudget, optional=True)
        retried = kinds("on", on)
        core = _core.RetryPolicy(
            name,
            count("max_attempts", max_attempts),
            None if max_elapsed is None else seconds("max_elapsed", max_elapsed, zero=False),
            (
                RetryStrategy.of(strategy).value,
                seconds("base_delay", base_delay),
                seconds("max_delay", max_delay),
                real("backoff_multiplier", backoff_multiplier, least=1),
            ),
            _spread(jitter),
            None if budget is None else budget._core,  # noqa: SLF001
            retried,
            any(issubclass(kind, RejectedError) for kind in retried),
            (
                hook("retry_if", retry_if, optional=True),
                hook("retry_result", retry_result, optional=True),
                hook("on_retry", on_retry, optional=True),
            ),
        )
        super().__init__(name, core, options)

    def attempts(self, clock: Clock = "coarse") -> Attempts:
        """Attempts at a block, as a loop; see `Attempts`."""
        from holdfast.resilience._attempts import Attempts

        return Attempts(self, clock)

    def wait(self, attempt: int, chance: float = 0.5, previous: float = 0.0) -> float:
        """The seconds to wait after failed `attempt` for a draw of `chance` in [0, 1)."""
        return float(self._core.wait(attempt, previous, chance))

    @property
    def retries(self) -> int:
        """Attempts after the first, so far."""
        return int(self._core.tally()[0])

    def samples(self) -> Iterable[Sample]:
        """Attempts repeated, and calls that failed all the same."""
        repeated, given_up = self._core.tally()
        text = "Attempts repeated, and calls given up"
        return self._totals("retries", text, {"repeated": repeated, "given_up": given_up})


def _spread(jitter: str | float) -> tuple[str, float]:
    """How the core calls it."""
    if isinstance(jitter, str):
        return one_of("jitter", jitter, _JITTERS), 0.0
    try:
        return "share", real("jitter", jitter, least=0, most=1)
    except ValueError:
        refuse("jitter", f"one of {', '.join(_JITTERS)}, or a share from 0 to 1", jitter)
