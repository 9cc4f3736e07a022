"""Work that is done again and again in a thread of its own."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING
from weakref import WeakSet

from holdfast.telemetry._logs.own_log import logger

if TYPE_CHECKING:
    from collections.abc import Callable

_running: WeakSet[Ticker] = WeakSet()


class Ticker:
    """Calls `work` at once and then every `interval()` seconds, until it is stopped.

    What `work` raises is logged, and the next round comes as usual. In a forked child, where
    the thread is not, a running ticker starts again if `in_child`. The first round comes
    `at_once` or after the first interval.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], object],
        interval: Callable[[], float],
        *,
        in_child: bool = True,
        at_once: bool = True,
    ) -> None:
        self._name, self._work, self._interval = name, work, interval
        self._in_child, self._at_once = in_child, at_once
        self._stop = threading.Event()
        self.thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Started and not stopped."""
        return self.thread is not None

    def start(self) -> None:
        """Begin, unless it runs."""
        if self.thread is not None:
            return
        self._stop = threading.Event()
        self.thread = threading.Thread(
            target=self._loop, args=(self._stop,), name=self._name, daemon=True
        )
        _running.add(self)
        self.thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """End, waiting at most `timeout` seconds for the round in progress."""
        thread, self.thread = self.thread, None
        _running.discard(self)
        self._stop.set()
        if timeout and thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def restart(self) -> None:
        """Start again in a forked child, if it goes on there."""
        self.thread = None
        if self._in_child:
            self.start()
        else:
            _running.discard(self)

    def _loop(self, stop: threading.Event) -> None:
        if not self._at_once:
            stop.wait(self._interval())
        while not stop.is_set():
            try:
                self._work()
            except (Exception, SystemExit):  # noqa: BLE001 (it is logged)
                logger("holdfast").exception("%s failed", self._name)
            stop.wait(self._interval())


def _rearm() -> None:
    for ticker in list(_running):
        ticker.restart()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_rearm)
