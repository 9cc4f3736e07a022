"""Attempts at a block that is no function of its own."""

from __future__ import annotations

from holdfast import _context, _core
from holdfast.errors._parameters import refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import TracebackType

    from typing_extensions import Self

    from holdfast.errors._parameters import Clock
    from holdfast.resilience._retry import Retry


class Attempts:
    """The attempts at a block, one `with` block each; made by `Retry.attempts()`.

    >>> from holdfast.resilience import Retry
    >>> for attempt in Retry(3, on=ConnectionError, base_delay=0.0).attempts():
    ...     with attempt:
    ...         if attempt.number < 3:
    ...             raise ConnectionError
    >>> attempt.number
    3

    The loop ends with the first block that comes to its end; an exception that is not to be
    retried leaves it. In a coroutine, `async for` waits for the event loop. One object is
    good for one loop.

    Parameters
    ----------
    retry : Retry
        `retry_result` is asked about what the block gives to `attempt.result`.
    clock : {"coarse", "precise"} or VirtualClock, default "coarse"

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.
    RuntimeError
        The body of the loop did not enter its attempt.
    """

    def __init__(self, retry: Retry, clock: Clock = "coarse") -> None:
        core = getattr(retry, "_core", None)
        if not isinstance(core, _core.RetryPolicy):
            refuse("retry", "a Retry", retry)
        self._core = _core.AttemptLoop(core, clock)
        self._made: list[Attempt] = []

    def __iter__(self) -> Self:
        """Wait in this thread."""
        return self

    def __next__(self) -> Attempt:
        """The next attempt, when its time has come."""
        wait = self._wait()
        if wait is None:
            raise StopIteration
        if wait:
            self._core.sleep(wait)
        return self._begin()

    def __aiter__(self) -> Self:
        """Wait in the event loop."""
        return self

    async def __anext__(self) -> Attempt:
        """The next attempt, when its time has come."""
        wait = self._wait()
        if wait is None:
            raise StopAsyncIteration
        if wait and not self._core.skip(wait):
            import asyncio

            await asyncio.sleep(wait)
        return self._begin()

    def _wait(self) -> float | None:
        if not self._made:
            return 0.0
        last = self._made[-1]
        if not last.entered:
            raise RuntimeError("the attempt was not entered: write `with attempt:`")
        return last.wait

    def _begin(self) -> Attempt:
        self._made = [Attempt(self._core, self._made[-1].number + 1 if self._made else 1)]
        return self._made[0]


class Attempt:
    """One of the attempts; a context manager.

    Attributes
    ----------
    number : int
        1 for the first.
    result : object
        What the block came to, if it wants to be asked about it.
    """

    def __init__(self, core: _core.AttemptLoop, number: int) -> None:
        self.number = number
        self.result: object = None
        self.entered = False
        self.wait: float | None = None
        self._core = core
        self._inside: AbstractContextManager[object] | None = None

    def __enter__(self) -> Self:
        """Begin it."""
        self.entered = True
        if self.number > 1:
            context = _context.current().replace(attempt=self.number)
            self._inside = _context.use(context)
            self._inside.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """End it; what is to be retried goes no further."""
        if self._inside is not None:
            self._inside.__exit__(None, None, None)
        self.wait = self._core.again(error, self.result)
        return self.wait is not None
