"""Facts that one part tells and others may listen to; nothing is built when nobody does."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
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

    kind: str
    source: str
    attributes: Mapping[str, object] = field(default_factory=dict)
    time: float = field(default_factory=time.time)


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
            logging.getLogger("holdfast").warning("a listener failed", exc_info=True)
