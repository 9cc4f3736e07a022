"""How many requests at the start do not belong to the rest."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def _outside(values: Sequence[float]) -> int:
    """Leading values more than 5 robust deviations off the second half."""
    settled = values[len(values) // 2 :]
    middle = median(settled)
    deviation = 1.4826 * median(abs(value - middle) for value in settled)
    reach = max(5 * deviation, 1e-9 * abs(middle))
    count = 0
    while count < len(values) // 3 and abs(values[count] - middle) > reach:
        count += 1
    return count


def _pettitt(values: Sequence[float]) -> tuple[int, float]:
    """Where the ranks change most, and the chance of such a change (Pettitt 1979)."""
    n = len(values)
    best, where, u = 0.0, 0, 0.0
    for split in range(1, n):
        now = values[split - 1]
        u += sum((now < other) - (now > other) for other in values)
        if abs(u) > best:
            best, where = abs(u), split
    return where, min(1.0, 2 * math.exp(-6 * best**2 / (n**3 + n**2)))


def warm_up_length(values: Sequence[float], minimum: int = 0) -> int:
    """Requests to leave out at the start of per-request times, in order of time.

    At least `minimum`, and more when the first ones lie far off the second half or when a
    change-point test finds a shift (at 1 %) within the first half. Never more than half.
    """
    n = len(values)
    if n - minimum < 10:  # noqa: PLR2004
        return min(minimum, n)
    rest = list(values[minimum:])
    drop = _outside(rest)
    where, chance = _pettitt(rest)
    if chance < 0.01 and where <= len(rest) // 2:  # noqa: PLR2004
        drop = max(drop, where)
    return minimum + drop
