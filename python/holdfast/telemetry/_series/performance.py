"""How long the operations of this process took in the last minutes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar, overload

from holdfast import _core
from holdfast.errors import InvalidParameterError
from holdfast.errors import _parameters as parameters
from holdfast.telemetry._tracing.span import Span, decorate, status_of

if TYPE_CHECKING:
    from collections.abc import Callable

    _Called = TypeVar("_Called", bound=Callable[..., Any])

_WIDTH = 10.0  # seconds of a slot
_MINUTES = 60
_OPERATIONS = 1000


class PerformanceDashboard(dict[str, Any]):
    """What `get_performance_dashboard` returns; `str` of it is a table to read."""

    def __str__(self) -> str:
        """One row per operation, the one that took most time first."""
        rows = [("operation", "calls", "failed", "per s", "mean", "p50", "p95", "p99", "max")]
        for name, told in self["operations"].items():
            shown = [_shown(told[key]) for key in _TIMES]
            rate = f"{told['calls_per_second']:.3g}"
            rows.append((name, str(told["calls"]), str(told["failures"]), rate, *shown))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [f"last {self['window_seconds'] / 60:g} minutes"]
        for first, *rest in rows:
            cells = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
            lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
        return "\n".join(lines)


_TIMES = ("mean_seconds", "p50_seconds", "p95_seconds", "p99_seconds", "max_seconds")


def _shown(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


class PerformanceMonitor:
    """Durations of operations by name.

    Parameters
    ----------
    clock : callable
        Seconds; another one makes time pass at will in tests.

    Raises
    ------
    InvalidParameterError
        `clock` cannot be called.

    Notes
    -----
    An hour is kept, in slots of ten seconds, so a window is exact to ten seconds.
    Quantiles are within 1 % (DDSketch). Names beyond the thousandth are counted together
    as `(other)`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = parameters.hook("clock", clock)
        self._times = _core.OperationTimes(_WIDTH, int(60 * _MINUTES / _WIDTH) + 1, _OPERATIONS)

    def record(self, name: str, seconds: float, *, failed: bool = False) -> None:
        """Count a call that took `seconds` and ends now."""
        self._times.record(name, seconds, failed, self._clock())

    def dashboard(self, minutes: float = 15) -> PerformanceDashboard:
        """See `get_performance_dashboard`.

        Raises
        ------
        InvalidParameterError
            `minutes` is not above 0 and at most 60.
        """
        parameters.real("minutes", minutes, above=0, most=_MINUTES)
        now = self._clock()
        window = 60.0 * minutes
        operations: dict[str, dict[str, Any]] = {}
        rows = self._times.since(now - window, now)
        for name, calls, failures, seconds, quantiles in sorted(rows, key=lambda row: -row[3]):
            least, p50, p95, p99, most = quantiles
            operations[name] = {
                "calls": calls,
                "failures": failures,
                "failure_rate": failures / calls,
                "calls_per_second": calls / window,
                "total_seconds": seconds,
                "mean_seconds": seconds / calls,
                "min_seconds": least,
                "p50_seconds": p50,
                "p95_seconds": p95,
                "p99_seconds": p99,
                "max_seconds": most,
            }
        calls = sum(told["calls"] for told in operations.values())
        failures = sum(told["failures"] for told in operations.values())
        return PerformanceDashboard(
            window_seconds=window,
            calls=calls,
            failures=failures,
            failure_rate=failures / calls if calls else None,
            operations=operations,
        )

    def clear(self) -> None:
        """Forget everything."""
        self._times.clear()


_monitor = PerformanceMonitor()


class Measured(Span):
    """A span whose duration goes to the dashboard; made by `monitor_performance`."""

    __slots__ = ()

    def _ended(self, duration: float, error: BaseException | None) -> None:
        _monitor.record(self.name, duration, failed=status_of(error) == "error")


@overload
def monitor_performance(name: _Called, /) -> _Called: ...
@overload
def monitor_performance(name: str | None = None, /, **attributes: object) -> Measured: ...
def monitor_performance(name: Any = None, /, **attributes: object) -> Any:
    """Measure a block or each call of a function; `with`, `async with` and decorator.

    It is a span too, so that what it measures can be found in traces and log lines. A call
    that is cancelled counts as a call, not as a failure.

    Parameters
    ----------
    name : str, optional
        Of the operation; a decorator without one takes the function's qualified name.
    **attributes
        Of the span.

    Raises
    ------
    InvalidParameterError
        `name` is no text; or there is none where a block begins, which has no name to take.

    Examples
    --------
    >>> @monitor_performance
    ... def load(): ...
    >>> with monitor_performance("parse", format="csv"):
    ...     load()
    >>> get_performance_dashboard()["operations"]["parse"]["calls"]
    1
    """
    if callable(name):
        return decorate(name, lambda: Measured(_name_of(name), {}))
    if name is not None and not isinstance(name, str):
        parameters.refuse("name", "a str or a function", name)
    return Measured(name, attributes) if name else _Unnamed("", attributes)


class _Unnamed(Measured):
    """Waits for a function to take the name of."""

    __slots__ = ()

    def __enter__(self) -> Any:
        raise InvalidParameterError(
            "name must be given where there is no function to take it of"
        )

    def __call__(self, function: _Called) -> _Called:
        return decorate(function, lambda: Measured(_name_of(function), dict(self.attributes)))


def _name_of(function: Any) -> str:
    return str(getattr(function, "__qualname__", None) or type(function).__qualname__)


def get_performance_dashboard(minutes: float = 15) -> PerformanceDashboard:
    """What `monitor_performance` measured in the last minutes.

    Parameters
    ----------
    minutes : float
        Up to 60.

    Returns
    -------
    PerformanceDashboard
        A dict: `window_seconds`, `calls`, `failures`, `failure_rate` (None without calls)
        and `operations`, by name, those that took most time first; each with `calls`,
        `failures`, `failure_rate`, `calls_per_second`, and `total_`, `mean_`, `min_`, `p50_`,
        `p95_`, `p99_` and `max_seconds`. `print` shows it as a table.

    Raises
    ------
    InvalidParameterError
        If `minutes` is outside its domain.
    """
    return _monitor.dashboard(minutes)
