"""Where this package logs its own troubles; `logging` is loaded with the first of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging


def logger(name: str = "holdfast.telemetry") -> logging.Logger:
    """The logger of that name of the standard library."""
    import logging  # not on a path that is usually taken

    return logging.getLogger(name)
