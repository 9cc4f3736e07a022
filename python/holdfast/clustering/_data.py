"""Checked data on its way to the kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
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
