"""An order of the samples that their values alone decide.

Whatever is drawn while learning is drawn by place. Samples learned in this order give the
same clusters, bit for bit, in whatever order they came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from holdfast.clustering._data import Rows, Sequences, moments

if TYPE_CHECKING:
    from numpy.typing import NDArray


def canonical_order(data: Rows | Sequences) -> NDArray[np.int64]:
    """Return the samples of `data` in an order that does not depend on theirs.

    They are sorted by a random projection of their standardised values, then shuffled by a
    fixed permutation, so that neighbours have nothing in common. Different samples have the
    same projection with probability zero, and the order of equal ones does not matter.
    """
    mean, deviation = moments(data.values)
    scale = np.where(deviation > 0, deviation, np.inf)
    rng = np.random.default_rng(0)
    if isinstance(data, Rows):
        projected = _sums((data.values - mean) / scale * rng.standard_normal(len(mean)))
    else:
        weights = rng.standard_normal((int(data.lengths.max()), len(mean)))
        starts = np.cumsum(data.lengths) - data.lengths
        steps = np.arange(len(data.values)) - np.repeat(starts, data.lengths)
        by_step = _sums((data.values - mean) / scale * weights[steps])
        projected = np.add.reduceat(by_step, starts) + rng.standard_normal() * data.lengths
    shuffled = rng.permutation(len(data))
    return np.argsort(projected, kind="stable")[shuffled].astype(np.int64)


def restored(labels: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return `labels`, of the samples in `order`, in the order in which they came."""
    came = np.empty_like(labels)
    came[order] = labels
    return came


def _sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
    # Column by column: the sum of a row must not depend on the rows beside it.
    total = np.zeros(len(values))
    for column in values.T:
        total += column
    return total
