"""What recordings of every kind have in common: a supply, and the spans of a mark."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from pathlib import Path


def spans(times: list[int], high: list[bool]) -> list[tuple[int, int]]:
    """Spans in which a digital input was high."""
    out = []
    start = None
    for time, on in zip(times, high, strict=True):
        if on and start is None:
            start = time
        elif not on and start is not None:
            out.append((start, time))
            start = None
    return out


def need_volts(volts: float | None, path: Path) -> float:
    if volts is None:
        raise InvalidParameterError(f"volts must be given: {path} holds currents only")
    if not 0 < volts < math.inf:
        raise InvalidParameterError(f"volts must be above 0, got {volts!r}")
    return volts
