"""Several devices at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from holdfast.edge._interrupt import Interrupt
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future

    from holdfast.edge._profiler import EdgeProfiler
    from holdfast.edge._records import Generation
    from holdfast.edge._results import ProfileResults


@dataclass
class FleetResults:
    """What each device gave: a result, or why there is none."""

    results: dict[str, ProfileResults] = field(default_factory=dict)
    failures: dict[str, Exception] = field(default_factory=dict)


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
    out, interrupt = FleetResults(), Interrupt()

    def one(name: str, profiler: EdgeProfiler) -> ProfileResults:
        told = None if progress is None else progress(name)
        with interrupt.heard(), profiler:
            return profiler.profile_model(*arguments, progress=told, **options)

    if len(profilers) == 1:
        # In this thread, so that Ctrl-C ends pauses and openings too.
        ((name, profiler),) = profilers.items()
        return _alone(name, lambda: one(name, profiler))
    with ThreadPoolExecutor(at_once or len(profilers), "holdfast-fleet") as pool:
        running: dict[str, Future[ProfileResults]] = {}
        try:
            for name, profiler in profilers.items():
                running[name] = pool.submit(one, name, profiler)
            for name, future in running.items():
                _gather(name, future.result, out)
        except KeyboardInterrupt as pressed:
            interrupt.ask()
            left = {name: future for name, future in running.items() if not future.cancel()}
            wait(left.values())
            for name, future in left.items():
                try:
                    _gather(name, future.result, out)
                except KeyboardInterrupt as theirs:
                    _add_partial(name, theirs, out)
            pressed.partial_results = out  # type: ignore[attr-defined]
            raise
    return out


def _alone(name: str, work: Callable[[], ProfileResults]) -> FleetResults:
    out = FleetResults()
    try:
        _gather(name, work, out)
    except KeyboardInterrupt as pressed:
        _add_partial(name, pressed, out)
        pressed.partial_results = out  # type: ignore[attr-defined]
        raise
    return out


def _gather(name: str, work: Callable[[], ProfileResults], out: FleetResults) -> None:
    try:
        out.results[name] = work()
    except Exception as error:  # noqa: BLE001 (one device must not cost the others)
        out.failures[name] = error


def _add_partial(name: str, pressed: KeyboardInterrupt, out: FleetResults) -> None:
    """What one device has after an interrupt; nothing, if it was not asked anything yet."""
    partial = getattr(pressed, "partial_results", None)
    if partial is not None:
        out.results[name] = partial
