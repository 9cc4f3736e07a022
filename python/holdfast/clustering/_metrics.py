"""How good a clustering is, measured; `None` where a number would mean nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from holdfast.clustering._data.arrays import Rows, Sequences, moments
from holdfast.clustering._data.kept import subset
from holdfast.clustering._data.tables import ENERGIES
from holdfast.clustering._kernels.scores import (
    adjusted_rand_score,
    calinski_harabasz_score,
    silhouette_score,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_RESAMPLES = 10
_ROWS = 2000
_HALF_SPEED = 1000.0  # samples per second at which the efficiency is one half


@dataclass(frozen=True)
class ClusteringMetrics:
    """Measurements of one fit; above 10,000 samples, of as many drawn at random.

    Attributes
    ----------
    silhouette_score : float or None
        Mean silhouette in the space of the clusters; `None` for a single cluster.
    calinski_harabasz_score : float or None
        Variance ratio there; `None` for a single cluster.
    cluster_stability : float or None
        Mean over 10 random 80 % subsamples (at most 2,000 samples each) of
        ``max(0, adjusted Rand index)`` between the labels and those of a refit.
    interpretability_score : float or None
        For energy columns (0 to 100): mean distance between the clusters' mean
        energies, divided by 100, at most 1. `None` for other data.
    temporal_coherence : float or None
        For series: ``max(0, adjusted Rand index)`` between the labels and those
        predicted from the middle 90 % of every series. `None` for tables.
    computational_efficiency : float
        ``s / (s + 1000)`` for `s` samples fitted per second.
    silhouette_raw : float or None
        Mean silhouette of the same labels in the standardised raw data (tables only),
        comparable between methods.
    """

    silhouette_score: float | None
    calinski_harabasz_score: float | None
    cluster_stability: float | None
    interpretability_score: float | None
    temporal_coherence: float | None
    computational_efficiency: float
    silhouette_raw: float | None = None


def measure(
    data: Rows | Sequences,
    labels: NDArray[np.int64],
    places: NDArray[np.float64],
    speed: float,
    predict: Callable[[Sequences], NDArray[np.int64]],
    refit: Callable[[Rows | Sequences, int], NDArray[np.int64]],
) -> ClusteringMetrics:
    """Measure the clustering `labels` of `data`, whose samples are at `places`.

    `speed` is that of the fit in samples per second; `predict` labels new series;
    `refit(data, seed)` clusters other samples anew.
    """
    several = len(np.unique(labels)) > 1
    separable = several and len(np.unique(labels)) < len(labels)
    raw = None
    if separable and isinstance(data, Rows):
        mean, spread = moments(data.values)
        z = (data.values - mean) / np.where(spread > 0, spread, 1)
        raw = silhouette_score(z, labels)
    return ClusteringMetrics(
        silhouette_score=silhouette_score(places, labels) if separable else None,
        calinski_harabasz_score=(
            calinski_harabasz_score(places, labels) if separable else None
        ),
        cluster_stability=_stability(data, labels, refit) if several else None,
        interpretability_score=_interpretability(data, labels) if several else None,
        temporal_coherence=(
            max(0.0, adjusted_rand_score(labels, predict(middle(data))))
            if several and isinstance(data, Sequences)
            else None
        ),
        computational_efficiency=speed / (speed + _HALF_SPEED),
        silhouette_raw=raw,
    )


def middle(data: Sequences) -> Sequences:
    """Return every series without its first and last twentieth."""
    ends = np.cumsum(data.lengths)
    cut = data.lengths // 20
    parts = [
        data.values[end - length + c : end - c]
        for end, length, c in zip(ends, data.lengths, cut, strict=True)
    ]
    return Sequences(np.ascontiguousarray(np.concatenate(parts)), data.lengths - 2 * cut)


def _stability(
    data: Rows | Sequences,
    labels: NDArray[np.int64],
    refit: Callable[[Rows | Sequences, int], NDArray[np.int64]],
) -> float | None:
    n = len(labels)
    size = min(int(0.8 * n), _ROWS)
    if size < int(labels.max()) + 1:
        return None
    rng = np.random.default_rng(0)
    agreements = []
    for resample in range(_RESAMPLES):
        rows = np.sort(rng.choice(n, size, replace=False))
        again = refit(subset(data, rows), resample)
        agreements.append(max(0.0, adjusted_rand_score(labels[rows], again)))
    return float(np.mean(agreements))


def _interpretability(data: Rows | Sequences, labels: NDArray[np.int64]) -> float | None:
    if not isinstance(data, Rows) or tuple(data.names) != ENERGIES:
        return None
    means = np.array([data.values[labels == c].mean(axis=0) for c in np.unique(labels)])
    i, j = np.triu_indices(len(means), 1)
    return float(min(1.0, np.linalg.norm(means[i] - means[j], axis=1).mean() / 100))
