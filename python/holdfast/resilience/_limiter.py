from __future__ import annotations

from collections import namedtuple

from holdfast import _context, _core
from holdfast.errors._parameters import (
    count,
    entries,
    flag,
    hook,
    instance,
    one_of,
    refuse,
    seconds,
)
from holdfast.resilience._guard import Guard
from holdfast.resilience._policy import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, ClassVar

    from typing_extensions import Self

    from holdfast._sources import Sample
    from holdfast.errors._parameters import Clock, Seconds

LONGEST = 1e9  # seconds; the core counts nanoseconds
_ALGORITHMS = ("sliding_window", "gcra", "token_bucket")


class Lockout(namedtuple("_Lockout", "violations within duration")):  # noqa: PYI024 (no typing)
    """Shuts a key out that keeps being refused, and then counts from nothing.

    Parameters
    ----------
    violations : int, default 10
        Refusals..
    within : seconds or timedelta, default 60
        ..within this long..
    duration : seconds or timedelta, default 300
        ..shut it out for this long.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.
    """

    __slots__ = ()

    def __new__(
        cls, violations: int = 10, within: Seconds = 60.0, duration: Seconds = 300.0
    ) -> Self:
        """Check the parameters."""
        count("violations", violations)
        seconds("within", within, zero=False)
        seconds("duration", duration, zero=False)
        return super().__new__(cls, violations, within, duration)


class RateLimiter(Guard):
    """At most so many calls in so much time, for all together or for each key.

    The table of keys is bounded. A key is forgotten only when that changes nothing (its
    bucket is full again, it is not shut out); while the table is full of others, newcomers
    share one bucket: inventing keys neither takes memory nor sets anybody's count back.

    Parameters
    ----------
    limit : int
        Calls in any window of `period`, whatever the algorithm. The coarse clock may be
        behind by a tick (4 ms on most Linux), by which the period is longer with it.
    period : seconds or timedelta, default 1
    burst : int, optional
        Calls that may come at once: a part of the limit, never on top of it. By default
        all of them for "sliding_window" and 1 for the others.
    algorithm : {"sliding_window", "gcra", "token_bucket"}, default "sliding_window"
        "sliding_window" remembers when calls were made, at most 128 moments exactly and
        more to within a 128th of the period: what has left the window may come again. With
        a smaller `burst`, the rest is spaced out evenly. "gcra" is a token bucket in one
        number (ITU-T I.371), and "token_bucket" another word for it: 8 bytes a key, and no
        lock. It keeps to the limit by following a burst with one call every
        `period / (limit - burst + 1)`.
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
        algorithm: str = "sliding_window",
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
        one_of("algorithm", algorithm, _ALGORITHMS)
        name = name_of(self.kind, name)
        allow, deny = entries("allow", allow), entries("deny", deny)
        shut = _lockout(instance("lockout", lockout, Lockout, optional=True))
        most = count("max_keys", max_keys)
        if key != "principal" and isinstance(key, str):
            refuse("key", "callable, 'principal' or None", key)
        keyed = None
        if flag("per_key", per_key) or key is not None or allow or deny or shut is not None:
            keyed = (most, shut, allow, deny)
        self._sliding = algorithm == "sliding_window"
        core = _core.LimiterPolicy(
            name,
            self._rate(limit, period, burst),
            self._sliding,
            seconds("max_wait", max_wait, endless=True),
            clock,
            _principal if key == "principal" else hook("key", key, optional=True),
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
        """Change the rate in use; calls that were made stay counted.

        Raises
        ------
        InvalidParameterError
            A parameter is outside its domain.
        """
        wait = seconds("max_wait", max_wait, endless=True)
        self._core.configure(self._rate(limit, period, burst), wait)
        self._options |= {"limit": limit, "period": period, "burst": burst}
        self._options["max_wait"] = max_wait

    def reserve(
        self, key: object = None, cost: int = 1, max_wait: Seconds = float("inf")
    ) -> float | None:
        """Take `cost` calls; the seconds to wait before making them.

        None, and nothing taken, if that is more than `max_wait`.

        Raises
        ------
        InvalidParameterError
            `cost` is no integer of at least 1, or `max_wait` no duration.
        """
        wait: float | None = self._core.reserve(
            key, count("cost", cost), seconds("max_wait", max_wait, endless=True)
        )
        return wait

    def forget(self, key: object) -> None:
        """Set a key back: its bucket is full and it is not shut out."""
        self._core.forget(key)

    @property
    def available(self) -> int | None:
        """Calls that could be made at once; None for a limiter per key."""
        available: int | None = self._core.available()
        return available

    def _rate(self, limit: int, period: Seconds, burst: int | None) -> tuple[int, float, int]:
        limit = count("limit", limit)
        if burst is None:
            burst = limit if self._sliding else 1
        lasts = seconds("period", period, zero=False, most=LONGEST)
        return limit, lasts, count("burst", burst)

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
    violations, within, duration = lockout
    return violations, seconds("within", within), seconds("duration", duration)
