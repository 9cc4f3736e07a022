"""What commands print."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdfast.edge import Generation


def say(text: str = "") -> None:
    """A line of the answer."""
    print(text)  # noqa: T201


def note(text: str) -> None:
    """A line about the work, beside the answer."""
    print(text, file=sys.stderr)  # noqa: T201


def as_json(content: Any) -> None:
    """The answer for programs."""
    say(json.dumps(content, indent=2, default=str))


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns as wide as their widest cell."""
    cells = [list(heads), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    for row in cells:
        say(
            "  ".join(
                cell.ljust(width) for cell, width in zip(row, widths, strict=True)
            ).rstrip()
        )


class Progress:
    """One line on a terminal that is written over; silent elsewhere."""

    def __init__(self, label: str = "") -> None:
        self._label = f"{label} " if label else ""
        self._shown = sys.stderr.isatty()
        self._last = 0.0

    def __call__(self, done: int, planned: int, last: Generation) -> None:
        """Show how far it is."""
        now = time.monotonic()
        if not self._shown or (now - self._last < 0.1 and done < planned):  # noqa: PLR2004
            return
        self._last = now
        width = 24
        full = width * done // max(planned, 1)
        bar = "#" * full + "." * (width - full)
        end = "\n" if done >= planned else ""
        sys.stderr.write(f"\r{self._label}[{bar}] {done}/{planned} {last.status:8}{end}")
        sys.stderr.flush()
