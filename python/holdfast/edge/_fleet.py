"""Several devices at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from threading import Event
from time import sleep
from typing import TYPE_CHECKING, Any

from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from holdfast.edge._profiler import EdgeProfiler
    from holdfast.edge._records import Generation
    from holdfast.edge._results import ProfileResults

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
        After every link was closed; its `partial_results` hold what was measured.
    """
    if not profilers or len({id(one) for one in profilers.values()}) != len(profilers):
        raise InvalidParameterError("profilers must hold at least one, each only once")
    if at_once is not None and at_once < 1:
        raise InvalidParameterError(f"at_once must be at least 1, got {at_once!r}")
    # Kept by the workers themselves: Ctrl-C may come before a future has a name here.
    out, begun, ended, interrupted = FleetResults(), set[str](), set[str](), Event()

    def one(name: str, profiler: EdgeProfiler) -> None:
        begun.add(name)
        try:
            if not interrupted.is_set():
                told = None if progress is None else progress(name)
                with profiler:
                    found = profiler.profile_model(*arguments, progress=told, **options)
                out.results[name] = found
        except Exception as error:  # noqa: BLE001 (one device must not cost the others)
            out.failures[name] = error
        finally:
            ended.add(name)

    with ThreadPoolExecutor(at_once or len(profilers), "holdfast-fleet") as pool:
        try:
            running = [pool.submit(one, *each) for each in profilers.items()]
            # In slices: a signal just before a wait is not seen until the wait is over.
            while wait(running, _SLICE).not_done:
                pass
        except KeyboardInterrupt as interrupt:
            interrupted.set()
            while left := begun - ended:
                _stop(profilers[name] for name in left)
            interrupt.partial_results = out.ordered(profilers)  # type: ignore[attr-defined]
            raise
    for future in running:
        future.result()
    return out.ordered(profilers)


def _stop(profilers: Iterable[EdgeProfiler]) -> None:
    """Each ends after its request and closes its link; one that was about to begin is deaf."""
    for profiler in profilers:
        profiler.stop()
    sleep(_SLICE)
