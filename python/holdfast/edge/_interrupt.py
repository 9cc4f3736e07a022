"""Ctrl-C for threads: Python gives it to the main one only."""

from __future__ import annotations

import select
import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# How long a thread that could be interrupted waits at a stretch.
_LOOK_SECONDS = 0.05


class Interrupt:
    """Asks the threads that work under `heard` to leave what they are doing.

    They raise KeyboardInterrupt, once each, where they next wait for their device: what a
    Ctrl-C does to the main thread, and handled by the same code.
    """

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._wakers: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    @property
    def is_asked(self) -> bool:
        """Whether it was asked."""
        return self._asked.is_set()

    def ask(self) -> None:
        """Interrupt; threads that begin to work under it later hear it too."""
        self._asked.set()
        with self._lock:
            wakers = list(self._wakers)
        for wake in wakers:
            wake()

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Within, this thread can be interrupted."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    @contextmanager
    def woken_by(self, wake: Callable[[], object]) -> Iterator[None]:
        """Within, `wake` ends what this thread waits in; it may come from another thread."""
        with self._lock:
            self._wakers.append(wake)
        try:
            yield
        finally:
            with self._lock:
                self._wakers.remove(wake)


_CURRENT: ContextVar[Interrupt | None] = ContextVar("holdfast_edge_interrupt", default=None)


def check() -> None:
    """Leave, if this thread was asked to.

    Raises
    ------
    KeyboardInterrupt
        Once: what is closed on the way out may wait again.
    """
    current = _CURRENT.get()
    if current is not None and current.is_asked:
        _CURRENT.set(None)
        raise KeyboardInterrupt


@contextmanager
def woken_by(wake: Callable[[], object]) -> Iterator[None]:
    """Within, an interrupt of this thread calls `wake`, which must end the wait."""
    current = _CURRENT.get()
    if current is None:
        yield
        return
    with current.woken_by(wake):
        check()
        yield


def readable(descriptor: int, timeout: float) -> bool:
    """Whether there is something to read within `timeout` seconds."""
    if _CURRENT.get() is None:
        return bool(select.select([descriptor], [], [], max(timeout, 0))[0])
    until = time.monotonic() + timeout
    while True:
        check()
        left = max(until - time.monotonic(), 0)
        if select.select([descriptor], [], [], min(left, _LOOK_SECONDS))[0]:
            return True
        if left <= _LOOK_SECONDS:
            return False
