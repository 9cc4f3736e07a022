from __future__ import annotations

import functools
import time

from holdfast import _context, _core, _events
from holdfast.errors import DeadlineExceededError
from holdfast.errors._parameters import count, instance, real, seconds
from holdfast.resilience import _threads
from holdfast.resilience._guard import Guard
from holdfast.resilience._policy import name_of
from holdfast.resilience._retry import RetryBudget

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, ClassVar

    from holdfast._sources import Sample
    from holdfast.errors._parameters import Seconds


class Hedge(Guard):
    """Make a second call when the first is late, and take what comes first.

    For calls that may be made twice and whose durations have a long tail (Dean and
    Barroso, "The Tail at Scale", 2013). Under `async def` the losers are cancelled; for
    plain functions each call has a thread, and losers run on to their end. An exception is
    raised only when every call that was begun has failed.

    Parameters
    ----------
    delay : seconds or timedelta, optional
        When the next call is made. Without it: when the last one takes longer than
        `quantile` of the calls before it, once enough are known to tell.
    quantile : float, default 0.95
    max_hedges : int, default 1
        Calls beyond the first.
    budget : RetryBudget, optional
        Hedges count as retries of it.
    name : str, optional

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.
    """

    kind: ClassVar[str] = "hedge"

    def __init__(
        self,
        delay: Seconds | None = None,
        *,
        quantile: float = 0.95,
        max_hedges: int = 1,
        budget: RetryBudget | None = None,
        name: str | None = None,
    ) -> None:
        self._delay = None if delay is None else seconds("delay", delay)
        self._quantile = real("quantile", quantile, above=0, below=1)
        self._most = count("max_hedges", max_hedges)
        self._budget = instance("budget", budget, RetryBudget, optional=True)
        self._durations = _core.Durations(256)
        self._made = self._won = 0
        options = {"delay": delay, "quantile": quantile, "max_hedges": max_hedges}
        name = name_of(self.kind, name)
        super().__init__(name, None, {**options, "budget": budget, "name": name})

    _elsewhere = True

    @property
    def hedges(self) -> int:
        """Calls made beyond the first ones, so far."""
        return self._made

    def samples(self) -> Iterable[Sample]:
        """Hedges made, and those whose result was taken."""
        totals = {"made": self._made, "won": self._won}
        return self._totals("hedges", "Second calls made, and those that won", totals)

    def _wait(self) -> float | None:
        """Seconds until the next call; None if there is to be none."""
        if self._delay is not None:
            return self._delay
        return self._durations.quantile(self._quantile)

    def _allowed(self) -> bool:
        if self._budget is not None and not self._budget.withdraw():
            return False
        self._made += 1
        if _events.listening():
            _events.tell(_events.Event("hedge.made", self.name))
        return True

    def _wrap(self, function: Callable[..., Any], *, asynchronous: bool) -> Callable[..., Any]:
        if asynchronous:

            @functools.wraps(function)
            async def hedged_async(*args: Any, **kwargs: Any) -> Any:
                return await self._race_tasks(functools.partial(function, *args, **kwargs))

            return hedged_async

        @functools.wraps(function)
        def hedged(*args: Any, **kwargs: Any) -> Any:
            return self._race_threads(functools.partial(function, *args, **kwargs))

        return hedged

    def _begin(self) -> tuple[float, int]:
        if self._budget is not None:
            self._budget.deposit()
        return time.monotonic(), self._most

    def _take(self, winner: int, began: float) -> None:
        self._durations.record(time.monotonic() - began)
        self._won += winner > 0

    async def _race_tasks(self, call: Callable[[], Any]) -> Any:
        import asyncio

        began, left = self._begin()
        tasks = [asyncio.ensure_future(call())]
        try:
            while True:
                wait = self._wait() if left else None
                running = [task for task in tasks if not task.done()]
                done, _ = await asyncio.wait(
                    running, timeout=wait, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    if not task.cancelled() and task.exception() is None:
                        self._take(tasks.index(task), began)
                        return task.result()
                if all(task.done() for task in tasks):
                    return tasks[0].result()
                if not done and left:
                    if self._allowed():
                        left -= 1
                        tasks.append(asyncio.ensure_future(call()))
                    else:
                        left = 0
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _race_threads(self, call: Callable[[], Any]) -> Any:
        from queue import Empty, SimpleQueue

        began, left = self._begin()
        finished: SimpleQueue[_threads.Job] = SimpleQueue()
        jobs = [_threads.start(call, finished.put)]
        failed = 0
        deadline = _context.current().deadline
        while True:
            wait = self._wait() if left else None
            rest = None if deadline is None else max(0.0, deadline - time.monotonic())
            patience = rest if wait is None else wait if rest is None else min(wait, rest)
            try:
                job = finished.get(timeout=patience)
            except Empty:
                if rest is not None and time.monotonic() >= (deadline or 0.0):
                    raise DeadlineExceededError from None
                if left and self._allowed():
                    left -= 1
                    jobs.append(_threads.start(call, finished.put))
                else:
                    left = 0
                continue
            if job.error is None:
                self._take(jobs.index(job), began)
                return job.value
            failed += 1
            if failed == len(jobs):
                return jobs[0].result()
