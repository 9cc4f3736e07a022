"""A progress bar for long fits."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_BAR_AFTER = 1.0  # seconds
_BETWEEN = 0.1  # seconds from one look of the bar to the next


class Progress:
    """A bar on standard error, for fits that take longer than a second.

    A fit has several steps, each of which counts from 0 to what it announces; the bar is
    that of the step that runs.
    """

    def __init__(self, wanted: bool | None) -> None:  # noqa: FBT001
        self._next = time.monotonic() + _BAR_AFTER
        self._bar: Any = None
        self._wanted = sys.stderr.isatty() if wanted is None else wanted

    def __enter__(self) -> Callable[[int, int], object] | None:
        """Return what a kernel reports to, if anybody looks."""
        return self._show if self._wanted else None

    def __exit__(self, *_: object) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.close()

    def _show(self, done: int, announced: int) -> None:
        now = time.monotonic()
        if now < self._next or announced < 1:
            return
        if self._bar is None:
            try:
                from tqdm import tqdm
            except ImportError:
                self._next = float("inf")
                return
            form = "fit, this step: {percentage:3.0f}%|{bar}| {elapsed}"
            self._bar = tqdm(total=announced, leave=False, bar_format=form)
        self._next = now + _BETWEEN
        self._bar.total = announced
        self._bar.n = min(done, announced)
        self._bar.refresh()
