"""Fewer and larger reads of a line that is full."""

from __future__ import annotations

import time

# A line of 921600 baud brings 2.8 kB in a rest: two thirds of what a terminal keeps.
_DENSE_SECONDS, _REST_SECONDS, _ENOUGH = 0.006, 0.03, 8


class Pace:
    """Lets records that carry the device's own time collect before they are read.

    After 8 reads in a row less than 6 ms apart it waits 30 ms before each further one. Only
    for records that do not need the time of their arrival.
    """

    def __init__(self) -> None:
        self._dense, self._last = 0, 0.0

    @property
    def is_dense(self) -> bool:
        """Whether reads are being made fewer."""
        return self._dense >= _ENOUGH

    def read(self, now: float) -> None:
        """Something was read at `now`, s."""
        self._dense = self._dense + 1 if now - self._last < _DENSE_SECONDS else 0
        self._last = now

    def rest(self) -> None:
        """Wait, if the line is full."""
        if self.is_dense:
            time.sleep(_REST_SECONDS)
            self._last += _REST_SECONDS
