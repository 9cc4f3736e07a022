"""Devices of one kind, shared by several callers."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from holdfast.edge._errors import DeviceError, DeviceTimeoutError
from holdfast.errors import HoldfastError, InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from typing_extensions import Self

    from holdfast.edge._profiler import EdgeProfiler


class DevicePool:
    """Lends each device to one caller at a time.

    A device that cannot be connected is set aside and asked again after `retry_seconds`;
    the next healthy one is lent meanwhile.

    Parameters
    ----------
    profilers : iterable of EdgeProfiler
        All of one platform.
    retry_seconds : float
        How long a failed device rests.

    Raises
    ------
    InvalidParameterError
        When there is none, one occurs twice, or platforms differ.
    """

    def __init__(
        self, profilers: Iterable[EdgeProfiler], *, retry_seconds: float = 30.0
    ) -> None:
        devices = list(profilers)
        if not devices or len({id(one) for one in devices}) != len(devices):
            raise InvalidParameterError("profilers must hold at least one, each only once")
        platforms = {one.platform for one in devices}
        if len(platforms) > 1:
            raise InvalidParameterError(
                f"profilers must be of one platform, got {', '.join(sorted(platforms))}"
            )
        self._all = devices
        self._idle = list(devices)
        self._resting: dict[int, float] = {}
        self._retry = retry_seconds
        self._changed = threading.Condition()
        self._closed = False

    def _take(self, until: float, timeout: float, last: HoldfastError | None) -> EdgeProfiler:
        with self._changed:
            while True:
                if self._closed:
                    raise DeviceError("the pool is closed", "POOL_CLOSED")
                now = time.monotonic()
                ready = [one for one in self._idle if self._resting.get(id(one), 0.0) <= now]
                if ready:
                    self._idle.remove(ready[0])
                    return ready[0]
                wake = min([until, *(self._resting.get(id(one), until) for one in self._idle)])
                if now >= until:
                    what = "lease of a device"
                    what = what if last is None else f"{what} (the last failure: {last})"
                    raise DeviceTimeoutError(what, timeout) from last
                self._changed.wait(max(wake - now, 0.001))

    def _give_back(self, profiler: EdgeProfiler, rest: float) -> None:
        with self._changed:
            self._idle.append(profiler)
            closed = self._closed
            self._resting[id(profiler)] = time.monotonic() + rest if rest else 0.0
            self._changed.notify()
        if closed:
            profiler.disconnect()

    @contextmanager
    def lease(self, timeout: float = 60.0) -> Iterator[EdgeProfiler]:
        """A connected device for the length of the block.

        Raises
        ------
        DeviceTimeoutError
            When none became free, or none could be connected, within `timeout` seconds.
        """
        until = time.monotonic() + timeout
        last: HoldfastError | None = None
        while True:
            profiler = self._take(until, timeout, last)
            try:
                profiler.connect()
            except HoldfastError as error:
                last = error
                self._give_back(profiler, self._retry)
                continue
            except BaseException:
                # Ctrl-C while it is opened.
                self._give_back(profiler, 0.0)
                raise
            break
        try:
            yield profiler
        finally:
            self._give_back(profiler, 0.0)

    def statistics(self) -> dict[str, int]:
        """Devices in all, idle, lent, and resting after a failure."""
        with self._changed:
            now = time.monotonic()
            resting = sum(self._resting.get(id(one), 0.0) > now for one in self._idle)
            return {
                "size": len(self._all),
                "idle": len(self._idle) - resting,
                "lent": len(self._all) - len(self._idle),
                "resting": resting,
            }

    def close(self) -> None:
        """Lend nothing more, and disconnect what is idle; lent devices when they come back."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            idle = list(self._idle)
        for profiler in idle:
            profiler.disconnect()

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()
