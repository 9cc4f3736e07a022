"""How long a lost link is waited for."""

from __future__ import annotations

import time

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.25


class Outage:
    """How often the link of one request may be lost, and how long it has been gone."""

    def __init__(self, left: int) -> None:
        self._left, self._since, self._pause = left, 0.0, 0.0

    def may_try_again(self, patience: float) -> bool:
        """Wait a little, longer each time; False when it was lost too often or for too long."""
        now = time.monotonic()
        if not self._pause:
            self._left, self._since = self._left - 1, now
        if self._left < 0 or (self._pause and now - self._since > patience):
            return False
        time.sleep(self._pause)
        self._pause = min(max(2 * self._pause, _FIRST_PAUSE), _LONGEST_PAUSE)
        return True

    def over(self) -> None:
        """Something was heard."""
        self._pause = 0.0
