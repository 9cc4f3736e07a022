"""An order of the samples that their values alone decide.

Whatever is drawn while learning is drawn by place. Samples learned in this order give the
same clusters, bit for bit, in whatever order they came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from holdfast.clustering._data.arrays import Rows, Sequences, moments

if TYPE_CHECKING:
    from numpy.typing import NDArray


def canonical_order(data: Rows | Sequences) -> NDArray[np.int64]:
    """Return the samples of `data` in an order that does not depend on theirs.

    They are sorted by a random projection of their standardised values, then shuffled by a
    fixed permutation, so that neighbours have nothing in common. Different samples have the
    same projection with probability zero, and the order of equal ones does not matter.
    """
    mean, deviation = moments(data.values)
    standard = (data.values - mean) / np.where(deviation > 0, deviation, np.inf)
    rng = np.random.default_rng(0)
    if isinstance(data, Rows):
        projected = standard @ rng.standard_normal(len(mean))
    else:
        projected = _project_series(standard, data.lengths, rng)
    shuffled = rng.permutation(len(data))
    return np.argsort(projected, kind="stable")[shuffled].astype(np.int64)


def restored(labels: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return `labels`, of the samples in `order`, in the order in which they came."""
    came = np.empty_like(labels)
    came[order] = labels
    return came


def _project_series(
    standard: NDArray[np.float64], lengths: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float64]:
    longest, channels = int(lengths.max()), standard.shape[1]
    weights = rng.standard_normal((longest, channels))
    if (lengths == longest).all():
        return np.asarray(standard.reshape(len(lengths), -1) @ weights.ravel())
    starts = np.cumsum(lengths) - lengths
    steps = np.arange(len(standard)) - np.repeat(starts, lengths)
    by_step = np.einsum("ij,ij->i", standard, weights[steps])
    return np.asarray(np.add.reduceat(by_step, starts) + rng.standard_normal() * lengths)
