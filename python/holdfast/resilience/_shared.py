"""Limits and open circuits that many processes share through Redis."""

from __future__ import annotations

import functools
import time
from abc import ABC, abstractmethod
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

from holdfast import _events
from holdfast.errors import CircuitOpenError, InvalidParameterError, RateLimitedError
from holdfast.resilience._breaker import CircuitBreaker
from holdfast.resilience._limiter import RateLimiter
from holdfast.resilience._pipeline import Pipeline
from holdfast.resilience._policy import Policy, count, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from holdfast._sources import Sample
    from holdfast.resilience._policy import Seconds

# The generic cell rate algorithm in microseconds of the server's clock. Grants as many of
# ARGV[3] calls as there is room for, at least one; returns how many, or minus the wait.
_TAKE = """
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local room = math.floor((now + interval * burst - full) / interval)
if room < 1 then return -math.ceil(full + interval - interval * burst - now) end
local granted = math.min(room, tonumber(ARGV[3]))
full = full + granted * interval
redis.call('SET', KEYS[1], string.format('%.0f', full),
           'PX', math.ceil((full - now) / 1000) + 1000)
return granted
"""


class _Remote:
    """Redis, while it answers; after an error it is left alone for a while."""

    def __init__(self, redis: Any, rest: float) -> None:
        self.redis = redis
        self._rest = rest
        self._down_until = 0.0
        self.errors = 0

    def ask(self, source: str, question: Callable[[], Any]) -> Any:
        """The answer, or None if Redis does not answer."""
        if time.monotonic() < self._down_until:
            return None
        import redis.exceptions  # noqa: PLC0415

        try:
            return question()
        except (redis.exceptions.RedisError, OSError) as error:
            self.errors += 1
            self._down_until = time.monotonic() + self._rest
            if _events.listening():
                told = {"error": type(error).__name__}
                _events.tell(_events.Event("shared.unreachable", source, told))
            return None


class _Shared(Policy, ABC):
    _elsewhere: ClassVar[bool] = True

    @abstractmethod
    def _before(self) -> None:
        """Ask the others, and refuse the call if they say so."""

    def _after(self) -> None:
        """Tell the others what changed."""

    def _inner(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    def _wrap(self, function: Callable[..., Any], *, asynchronous: bool) -> Callable[..., Any]:
        inner = self._inner(function)
        if asynchronous:

            @functools.wraps(function)
            async def shared_async(*args: Any, **kwargs: Any) -> Any:
                import asyncio  # noqa: PLC0415

                await asyncio.to_thread(self._before)
                try:
                    return await inner(*args, **kwargs)
                finally:
                    await asyncio.to_thread(self._after)

            return shared_async

        @functools.wraps(function)
        def shared(*args: Any, **kwargs: Any) -> Any:
            self._before()
            try:
                return inner(*args, **kwargs)
            finally:
                self._after()

        return shared


class SharedRateLimiter(_Shared):
    """One rate for all processes that use the same Redis and name.

    With `batch` above 1 a process takes several calls at a time and makes one round trip
    for all of them; calls it does not make within `freshness` are lost to everybody, so at
    most `batch` calls per process may come up to `freshness` later than they were counted.

    While Redis does not answer, each process keeps to a `local_share` of the rate by
    itself and asks Redis again after `freshness`.

    Parameters
    ----------
    redis : redis.Redis
        A client of redis-py (also under `async def`, where it is asked in a thread).
    limit : int
    period : seconds or timedelta, default 1
    burst : int, optional
    name : str
        Shared by all who say it.
    batch : int, default 1
    freshness : seconds or timedelta, default 1
    local_share : float, default 1.0
        The reciprocal of the number of processes keeps the rate as a whole.
    """

    kind: ClassVar[str] = "shared-limiter"

    def __init__(
        self,
        redis: Any,
        limit: int,
        period: Seconds = 1.0,
        *,
        name: str,
        burst: int | None = None,
        batch: int = 1,
        freshness: Seconds = 1.0,
        local_share: float = 1.0,
    ) -> None:
        limit, period = count("limit", limit), seconds("period", period)
        burst = limit if burst is None else count("burst", burst)
        if not 0 < local_share <= 1:
            raise InvalidParameterError(f"local_share must be in (0, 1], got {local_share}")
        self._batch = count("batch", batch)
        self._freshness = seconds("freshness", freshness)
        local = max(1, int(limit * local_share))
        self._local = RateLimiter(
            local, period, burst=min(burst, local), name=f"{name} (local)"
        )
        self._rate = (max(1, round(period / limit * 1e6)), burst)
        self._remote = _Remote(redis, self._freshness)
        self._script = redis.register_script(_TAKE)
        self._lock = Lock()
        self._granted, self._until = 0, 0.0
        self._refused = 0
        super().__init__(name, None, {"limit": limit, "period": period, "name": name})

    def try_acquire(self) -> bool:
        """Take one call if it may be made now."""
        return self._take() is None

    def _take(self) -> float | None:
        """None if the call may be made, else the seconds after which to ask again."""
        with self._lock:
            if self._granted and time.monotonic() < self._until:
                self._granted -= 1
                return None
        key = f"holdfast:limiter:{self.name}"
        arguments = (*self._rate, self._batch)
        answer = self._remote.ask(self.name, lambda: self._script(keys=[key], args=arguments))
        if answer is None:
            wait = self._local.reserve(max_wait=0.0)
            return None if wait is not None else self._freshness
        if answer > 0:
            with self._lock:
                self._granted = int(answer) - 1
                self._until = time.monotonic() + self._freshness
            return None
        return -float(answer) / 1e6

    def _before(self) -> None:
        wait = self._take()
        if wait is not None:
            self._refused += 1
            raise RateLimitedError(self.name, wait)

    def samples(self) -> Iterable[Sample]:
        """Calls refused, and times Redis did not answer."""
        totals = {"refused": self._refused, "unreachable": self._remote.errors}
        return self._totals("shared_limiter_calls", "Calls refused by a shared limit", totals)


class SharedBreaker(_Shared):
    """A breaker that opens in all processes when it opens in one.

    Each process counts and decides for itself; that a circuit is open is told through
    Redis. A process asks at most every `freshness`, so it may make calls for that long
    after another has opened. While Redis does not answer, each goes on by itself.

    Parameters
    ----------
    breaker : CircuitBreaker
        Its name is shared by all who say it.
    redis : redis.Redis
    freshness : seconds or timedelta, default 1
    """

    kind: ClassVar[str] = "shared-breaker"

    def __init__(
        self, breaker: CircuitBreaker, redis: Any, *, freshness: Seconds = 1.0
    ) -> None:
        if not isinstance(breaker, CircuitBreaker):
            raise InvalidParameterError(f"breaker must be a CircuitBreaker, got {breaker!r}")
        self.breaker = breaker
        self._freshness = seconds("freshness", freshness)
        self._remote = _Remote(redis, self._freshness)
        self._key = f"holdfast:breaker:{breaker.name}"
        self._asked = self._closed_until = 0.0
        self._open = False
        super().__init__(breaker.name, None, {"breaker": breaker})

    def _inner(self, function: Callable[..., Any]) -> Callable[..., Any]:
        inner: Callable[..., Any] = Pipeline(self.breaker)(function)
        return inner

    def _before(self) -> None:
        now = time.monotonic()
        if now >= self._asked + self._freshness:
            self._asked = now
            left = self._remote.ask(self.name, lambda: self._remote.redis.pttl(self._key))
            # What this process told itself it need not obey: its own breaker does.
            if left is not None and left > 0 and not self._open:
                self._closed_until = now + left / 1e3
            elif left is not None:
                self._closed_until = 0.0
        if now < self._closed_until:
            wait = self._closed_until - now
            raise CircuitOpenError(self.name, self.breaker.failure_count, None, wait)

    def _after(self) -> None:
        is_open = self.breaker.state == "open"
        if is_open == self._open:
            return
        self._open = is_open
        redis = self._remote.redis
        if is_open:
            lasts = max(1, int(1e3 * self.breaker.open_time))
            self._remote.ask(self.name, lambda: redis.set(self._key, "open", px=lasts))
        else:
            self._remote.ask(self.name, lambda: redis.delete(self._key))

    def samples(self) -> Iterable[Sample]:
        """Times Redis did not answer."""
        totals = {"unreachable": float(self._remote.errors)}
        return self._totals("shared_breaker", "Questions to Redis without an answer", totals)
