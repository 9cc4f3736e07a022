"""A progress bar for long fits."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_BAR_AFTER = 1.0  # seconds


class Progress:
    """A bar on standard error, for fits that take longer than a second."""

    def __init__(self, wanted: bool | None) -> None:  # noqa: FBT001
        self._begun = time.monotonic()
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
        if time.monotonic() - self._begun < _BAR_AFTER:
            return
        if self._bar is None:
            try:
                from tqdm import tqdm  # noqa: PLC0415
            except ImportError:
                self._begun = float("inf")
                return
            self._bar = tqdm(desc="fit", unit="step", leave=False)
        self._bar.total = announced
        self._bar.n = done
        self._bar.refresh()
