"""What commands print, and where they may write."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from holdfast.errors import InvalidDataError, InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from holdfast.edge import Generation


def say(text: str = "") -> None:
    """A line of the answer.

    A reader that has seen enough (`| head`) closes the pipe: the rest is dropped quietly, and
    the exit code is still that of the work.
    """
    try:
        print(text, flush=True)  # noqa: T201
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def note(text: str) -> None:
    """A line about the work, beside the answer."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def as_json(content: Any) -> None:
    """The answer for programs."""
    say(json.dumps(content, indent=2, default=str))


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns as wide as their widest cell."""
    cells = [list(heads), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    say("\n".join(lines))


def check_writable(name: str, path: Path | None, suffixes: Sequence[str] = ()) -> None:
    """Refuse a file that could not be written, before the work is done for nothing.

    Raises
    ------
    InvalidParameterError
        For another suffix, a folder that is missing or read-only, a file that is one or is
        read-only.
    """
    if path is None:
        return
    if suffixes and path.suffix not in suffixes:
        listed = (
            f"{', '.join(suffixes[:-1])} or {suffixes[-1]}" if suffixes[1:] else suffixes[0]
        )
        raise InvalidParameterError(f"{name} must end in {listed}, got {path.name!r}")
    folder = path.parent
    if not folder.is_dir():
        raise InvalidParameterError(f"{name}: there is no folder {str(folder)!r}")
    if path.is_dir():
        raise InvalidParameterError(f"{name} must be a file, got the folder {str(path)!r}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InvalidParameterError(f"{name}: the folder {str(folder)!r} cannot be written to")
    if path.exists() and not os.access(path, os.W_OK):
        raise InvalidParameterError(f"{name}: {str(path)!r} is read-only")


def check_readable(name: str, path: Path | None) -> None:
    """Refuse a file that is not there.

    Raises
    ------
    InvalidParameterError
        When it is missing, no file, or may not be read.
    """
    if path is None:
        return
    if not path.exists():
        raise InvalidParameterError(f"{name}: there is no file {str(path)!r}")
    if not path.is_file() or not os.access(path, os.R_OK):
        raise InvalidParameterError(
            f"{name} must be a file that can be read, got {str(path)!r}"
        )


def read_text(name: str, path: Path) -> str:
    """A text file.

    Raises
    ------
    InvalidParameterError, InvalidDataError
        When it cannot be read, or is not UTF-8.
    """
    check_readable(name, path)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidDataError(f"{name}: {path} is not UTF-8 text ({error.reason})") from error


class Progress:
    """One line on a terminal that is written over; silent elsewhere.

    Several devices share it: requests are added up.
    """

    def __init__(self, label: str, devices: int = 1) -> None:
        self._label, self._devices = label, devices
        self._shown = sys.stderr.isatty()
        self._begun = time.monotonic()
        self._last = float("-inf")
        self._counts: dict[str, tuple[int, int]] = {}
        self._open = False
        self._lock = threading.Lock()

    def of(self, name: str) -> Callable[[int, int, Generation], None]:
        """What one device calls after each request."""

        def done(count: int, planned: int, last: Generation) -> None:
            with self._lock:
                self._counts[name] = (count, planned)
                self._show(last.status)

        return done

    def _show(self, status: str) -> None:
        done = sum(count for count, _ in self._counts.values())
        planned = max(sum(total for _, total in self._counts.values()), 1)
        now = time.monotonic()
        if not self._shown or (now - self._last < 0.1 and done < planned):  # noqa: PLR2004
            return
        self._last = now
        elapsed = max(now - self._begun, 1e-9)
        left = elapsed / done * (planned - done)
        tail = (
            f"| {done}/{planned} [{_clock(elapsed)}<{_clock(left)}, {done / elapsed:.1f} req/s]"
        )
        if self._devices > 1:
            tail += f" {len(self._counts)}/{self._devices} devices"
        tail += f" {status}"
        head = f"{self._label}: {100 * done // planned:3d}%|"
        columns = shutil.get_terminal_size().columns
        width = max(min(30, columns - len(head) - len(tail) - 1), 0)
        full = width * done // planned
        line = f"{head}{'#' * full}{'.' * (width - full)}{tail}"[: columns - 1]
        sys.stderr.write(f"\r{line}\x1b[K")
        sys.stderr.flush()
        self._open = True

    def close(self) -> None:
        """End the line, so that what follows begins on its own."""
        if self._open:
            sys.stderr.write("\n")
            sys.stderr.flush()
            self._open = False


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:02d}:{rest:02d}"
