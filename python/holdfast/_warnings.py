"""Warnings that name the user's line, however deep in the package they are given."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

_PACKAGE = str(Path(__file__).parent) + "/"


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn about `message` at the nearest line that is not the package's own."""
    level, frame = 1, sys._getframe(0)  # noqa: SLF001 (what `warnings` itself reads)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
