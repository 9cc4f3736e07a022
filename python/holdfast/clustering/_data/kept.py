"""What a fitted clusterer keeps of its training data: enough to measure and to draw it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from holdfast.clustering._data.arrays import Rows, Sequences

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SAMPLES = 10_000
_VALUES = 4_000_000  # 32 MB
_LEAST = 100  # samples, however long they are


def keep(data: Rows | Sequences) -> Rows | Sequences:
    """Return a copy of `data`, or of a draw of its samples where that would be large."""
    n = len(data)
    fitting = int(_VALUES // max(1.0, data.values.size / n))
    count = min(n, _SAMPLES, max(_LEAST, fitting))
    if count == n:
        values = data.values.copy()  # it may be the user's own array
        if isinstance(data, Rows):
            return Rows(values, data.names)
        return Sequences(values, data.lengths)
    return subset(data, places_of(n, count))


def places_of(n: int, kept: int) -> NDArray[np.int64]:
    """Return which of `n` samples those that were kept are, in ascending order."""
    if kept == n:
        return np.arange(n)
    # Evenly spaced ones would miss what comes round with the same period.
    return np.sort(np.random.default_rng(0).choice(n, kept, replace=False))


def subset(data: Rows | Sequences, rows: NDArray[np.int64]) -> Rows | Sequences:
    """Return the samples `rows` of `data`."""
    if isinstance(data, Rows):
        return Rows(np.ascontiguousarray(data.values[rows]), data.names)
    ends = np.cumsum(data.lengths)
    parts = [data.values[ends[i] - data.lengths[i] : ends[i]] for i in rows]
    return Sequences(np.ascontiguousarray(np.concatenate(parts)), data.lengths[rows])
