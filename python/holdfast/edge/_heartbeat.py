"""Whether a silent device is still there, asked between requests only."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

from holdfast.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Callable


class Lock(Protocol):
    """What is held while a link is used."""

    def acquire(self, blocking: bool = ...) -> bool:  # noqa: FBT001
        """Take it."""
        ...

    def release(self) -> None:
        """Give it back."""
        ...


class Heartbeat:
    """A thread that asks after every `interval` of silence.

    It takes the lock of the link only when nobody holds it: a request that runs is a better
    sign of life than a heartbeat, and no answer is ever taken for another's.
    """

    def __init__(
        self,
        interval: float,
        lock: Lock,
        ask: Callable[[], object],
        tell: Callable[[BaseException | None], object],
    ) -> None:
        self._interval, self._lock, self._ask, self._tell = interval, lock, ask, tell
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._work, name="holdfast-heartbeat", daemon=True
        )
        self.last = time.monotonic()

    def start(self) -> Heartbeat:
        """Begin."""
        self._thread.start()
        return self

    def touch(self) -> None:
        """Something was heard."""
        self.last = time.monotonic()

    def _work(self) -> None:
        while not self._stop.wait(self._interval / 4):
            if time.monotonic() - self.last < self._interval:
                continue
            if not self._lock.acquire(blocking=False):
                continue
            try:
                self._ask()
            except HoldfastError as error:
                self._tell(error)
            else:
                self._tell(None)
            finally:
                self._lock.release()
            self.touch()

    def stop(self) -> None:
        """End; returns when the thread is gone."""
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()
