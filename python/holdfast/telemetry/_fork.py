"""Locks that a forked child does not inherit as held."""

from __future__ import annotations

import os
from threading import RLock
from weakref import WeakSet


class Locked:
    """Has a lock, `_lock`, and a new one in a forked child.

    A thread that held it at the fork is not in the child and would never let go.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        _all.add(self)

    def renew(self) -> None:
        """Take a new lock."""
        self._lock = RLock()


_all: WeakSet[Locked] = WeakSet()


def _renew() -> None:
    for one in list(_all):
        one.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
