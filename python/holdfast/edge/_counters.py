"""What the profilers of this process count, for whoever collects metrics."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from holdfast import _sources
from holdfast._events import Event, listening, tell

if TYPE_CHECKING:
    from collections.abc import Iterable

# The names that the default alerts watch.
_HELP = {
    "device_connection_failures": "connections to devices that failed",
    "profiling_timeouts": "requests and profiles that ran out of time",
    "circuit_breaker_open": "breakers of devices that are open now",
    "device_requests": "requests sent to devices",
    "device_tokens": "tokens received from devices",
    "device_reconnects": "links that were lost and opened again",
    "device_reboots": "devices that restarted under a profiler",
}


class Counters:
    """Totals since the process started."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._values = dict.fromkeys(_HELP, 0.0)

    def add(self, name: str, source: str, amount: float = 1, **attributes: object) -> None:
        """Count, and tell whoever listens."""
        with self._lock:
            self._values[name] += amount
        if listening():
            tell(Event(f"edge.{name}", source, {"amount": amount, **attributes}))

    def samples(self) -> Iterable[_sources.Sample]:
        """Every series, unlabelled."""
        with self._lock:
            values = dict(self._values)
        for name, value in values.items():
            kind = "gauge" if name == "circuit_breaker_open" else "counter"
            yield _sources.Sample(name, kind, _HELP[name], {}, value)


counters = Counters()
_sources.register(counters)
