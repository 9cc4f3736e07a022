"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from os import PathLike


def write_whole(path: str | PathLike[str], content: bytes) -> None:
    """Write beside the target, then rename: a reader sees the old or the new file."""
    target = Path(path)
    handle, beside = tempfile.mkstemp(prefix=target.name + ".", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(beside).chmod(0o644)
        Path(beside).replace(target)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def write_through(path: str | PathLike[str], text: str, **how: Any) -> None:
    """Write through the built-in `open`, which older tests replace.

    Whatever fails on the way, the file that was there is back.
    """
    target = Path(path)
    old = target.read_bytes() if target.is_file() else None
    try:
        with open(path, "w", **how) as file:  # noqa: PTH123
            file.write(text)
    except BaseException:
        if old is not None:
            write_whole(target, old)
        raise
