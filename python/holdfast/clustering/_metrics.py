"""How good a clustering is, measured; `None` where a number would mean nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.clustering._data import Rows, Sequences, moments
from holdfast.clustering._scores import (
    adjusted_rand_score,
    calinski_harabasz_score,
    silhouette_score,
)
from holdfast.clustering._table_input import ENERGIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_RESAMPLES = 10
_ROWS = 2000
_HALF_SPEED = 1000.0  # samples per second at which the efficiency is one half


@dataclass(frozen=True)
class ClusteringMetrics:
    """Measurements of one fit.

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
    seconds: float,
    predict: Callable[[Sequences], NDArray[np.int64]],
    refit: Callable[[Rows | Sequences, int], NDArray[np.int64]],
) -> ClusteringMetrics:
    """Measure the clustering `labels` of `data`, whose samples are at `places`.

    `predict` labels new series; `refit(data, seed)` clusters other samples anew.
    """
    several = len(np.unique(labels)) > 1
    separable = several and len(np.unique(labels)) < len(labels)
    raw = None
    if separable and isinstance(data, Rows):
        mean, spread = moments(data.values)
        z = (data.values - mean) / np.where(spread > 0, spread, 1)
        raw = silhouette_score(z, labels)
    speed = len(labels) / max(seconds, 1e-9)
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


def subset(data: Rows | Sequences, rows: NDArray[np.int64]) -> Rows | Sequences:
    """Return the samples `rows` of `data`."""
    if isinstance(data, Rows):
        return Rows(np.ascontiguousarray(data.values[rows]), data.names)
    ends = np.cumsum(data.lengths)
    parts = [data.values[ends[i] - data.lengths[i] : ends[i]] for i in rows]
    return Sequences(np.ascontiguousarray(np.concatenate(parts)), data.lengths[rows])


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


def interpret(
    data: Rows | Sequences, labels: NDArray[np.int64], n_clusters: int
) -> dict[int, dict[str, Any]]:
    """Describe every cluster that has a sample.

    Energy columns: the mean energies over 100 under their older names, `complexity` (mean
    entropy of a 9-bin histogram over 0 to 100, divided by ln 9) and `stability`
    (``min(1, size * n_clusters / n)``). Other tables: size, mean and standard deviation
    per column, and the columns that set the cluster apart. Series: size, mean length,
    level and amplitude per channel.
    """
    described: dict[int, dict[str, Any]] = {}
    for cluster in np.unique(labels).tolist():
        rows = np.flatnonzero(labels == cluster)
        own = subset(data, rows)
        share = len(rows) / len(labels)
        if isinstance(data, Sequences) and isinstance(own, Sequences):
            described[cluster] = {
                "size": len(rows),
                "share": share,
                "mean_length": float(own.lengths.mean()),
                "level": own.values.mean(axis=0).tolist(),
                "amplitude": moments(own.values)[1].tolist(),
            }
        elif isinstance(data, Rows) and tuple(data.names) == ENERGIES:
            described[cluster] = _energies(own.values, share, n_clusters)
        elif isinstance(data, Rows):
            described[cluster] = _profile(data, own.values, share)
    return described


def _energies(values: NDArray[np.float64], share: float, n_clusters: int) -> dict[str, Any]:
    names = ("assertiveness", "analytical", "supportive", "enthusiastic")
    means = np.clip(values.mean(axis=0) / 100, 0, 1)
    entropies = []
    for column in values.T:
        counts = np.histogram(column, bins=9, range=(0, 100))[0]
        p = counts[counts > 0] / max(counts.sum(), 1)
        entropies.append(float(-(p * np.log(p)).sum() / np.log(9)))
    return {
        **dict(zip(names, means.tolist(), strict=True)),
        "complexity": float(np.clip(np.mean(entropies), 0, 1)),
        "stability": float(min(1.0, share * n_clusters)),
    }


def _profile(data: Rows, values: NDArray[np.float64], share: float) -> dict[str, Any]:
    mean, spread = moments(data.values)
    own, deviation = moments(values)
    apart = (own - mean) / np.where(spread > 0, spread, 1)
    order = np.argsort(-np.abs(apart), kind="stable")[:5]
    return {
        "size": len(values),
        "share": share,
        "mean": dict(zip(data.names, own.tolist(), strict=True)),
        "deviation": dict(zip(data.names, deviation.tolist(), strict=True)),
        "distinctive": {data.names[j]: float(apart[j]) for j in order},
    }
