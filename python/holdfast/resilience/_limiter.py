from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from holdfast import _core
from holdfast.errors import InvalidParameterError
from holdfast.resilience._policy import Policy, count, name_of, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast._sources import Sample
    from holdfast.resilience._policy import Clock, Seconds

_ALGORITHMS = ("gcra", "sliding_window")


class RateLimiter(Policy):
    """At most so many calls in so much time.

    Parameters
    ----------
    limit : int
        Calls per period.
    period : seconds or timedelta, default 1
    burst : int, optional
        Calls that may come at once, at most `limit`, which it is by default. (Only for
        "gcra".)
    algorithm : {"gcra", "sliding_window"}, default "gcra"
        "gcra" is a token bucket in one number (ITU-T I.371): after a burst, calls pass
        evenly. "sliding_window" remembers the time of each call: never more than `limit`
        in any window of `period`, for 8 bytes a call.
    max_wait : seconds or timedelta, default 0
        A call that will be allowed within this time (and before its deadline) waits for
        it; others are refused with `RateLimitedError`.
    name : str, optional
    clock : {"coarse", "precise"} or VirtualClock, default "coarse"

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.
    """

    kind: ClassVar[str] = "limiter"

    def __init__(
        self,
        limit: int,
        period: Seconds = 1.0,
        *,
        burst: int | None = None,
        algorithm: str = "gcra",
        max_wait: Seconds = 0.0,
        name: str | None = None,
        clock: Clock = "coarse",
    ) -> None:
        if algorithm not in _ALGORITHMS:
            raise InvalidParameterError(
                f"algorithm must be one of {', '.join(_ALGORITHMS)}, got {algorithm!r}"
            )
        name = name_of(self.kind, name)
        core = _core.LimiterPolicy(
            name,
            _rate(limit, period, burst),
            algorithm == "sliding_window",
            _wait(max_wait),
            clock,
        )
        options = {"limit": limit, "period": period, "burst": burst, "algorithm": algorithm}
        options |= {"max_wait": max_wait, "name": name, "clock": clock}
        super().__init__(name, core, options)

    def configure(
        self,
        limit: int,
        period: Seconds = 1.0,
        *,
        burst: int | None = None,
        max_wait: Seconds = 0.0,
    ) -> None:
        """Change the rate in use; calls that were made stay counted."""
        self._core.configure(_rate(limit, period, burst), _wait(max_wait))
        self._options |= {"limit": limit, "period": period, "burst": burst}
        self._options["max_wait"] = max_wait

    def try_acquire(self, cost: int = 1) -> bool:
        """Take `cost` calls if they may be made now."""
        return bool(self._core.try_acquire(cost))

    def reserve(self, cost: int = 1, max_wait: Seconds = float("inf")) -> float | None:
        """Take `cost` calls; the seconds to wait before making them.

        None, and nothing taken, if that is more than `max_wait`.
        """
        wait: float | None = self._core.reserve(cost, seconds("max_wait", max_wait))
        return wait

    @property
    def available(self) -> int:
        """Calls that could be made at once."""
        return int(self._core.available())

    def samples(self) -> Iterable[Sample]:
        """Calls refused."""
        totals = {"refused": float(self._core.refused)}
        return self._totals("limiter_calls", "Calls refused by a limiter", totals)


def _rate(limit: int, period: Seconds, burst: int | None) -> tuple[int, float, int]:
    limit = count("limit", limit)
    burst = limit if burst is None else count("burst", burst)
    return limit, seconds("period", period), burst


def _wait(max_wait: Seconds) -> float:
    wait = seconds("max_wait", max_wait)
    if not wait >= 0:
        raise InvalidParameterError(f"max_wait must be at least 0, got {wait}")
    return wait
