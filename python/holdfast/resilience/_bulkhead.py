from __future__ import annotations

from holdfast import _core
from holdfast.errors._parameters import count, one_of, seconds
from holdfast.resilience._guard import Guard
from holdfast.resilience._policy import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import ClassVar

    from holdfast._sources import Sample
    from holdfast.errors._parameters import Seconds


class Bulkhead(Guard):
    """At most so many calls at a time, in threads and tasks together.

    Calls beyond that wait in a queue, first come, first served, at most `max_wait` and
    never past their deadline; what finds the queue full, or waits too long, is refused
    with `BulkheadFullError`.

    Parameters
    ----------
    max_concurrent : int
    max_wait : seconds or timedelta, default 0
        With 0 nothing waits.
    max_queue : int, default 100
    name : str, optional

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.
    """

    kind: ClassVar[str] = "bulkhead"

    def __init__(
        self,
        max_concurrent: int,
        *,
        max_wait: Seconds = 0.0,
        max_queue: int = 100,
        name: str | None = None,
    ) -> None:
        name = name_of(self.kind, name)
        wait = seconds("max_wait", max_wait, endless=True)
        core = _core.BulkheadPolicy(
            name,
            count("max_concurrent", max_concurrent),
            count("max_queue", max_queue, 0),
            wait,
            None,
        )
        options = {"max_concurrent": max_concurrent, "max_wait": max_wait}
        super().__init__(name, core, {**options, "max_queue": max_queue, "name": name})

    def resize(self, max_concurrent: int) -> None:
        """Change the limit; calls being made go on.

        Raises
        ------
        InvalidParameterError
            The limit is no integer of at least 1.
        """
        self._core.resize(count("max_concurrent", max_concurrent))
        self._options["max_concurrent"] = max_concurrent

    @property
    def in_use(self) -> int:
        """Calls being made."""
        return int(self._core.counts()[0])

    @property
    def waiting(self) -> int:
        """Calls waiting."""
        return int(self._core.counts()[1])

    def samples(self) -> Iterable[Sample]:
        """Calls being made and waiting; calls that waited or were refused."""
        held, waiting, limit = self._core.counts()
        queued, refused = self._core.tally()
        text = "Calls that had to wait, and calls refused"
        yield from self._totals("bulkhead_calls", text, {"queued": queued, "refused": refused})
        yield self._gauge("bulkhead_in_use", "Calls being made", held)
        yield self._gauge("bulkhead_waiting", "Calls waiting", waiting)
        yield self._gauge("bulkhead_limit", "The most calls at a time", limit)


class AdaptiveBulkhead(Bulkhead):
    """A bulkhead that learns how many calls at a time a dependency bears.

    Parameters
    ----------
    initial_limit : int, default 20
    min_limit, max_limit : int, default 1 and 200
    algorithm : {"gradient", "aimd"}, default "gradient"
        "gradient" follows the ratio of the usual to the present duration of a call
        (Netflix concurrency-limits, Gradient2) and backs off before anything fails; "aimd"
        adds while all goes well and takes a tenth away after a failure (Chiu and Jain,
        1989). Calls that use less than half of the limit do not change it.
    max_wait, max_queue, name
        As for `Bulkhead`.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.
    """

    def __init__(
        self,
        initial_limit: int = 20,
        *,
        min_limit: int = 1,
        max_limit: int = 200,
        algorithm: str = "gradient",
        max_wait: Seconds = 0.0,
        max_queue: int = 100,
        name: str | None = None,
    ) -> None:
        count("initial_limit", initial_limit)
        super().__init__(initial_limit, max_wait=max_wait, max_queue=max_queue, name=name)
        one_of("algorithm", algorithm, ("gradient", "aimd"))
        bounds = (count("min_limit", min_limit), count("max_limit", max_limit))
        self._core = _core.BulkheadPolicy(
            self.name,
            initial_limit,
            max_queue,
            seconds("max_wait", max_wait, endless=True),
            (algorithm, *bounds),
        )
        self._options = {
            "initial_limit": initial_limit,
            "min_limit": min_limit,
            "max_limit": max_limit,
            "algorithm": algorithm,
            "max_wait": max_wait,
            "max_queue": max_queue,
            "name": self.name,
        }

    @property
    def limit(self) -> int:
        """The limit in force."""
        return int(self._core.counts()[2])
