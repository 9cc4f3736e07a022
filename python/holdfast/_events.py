"""Facts that one part tells and others may listen to; nothing is built when nobody does."""

from __future__ import annotations

import time
from threading import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Event:
    """Something that happened.

    Attributes
    ----------
    kind : str
        Dotted, as `breaker.opened` or `retry.attempt_failed`.
    source : str
        The name of the policy, probe or estimator that tells it.
    attributes : mapping
        Plain values: str, int, float, bool or None.
    time : float
        Wall clock, seconds since 1970.
    """

    __slots__ = ("attributes", "kind", "source", "time")

    def __init__(
        self,
        kind: str,
        source: str,
        attributes: Mapping[str, object] | None = None,
        time: float | None = None,
    ) -> None:
        self.kind = kind
        self.source = source
        self.attributes = {} if attributes is None else attributes
        self.time = now() if time is None else time

    def __repr__(self) -> str:
        """Show what happened where."""
        return f"Event({self.kind!r}, {self.source!r}, {self.attributes!r}, {self.time})"


now = time.time
_lock = Lock()
_listeners: tuple[Callable[[Event], object], ...] = ()


def subscribe(listener: Callable[[Event], object]) -> Callable[[], None]:
    """Call `listener` with each event, in the thread that tells it; returns how to stop."""
    global _listeners  # noqa: PLW0603
    with _lock:
        _listeners = (*_listeners, listener)

    def stop() -> None:
        global _listeners  # noqa: PLW0603
        with _lock:
            _listeners = tuple(other for other in _listeners if other is not listener)

    return stop


def listening() -> bool:
    """Whether an event would reach anyone: ask before building one."""
    return bool(_listeners)


def tell(event: Event) -> None:
    """Give `event` to every listener; what a listener raises is logged, never passed on."""
    for listener in _listeners:
        try:
            listener(event)
        except Exception:
            import logging

            logging.getLogger("holdfast").warning("a listener failed", exc_info=True)
