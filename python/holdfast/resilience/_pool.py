from __future__ import annotations

import sys
from threading import Lock

from holdfast import _core, _events, _sources
from holdfast.errors import BulkheadFullError, RejectedError
from holdfast.errors._parameters import count, hook, instance, seconds
from holdfast.resilience import _block
from holdfast.resilience._bulkhead import Bulkhead
from holdfast.resilience._policy import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Any, ClassVar, Generic, TypeVar

    from holdfast.errors._parameters import Clock, Seconds

    T = TypeVar("T")

    class _Of(Generic[T]):
        """Has a type parameter."""

else:
    from types import GenericAlias

    class _Of:
        """Has a type parameter, without the module `typing`."""

        __class_getitem__ = classmethod(GenericAlias)

    T = None


class Pool(_Of[T]):
    """A bounded number of connections, files or devices.

    A lease gives a resource for the time of a `with` block. What is idle is checked before
    it is lent, closed when it is too old or idle for too long, and when its check fails; a
    block that ends by an exception has its resource checked too. When all are lent, callers
    wait up to `max_wait`, first come, first served.

    A lease that is out for longer than `leak_after`, or whose holder forgot it, is told as
    `pool.leaked` with the place in the code that took it.

    Parameters
    ----------
    create : callable
        Makes a resource; under `async with` it may be a coroutine function.
    close : callable, optional
        Closes one; by default its `close()`, if it has one. What it raises is logged. It may
        be a coroutine function where the pool is used in an event loop.
    check : callable, optional
        Whether a resource is healthy. What it raises counts as no. Under `async with` it may
        be a coroutine function.
    max_size : int, default 10
    max_wait : seconds or timedelta, default 30
    max_idle, max_age, leak_after : seconds or timedelta, default 300, 3600 and 600
        None stands for ever.
    name : str, optional
    clock : {"coarse", "precise"} or VirtualClock, default "coarse"

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.

    Examples
    --------
    >>> import io
    >>> pool = Pool(io.StringIO, max_size=2)
    >>> with pool.lease() as text:
    ...     text.write("hello")
    5
    >>> pool.counts
    (1, 0)
    """

    kind: ClassVar[str] = "pool"

    def __init__(
        self,
        create: Callable[[], Any],
        *,
        close: Callable[[T], Any] | None = None,
        check: Callable[[T], Any] | None = None,
        max_size: int = 10,
        max_wait: Seconds = 30.0,
        max_idle: Seconds | None = 300.0,
        max_age: Seconds | None = 3600.0,
        leak_after: Seconds | None = 600.0,
        name: str | None = None,
        clock: Clock = "coarse",
    ) -> None:
        self._create = hook("create", create)
        self.name = name_of(self.kind, name)
        self._close = hook("close", close, optional=True)
        self._check = hook("check", check, optional=True)

        def lasts(parameter: str, value: Seconds | None) -> float | None:
            return None if value is None else seconds(parameter, value, zero=False)

        self._size = count("max_size", max_size)
        self._books = _core.PoolBooks(
            self._size,
            lasts("max_idle", max_idle),
            lasts("max_age", max_age),
            lasts("leak_after", leak_after),
            clock,
        )
        self._places = Bulkhead(max_size, max_wait=max_wait, max_queue=1 << 20, name=self.name)
        self._resources: dict[int, T] = {}
        self._taken: dict[int, str] = {}
        self._lock = Lock()
        self._leaked = self._closed = 0
        self._closing: set[Any] = set()
        _sources.register(self)

    def lease(self) -> Lease[T]:
        """A resource for the time of a `with` or `async with` block."""
        return Lease(self)

    def sweep(self) -> None:
        """Close what was idle for too long, and tell what has leaked; done at each lease."""
        closed, leaked = self._books.sweep()
        for number in closed:
            self._discard(number)
        for number, out in leaked:
            self._tell_leak(number, out)

    def drain(self) -> None:
        """Lend nothing from now on, close what is idle, and the rest as it comes back."""
        self._books.drain()
        self.sweep()

    @property
    def counts(self) -> tuple[int, int]:
        """Resources idle and lent."""
        idle, lent = self._books.counts()
        return idle, lent

    def samples(self) -> Iterable[_sources.Sample]:
        """Resources idle and lent; leaks and closings."""
        labels = {"name": self.name}
        idle, lent = self._books.counts()
        for state, value in (("idle", idle), ("lent", lent)):
            text = "Resources of a pool"
            held = {**labels, "state": state}
            yield _sources.Sample("holdfast_pool_resources", "gauge", text, held, value)
        for what, total in (("leaked", self._leaked), ("closed", self._closed)):
            text = "Resources of a pool that leaked or were closed"
            told = {**labels, "what": what}
            yield _sources.Sample("holdfast_pool_total", "counter", text, told, total)

    def _lend(self) -> tuple[int, bool]:
        """The number of a resource and whether it is there already; a place is held."""
        self.sweep()
        kind, number = self._books.lend()
        if kind == "draining":
            raise RejectedError(self.name, "the pool is draining")
        if kind == "none":  # pragma: no cover (a place is held for each)
            raise RejectedError(self.name, "all resources are lent")
        return number, kind == "idle"

    def _keep(self, number: int, resource: T) -> None:
        with self._lock:
            self._resources[number] = resource
            self._taken[number] = _place()

    def _healthy(self, resource: T) -> Any:
        if self._check is None:
            return True
        try:
            return self._check(resource)
        except Exception:  # noqa: BLE001 (a check that fails says no)
            return False

    async def _sound(self, resource: T) -> bool:
        """`_healthy` where the check may have to be awaited."""
        try:
            return bool(await _settled(self._healthy(resource)))
        except Exception:  # noqa: BLE001 (a check that fails says no)
            return False

    def _dispose(self, number: int) -> Any:
        """Close a resource; what closing raises is logged, or returned to await."""
        with self._lock:
            self._taken.pop(number, None)
            if number not in self._resources:
                return None
            resource = self._resources.pop(number)
            self._closed += 1
        try:
            if self._close is not None:
                return self._close(resource)
            close = getattr(resource, "close", None)
            return None if close is None else close()
        except Exception:  # noqa: BLE001 (it is logged)
            self._log("closing a resource of %s failed")
            return None

    async def _close_soon(self, pending: Any) -> None:
        try:
            await _settled(pending)
        except Exception:  # noqa: BLE001 (it is logged)
            self._log("closing a resource of %s failed")

    def _discard(self, number: int) -> None:
        """Close a resource without waiting for it: in the event loop, if it takes one."""
        pending = self._dispose(number)
        if not hasattr(pending, "__await__"):
            return
        import asyncio

        closing = self._close_soon(pending)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        if loop is None:
            closing.close()
            getattr(pending, "close", bool)()
            self._log("a resource of %s was not closed: that takes an event loop", error=False)
            return
        task = loop.create_task(closing)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _log(self, message: str, *, error: bool = True) -> None:
        import logging

        logger = logging.getLogger("holdfast.resilience")
        logger.warning(message, self.name, exc_info=error)

    def _tell_leak(self, number: int, out: float | None) -> None:
        with self._lock:
            self._leaked += 1
            place = self._taken.get(number, "")
        if _events.listening():
            told = {"resource": number, "seconds": out, "taken_at": place}
            _events.tell(_events.Event("pool.leaked", self.name, told))


class Lease(_Of[T]):
    """The right to use one resource of a pool; enter it to get the resource.

    Raises
    ------
    InvalidParameterError
        What is given is no pool.
    """

    def __init__(self, pool: Pool[T]) -> None:
        self._number: int | None = None
        self._pool = instance("pool", pool, Pool)
        # Held as an object of its own, so that a forgotten lease can give it back.
        self._place: _core.Block | None = None

    def __enter__(self) -> T:
        """Wait for a resource."""
        pool = self._pool
        place = self._reserve(threaded=True)
        try:
            place.enter()
        except BulkheadFullError:
            raise self._full() from None
        number = None
        try:
            while True:
                number, there = pool._lend()  # noqa: SLF001
                resource = self._begin(number) if there else pool._create()  # noqa: SLF001
                if not there or pool._healthy(resource):  # noqa: SLF001
                    break
                gone, number = number, None
                pool._books.take_back(gone, False)  # noqa: FBT003, SLF001
                pool._discard(gone)  # noqa: SLF001
            pool._keep(number, resource)  # noqa: SLF001
        except BaseException as error:
            self._undo(place, number, error)
            raise
        self._number, self._place = number, place
        return resource

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give it back."""
        pool, number = self._pool, self._number
        if number is None:
            return
        healthy = False
        try:
            healthy = error is None or bool(pool._healthy(self._begin(number)))  # noqa: SLF001
        finally:
            self._number = None
            if not pool._books.take_back(number, healthy):  # noqa: SLF001
                pool._discard(number)  # noqa: SLF001
            self._leave()

    async def __aenter__(self) -> T:
        """Wait for a resource in a coroutine."""
        pool = self._pool
        place = self._reserve(threaded=False)
        try:
            await _block.enter(place)
        except BulkheadFullError:
            raise self._full() from None
        number = None
        resource: T
        try:
            while True:
                number, there = pool._lend()  # noqa: SLF001
                if not there:
                    resource = await _settled(pool._create())  # noqa: SLF001
                    break
                resource = self._begin(number)
                if await pool._sound(resource):  # noqa: SLF001
                    break
                gone, number = number, None
                pool._books.take_back(gone, False)  # noqa: FBT003, SLF001
                await pool._close_soon(pool._dispose(gone))  # noqa: SLF001
            pool._keep(number, resource)  # noqa: SLF001
        except BaseException as error:
            self._undo(place, number, error)
            raise
        self._number, self._place = number, place
        return resource

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give it back."""
        pool, number = self._pool, self._number
        if number is None:
            return
        healthy, pending = False, None
        try:
            healthy = error is None or await pool._sound(self._begin(number))  # noqa: SLF001
        finally:
            self._number = None
            if not pool._books.take_back(number, healthy):  # noqa: SLF001
                pending = pool._dispose(number)  # noqa: SLF001
            self._leave()
            await pool._close_soon(pending)  # noqa: SLF001

    def __del__(self) -> None:
        """Tell that a lease was forgotten: its resource cannot be trusted any more."""
        if self._number is not None:
            pool, number = self._pool, self._number
            pool._tell_leak(number, None)  # noqa: SLF001
            pool._books.take_back(number, False)  # noqa: FBT003, SLF001
            pool._discard(number)  # noqa: SLF001
            self._leave()

    def _full(self) -> BulkheadFullError:
        pool = self._pool
        return BulkheadFullError(pool.name, pool._size, "resources are lent")  # noqa: SLF001

    def _reserve(self, *, threaded: bool) -> _core.Block:
        if self._number is not None:
            raise RuntimeError("the lease is in use: take another with `lease()`")
        places = self._pool._places._pipeline()  # noqa: SLF001
        return _core.Block(places._block_core(), threaded)  # noqa: SLF001

    def _leave(self) -> None:
        place, self._place = self._place, None
        if place is not None:
            place.exit(None)

    def _begin(self, number: int) -> T:
        return self._pool._resources[number]  # noqa: SLF001

    def _undo(self, place: _core.Block, number: int | None, error: BaseException) -> None:
        """What was lent for an entry that failed is not trusted any more."""
        if number is not None:
            self._pool._books.take_back(number, False)  # noqa: FBT003, SLF001
            self._pool._discard(number)  # noqa: SLF001
        place.exit(error)


async def _settled(value: Any) -> Any:
    return await value if hasattr(value, "__await__") else value


def _place() -> str:
    """Where in the code of our caller we are."""
    frame = sys._getframe(1)  # noqa: SLF001
    while frame.f_back is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"
