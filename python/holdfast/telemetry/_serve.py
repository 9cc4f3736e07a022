"""The endpoint for probes and scrapes."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakSet

from holdfast import _core
from holdfast.errors import _parameters as parameters
from holdfast.telemetry._health.checks import HealthChecks, get_health
from holdfast.telemetry._series.exposition import uncounted
from holdfast.telemetry._series.registry import get_registry, get_served
from holdfast.telemetry._ticker import Ticker

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from holdfast._core import Registry

_HIGHEST_PORT = 65_535
_serving: WeakSet[Endpoint] = WeakSet()


class Endpoint:
    """What `serve` returns; also a context manager that stops at the end.

    Attributes
    ----------
    host, port : str and int
        Where it answers.
    url : str
        The same, as `http://host:port`.
    """

    def __init__(
        self, host: str, port: int, refresh: float, registry: Registry, health: HealthChecks
    ) -> None:
        self._server: _core.Server | None = _core.Server(
            host, port, registry, health.board, get_served()
        )
        self.host, self.port = self._server.address
        self._health = health
        self._counting = threading.Lock()
        self._ticker = Ticker(
            "holdfast-refresh", self.refresh, lambda: refresh, in_child=False, at_once=False
        )
        self.refresh()
        self._ticker.start()
        _serving.add(self)

    @property
    def url(self) -> str:
        """Such as `http://127.0.0.1:8000`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def serving(self) -> bool:
        """Until it is stopped; not in a forked child."""
        return self._server is not None

    def refresh(self) -> None:
        """Ask the checks whose answers are old, and read what only Python can count."""
        self._health.beat()
        # Two at once must not leave the older counts behind.
        with self._counting:
            server = self._server
            if server is not None:
                server.refresh(uncounted())
        self._health.run()
        self._health.beat()

    def stop(self) -> None:
        """Answer no more."""
        self._ticker.stop()
        server, self._server = self._server, None
        _serving.discard(self)
        if server is not None:
            server.stop()

    def abandon(self) -> None:
        """In a forked child, where the thread is not: let go of the port."""
        server, self._server = self._server, None
        self._counting = threading.Lock()
        if server is not None:
            with suppress(OSError):
                os.close(server.abandon())

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()


def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    refresh: float = 1.0,
    registry: Registry | None = None,
    health: HealthChecks | None = None,
) -> Endpoint:
    """Answer probes and scrapes in the background, also while the GIL is held.

    `/health`, `/health/live`, `/health/ready`, `/health/detailed` (200, or 503 when
    unhealthy) and `/metrics` (Prometheus text or, as the request prefers, OpenMetrics) come
    from threads of Rust that never take the GIL. Counters and histograms are read at the time
    of the request; checks and what only Python can count are as of the last refresh, and
    checks show their age. Requests are counted as `http_requests_total` and timed as
    `http_request_duration_seconds`, unless the program declares these names itself.

    Parameters
    ----------
    host, port : str and int
        Where; port 0 takes a free one.
    refresh : float
        Seconds between two refreshes.
    registry, health : optional
        By default those of the process.

    Returns
    -------
    Endpoint
        With `host`, `port`, `url` and `stop()`.

    Raises
    ------
    OSError
        The address cannot be had.

    Notes
    -----
    There is neither encryption nor a password: keep it on a trusted interface. A forked child
    lets go of the port; call `serve` there for an endpoint of its own.
    """
    parameters.text("host", host)
    parameters.count("port", port, 0, _HIGHEST_PORT)
    parameters.real("refresh", refresh, above=0)
    parameters.instance("registry", registry, _core.Registry, optional=True)
    parameters.instance("health", health, HealthChecks, optional=True)
    registry = get_registry() if registry is None else registry
    return Endpoint(host, port, refresh, registry, get_health() if health is None else health)


def _abandon() -> None:
    for endpoint in list(_serving):
        endpoint.abandon()
    _serving.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon)
