"""Several devices at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from time import sleep
from typing import TYPE_CHECKING, Any

from holdfast.edge._interrupt import Interrupt
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from holdfast.edge._measurement.records import Generation
    from holdfast.edge._profiler import EdgeProfiler
    from holdfast.edge._results.results import ProfileResults

_SLICE = 0.05  # seconds


@dataclass
class FleetResults:
    """What each device gave: a result, or why there is none."""

    results: dict[str, ProfileResults] = field(default_factory=dict)
    failures: dict[str, Exception] = field(default_factory=dict)

    def ordered(self, names: Iterable[str]) -> FleetResults:
        """The same in the order of `names`."""
        return FleetResults(
            {name: self.results[name] for name in names if name in self.results},
            {name: self.failures[name] for name in names if name in self.failures},
        )


def profile_fleet(
    profilers: Mapping[str, EdgeProfiler],
    *arguments: Any,
    at_once: int | None = None,
    progress: Callable[[str], Callable[[int, int, Generation], object]] | None = None,
    **options: Any,
) -> FleetResults:
    """`profile_model` on every device, side by side; one that fails does not stop the others.

    Parameters
    ----------
    profilers : mapping of str to EdgeProfiler
        By a name of your choice; each is connected and disconnected.
    at_once : int, optional
        Devices measured at the same time; all of them by default.
    progress : callable, optional
        Given a name, returns what `profile_model` of that device calls after each request.

    Raises
    ------
    InvalidParameterError
        When there is no profiler, one occurs twice, or `at_once` is below 1.
    KeyboardInterrupt
        In the middle of requests, after every link was closed; its `partial_results` hold what
        was measured. With several devices, pauses between two tries and openings end first.
    """
    if not profilers or len({id(one) for one in profilers.values()}) != len(profilers):
        raise InvalidParameterError("profilers must hold at least one, each only once")
    if at_once is not None and at_once < 1:
        raise InvalidParameterError(f"at_once must be at least 1, got {at_once!r}")

    def measured(name: str) -> ProfileResults:
        told = None if progress is None else progress(name)
        with profilers[name] as profiler:
            return profiler.profile_model(*arguments, progress=told, **options)

    fleet = _Fleet(measured)
    try:
        if len(profilers) == 1:
            # In this thread, so that Ctrl-C ends pauses and openings too.
            fleet.one(*profilers)
        else:
            fleet.all(profilers, at_once or len(profilers))
    except KeyboardInterrupt as pressed:
        pressed.partial_results = fleet.found.ordered(profilers)  # type: ignore[attr-defined]
        raise
    return fleet.found.ordered(profilers)


class _Fleet:
    """Results kept by the workers: Ctrl-C may come before a future has a name here."""

    def __init__(self, measured: Callable[[str], ProfileResults]) -> None:
        self._measured, self._interrupt = measured, Interrupt()
        self._begun, self._ended = set[str](), set[str]()
        self.found = FleetResults()

    def one(self, name: str) -> None:
        """Measure one device, unless all were told to end."""
        self._begun.add(name)
        try:
            if not self._interrupt.is_asked:
                with self._interrupt.heard():
                    self.found.results[name] = self._measured(name)
        except KeyboardInterrupt as pressed:
            partial = getattr(pressed, "partial_results", None)
            if partial is not None:
                self.found.results[name] = partial
            if not self._interrupt.is_asked:
                raise
        except Exception as error:  # noqa: BLE001 (one device must not cost the others)
            self.found.failures[name] = error
        finally:
            self._ended.add(name)

    def all(self, names: Iterable[str], at_once: int) -> None:
        """Measure that many at the same time."""
        with ThreadPoolExecutor(at_once, "holdfast-fleet") as pool:
            try:
                running = [pool.submit(self.one, name) for name in names]
                # In slices: a signal just before a wait is not seen until the wait is over.
                while wait(running, _SLICE).not_done:
                    pass
                for future in running:
                    future.result()
            except KeyboardInterrupt:
                self._interrupt.ask()
                while self._begun - self._ended:
                    sleep(_SLICE)
                raise
