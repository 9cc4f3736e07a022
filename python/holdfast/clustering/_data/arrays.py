"""Checked data on its way to the kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Rows:
    """A table: `values` is `(n, columns)`, C-contiguous and finite."""

    values: NDArray[np.float64]
    names: list[str]

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.values)


@dataclass(frozen=True)
class Sequences:
    """Series one after the other: `values` is `(sum of lengths, channels)`, finite."""

    values: NDArray[np.float64]
    lengths: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.lengths)


class Limits(NamedTuple):
    """What one call of a kernel may use."""

    threads: int = 0
    seconds: float | None = None
    progress: Callable[[int, int], object] | None = None


def moments(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation per column; 0 where that is rounding error."""
    mean = values.mean(axis=0)
    # Squares of huge numbers overflow; a scale beforehand costs one pass.
    largest = np.abs(values - mean).max(axis=0, initial=0.0)
    scale = np.where(largest > 0, largest, 1.0)
    deviation = np.sqrt((((values - mean) / scale) ** 2).mean(axis=0)) * scale
    return mean, np.where(deviation > 1e-12 * np.abs(mean), deviation, 0.0)
