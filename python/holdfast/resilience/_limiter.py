from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from holdfast import _context, _core
from holdfast.errors import InvalidParameterError
from holdfast.resilience._policy import Policy, count, hook, name_of, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from holdfast._sources import Sample
    from holdfast.resilience._policy import Clock, Seconds

_ALGORITHMS = ("gcra", "token_bucket", "sliding_window")


@dataclass(frozen=True)
class Lockout:
    """Shuts a key out that keeps being refused, and then counts from nothing.

    Attributes
    ----------
    violations : int
        Refusals..
    within : seconds or timedelta
        ..within this long..
    duration : seconds or timedelta
        ..shut it out for this long.
    """

    violations: int = 10
    within: Seconds = 60.0
    duration: Seconds = 300.0


class RateLimiter(Policy):
    """At most so many calls in so much time, for all together or for each key.

    The table of keys is bounded. A key is forgotten only when that changes nothing (its
    bucket is full again, it is not shut out); while the table is full of others, newcomers
    share one bucket: inventing keys neither takes memory nor sets anybody's count back.

    Parameters
    ----------
    limit : int
        Calls per period.
    period : seconds or timedelta, default 1
    burst : int, optional
        Calls that may come at once, at most `limit`, which it is by default. (Only for
        "gcra".)
    algorithm : {"gcra", "token_bucket", "sliding_window"}, default "gcra"
        "gcra" is a token bucket in one number (ITU-T I.371), and "token_bucket" another
        word for it: after a burst, calls pass evenly. "sliding_window" remembers the time
        of each call: never more than `limit` in any window of `period`, for 8 bytes a call.
    max_wait : seconds or timedelta, default 0
        A call that will be allowed within this time (and before its deadline) waits for
        it; others are refused with `RateLimitedError`.
    per_key : bool, default False
        One limit for each key. `key`, `allow`, `deny` or `lockout` imply it.
    key : callable or "principal", optional
        Gives the key from the arguments of a guarded call; "principal" takes the one on
        whose behalf the call is made (`holdfast._context`).
    allow, deny : iterables, optional
        Keys that always and never pass; texts such as "10.0.0.0/8" stand for all
        addresses in a network. What is denied is not allowed.
    lockout : Lockout, optional
    max_keys : int, default 100_000
    name : str, optional
    clock : {"coarse", "precise"} or VirtualClock, default "coarse"

    Attributes
    ----------
    try_acquire : callable
        `try_acquire(key=None, cost=1)` takes `cost` calls if they may be made now.

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
        per_key: bool = False,
        key: Callable[..., object] | str | None = None,
        allow: Iterable[object] = (),
        deny: Iterable[object] = (),
        lockout: Lockout | None = None,
        max_keys: int = 100_000,
        name: str | None = None,
        clock: Clock = "coarse",
    ) -> None:
        if algorithm not in _ALGORITHMS:
            raise InvalidParameterError(
                f"algorithm must be one of {', '.join(_ALGORITHMS)}, got {algorithm!r}"
            )
        name = name_of(self.kind, name)
        allow, deny = list(allow), list(deny)
        keyed = None
        if per_key or key is not None or allow or deny or lockout is not None:
            keyed = (count("max_keys", max_keys), _lockout(lockout), allow, deny)
        core = _core.LimiterPolicy(
            name,
            _rate(limit, period, burst),
            algorithm == "sliding_window",
            _wait(max_wait),
            clock,
            _principal if key == "principal" else hook("key", key),
            keyed,
        )
        options: dict[str, Any] = {
            "limit": limit,
            "period": period,
            "burst": burst,
            "algorithm": algorithm,
        }
        options |= {"max_wait": max_wait, "per_key": per_key, "key": key, "allow": allow}
        options |= {"deny": deny, "lockout": lockout, "max_keys": max_keys}
        super().__init__(name, core, {**options, "name": name, "clock": clock})
        # Straight to the core: a Python method around it would cost more than it does.
        self.try_acquire: Callable[..., bool] = core.try_acquire

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

    def reserve(
        self, key: object = None, cost: int = 1, max_wait: Seconds = float("inf")
    ) -> float | None:
        """Take `cost` calls; the seconds to wait before making them.

        None, and nothing taken, if that is more than `max_wait`.
        """
        wait: float | None = self._core.reserve(key, cost, seconds("max_wait", max_wait))
        return wait

    def forget(self, key: object) -> None:
        """Set a key back: its bucket is full and it is not shut out."""
        self._core.forget(key)

    @property
    def available(self) -> int | None:
        """Calls that could be made at once; None for a limiter per key."""
        available: int | None = self._core.available()
        return available

    def samples(self) -> Iterable[Sample]:
        """Calls refused; keys held."""
        refused, locked_out, keys, crowded = self._core.tally()
        totals = {"refused": refused, "locked_out": locked_out, "crowded": crowded}
        yield from self._totals("limiter_calls", "Calls refused by a limiter", totals)
        yield self._gauge("limiter_keys", "Keys in the table", keys)


def _principal(*_: Any, **__: Any) -> str:
    return _context.current().principal or ""


def _lockout(lockout: Lockout | None) -> tuple[int, float, float] | None:
    if lockout is None:
        return None
    return (
        count("lockout.violations", lockout.violations),
        seconds("lockout.within", lockout.within),
        seconds("lockout.duration", lockout.duration),
    )


def _rate(limit: int, period: Seconds, burst: int | None) -> tuple[int, float, int]:
    limit = count("limit", limit)
    burst = limit if burst is None else count("burst", burst)
    return limit, seconds("period", period), burst


def _wait(max_wait: Seconds) -> float:
    wait = seconds("max_wait", max_wait)
    if not wait >= 0:
        raise InvalidParameterError(f"max_wait must be at least 0, got {wait}")
    return wait
