"""Series of one length, for what compares them step by step."""

from __future__ import annotations

import numpy as np

from holdfast.clustering._data.arrays import Sequences


def resampled(data: Sequences, length: int) -> Sequences:
    """Return the series of `data`, linearly interpolated at `length` even steps."""
    n, channels = len(data), data.values.shape[1]
    lengths = np.full(n, length, dtype=np.int64)
    if (data.lengths == length).all():
        return Sequences(data.values, lengths)
    values = np.empty((n, length, channels))
    grid = np.linspace(0.0, 1.0, length)
    ends = np.cumsum(data.lengths)
    for i, (end, own) in enumerate(zip(ends.tolist(), data.lengths.tolist(), strict=True)):
        series = data.values[end - own : end]
        steps = np.linspace(0.0, 1.0, own)
        for channel in range(channels):
            values[i, :, channel] = np.interp(grid, steps, series[:, channel])
    return Sequences(values.reshape(n * length, channels), lengths)
