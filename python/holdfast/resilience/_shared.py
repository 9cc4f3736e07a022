"""Limits and open circuits that many processes share through Redis."""

from __future__ import annotations

import functools
import os
import time
from collections import deque

from holdfast import _events
from holdfast.errors import CircuitOpenError, RateLimitedError
from holdfast.errors._parameters import count, instance, real, refuse, seconds, text
from holdfast.resilience._breaker import CircuitBreaker
from holdfast.resilience._guard import Guard
from holdfast.resilience._limiter import LONGEST, RateLimiter
from holdfast.resilience._pipeline import Pipeline, is_coroutine_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, ClassVar, NoReturn

    from holdfast._sources import Sample
    from holdfast.errors._parameters import Seconds

# A sliding window in microseconds of the server's clock. A list holds "begin:end:calls",
# where calls within a 128th of the period share an entry once there are so many; a hash how
# many calls they are, and when the bucket that spaces out a burst is full again. Grants as
# many of ARGV[4] calls as there is room for, at least one; returns how many, or minus the
# wait.
_TAKE = """
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local limit, period = tonumber(ARGV[1]), tonumber(ARGV[2])
local burst, most = tonumber(ARGV[3]), tonumber(ARGV[4])
local held = tonumber(redis.call('HGET', KEYS[2], 'held') or 0)
local full = math.max(tonumber(redis.call('HGET', KEYS[2], 'full') or 0), now)
local ends = now
while true do
  local first = redis.call('LINDEX', KEYS[1], 0)
  if not first then held = 0 break end
  local last, calls = first:match('%d+:(%d+):(%d+)')
  ends = tonumber(last) + period
  if ends > now then break end
  redis.call('LPOP', KEYS[1])
  held = held - tonumber(calls)
end
local pace = math.ceil(period / limit)
local room, wait = limit - held, 0
if room < 1 then wait = ends - now end
if burst < limit then
  room = math.min(room, math.floor((now + pace * burst - full) / pace))
  wait = math.max(wait, full + pace - pace * burst - now)
end
local granted = math.max(0, math.min(room, most))
if granted > 0 then
  local begin, calls = now, granted
  local entry = redis.call('LINDEX', KEYS[1], -1)
  if entry and redis.call('LLEN', KEYS[1]) >= 128 then
    local since, _, before = entry:match('(%d+):(%d+):(%d+)')
    if now - tonumber(since) < period / 128 then
      begin, calls = since, granted + tonumber(before)
      redis.call('RPOP', KEYS[1])
    end
  end
  redis.call('RPUSH', KEYS[1], string.format('%.0f:%.0f:%.0f', begin, now, calls))
end
full = string.format('%.0f', full + granted * pace)
redis.call('HSET', KEYS[2], 'held', held + granted, 'full', full)
local keep = math.ceil(period / 1000) + 1000
redis.call('PEXPIRE', KEYS[1], keep)
redis.call('PEXPIRE', KEYS[2], keep)
if granted > 0 then return granted end
return -math.max(1, math.ceil(wait))
"""


_BATCH = 100_000


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
        import redis.exceptions

        try:
            return question()
        except (redis.exceptions.RedisError, OSError) as error:
            self.errors += 1
            self._down_until = time.monotonic() + self._rest
            if _events.listening():
                told = {"error": type(error).__name__}
                _events.tell(_events.Event("shared.unreachable", source, told))
            return None


def _answers(redis: Any, needed: str) -> Any:
    """A client that can be asked from any thread."""
    asked = getattr(redis, needed, None)
    asynchronous = is_coroutine_function(getattr(redis, "execute_command", None))
    if not callable(asked) or asynchronous:
        rule = (
            "a client of redis-py that is not asyncio's (under `async def` it is asked in a "
            "thread)"
        )
        refuse("redis", rule, redis)
    return redis


class _Shared(Guard):
    """Asks Redis around a call; subclasses say what."""

    _elsewhere: ClassVar[bool] = True

    def _before(self) -> None:
        """Raise if the call may not be made."""

    def _after(self) -> None:
        """Tell the others what changed."""

    def __reduce__(self) -> NoReturn:
        """Refuse: a connection belongs to its process."""
        raise TypeError(f"{self!r} holds a connection to Redis: make one in each process")

    def _inner(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    def _wrap(self, function: Callable[..., Any], *, asynchronous: bool) -> Callable[..., Any]:
        inner = self._inner(function)
        if asynchronous:

            @functools.wraps(function)
            async def shared_async(*args: Any, **kwargs: Any) -> Any:
                import asyncio

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

    No window of `period`, by the clock of the server, counts more than `limit` calls. A call
    is made after it was counted, by the time the answer takes to arrive: bound that with the
    `socket_timeout` of the client, for redis-py has none of its own.

    With `batch` above 1 a process takes several calls at a time and makes one round trip
    for all of them. Those it makes later, it makes at most `freshness` after it asked for
    them; what is left then is lost to everybody. A process holds at most `batch` such calls
    for each of its threads that asked at the same time, since none waits for another.

    While Redis does not answer, each process keeps to a `local_share` of the rate by
    itself and asks Redis again after `freshness`.

    Parameters
    ----------
    redis : redis.Redis
        A client of redis-py (also under `async def`, where it is asked in a thread), not
        one of `redis.asyncio`.
    limit : int
    period : seconds or timedelta, default 1
    burst : int, optional
    name : str
        Shared by all who say it.
    batch : int, default 1
        At most 100,000.
    freshness : seconds or timedelta, default 1
    local_share : float, default 1.0
        The reciprocal of the number of processes keeps the rate as a whole.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.
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
        _answers(redis, "register_script")
        text("name", name, empty=True)
        limit, period = (
            count("limit", limit),
            seconds("period", period, zero=False, most=LONGEST),
        )
        burst = limit if burst is None else count("burst", burst)
        if burst > limit:
            refuse("burst", f"at most the limit, {limit}, inside of which it counts", burst)
        real("local_share", local_share, above=0, most=1)
        self._batch = count("batch", batch)
        if self._batch > _BATCH:
            refuse("batch", f"at most {_BATCH}", batch)
        self._freshness = seconds("freshness", freshness, zero=False)
        local = max(1, int(limit * local_share))
        self._local = RateLimiter(
            local, period, burst=min(burst, local), name=f"{name} (local)"
        )
        self._rate = (limit, max(1, round(period * 1e6)), burst)
        self._remote = _Remote(redis, self._freshness)
        self._script = redis.register_script(_TAKE)
        # The process, and until when each call that was granted to it may be made.
        self._granted: tuple[int, deque[float]] = os.getpid(), deque()
        self._refused = 0
        super().__init__(name, None, {"limit": limit, "period": period, "name": name})

    def try_acquire(self) -> bool:
        """Take one call if it may be made now."""
        return self._take() is None

    def _take(self) -> float | None:
        """None if the call may be made, else the seconds after which to ask again."""
        granted = self._mine()
        asked = time.monotonic()
        while granted:
            try:
                until = granted.popleft()
            except IndexError:  # another thread took the last
                break
            if asked < until:
                return None
        # One slot of a cluster for both.
        keys = [f"holdfast:limiter:{{{self.name}}}:{part}" for part in ("calls", "held")]
        arguments = (*self._rate, self._batch)
        answer = self._remote.ask(self.name, lambda: self._script(keys=keys, args=arguments))
        if answer is None:
            wait = self._local.reserve(max_wait=0.0)
            return None if wait is not None else self._freshness
        if answer > 0:
            granted.extend([asked + self._freshness] * (int(answer) - 1))
            return None
        return -float(answer) / 1e6

    def _mine(self) -> deque[float]:
        """What was granted to this process: what a fork copied is its parent's."""
        owner, granted = self._granted
        if owner != os.getpid():
            granted = deque()
            self._granted = os.getpid(), granted
        return granted

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
    Redis. A process asks at most every `freshness`, and goes by the last answer while it
    asks: after another has opened it may make calls for that long, and for as long as the
    other takes to tell and this one to ask. While Redis does not answer, each goes on by
    itself.

    Parameters
    ----------
    breaker : CircuitBreaker
        Its name is shared by all who say it.
    redis : redis.Redis
    freshness : seconds or timedelta, default 1

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.
    """

    kind: ClassVar[str] = "shared-breaker"

    def __init__(
        self, breaker: CircuitBreaker, redis: Any, *, freshness: Seconds = 1.0
    ) -> None:
        instance("breaker", breaker, CircuitBreaker)
        _answers(redis, "pttl")
        self.breaker = breaker
        self._freshness = seconds("freshness", freshness, zero=False)
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
