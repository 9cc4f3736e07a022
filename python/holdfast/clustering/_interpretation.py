"""What sets a cluster apart, in the units of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.clustering._data.arrays import Rows, Sequences, moments
from holdfast.clustering._data.tables import ENERGIES

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DISTINCTIVE = 5


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
    whole = moments(data.values)
    steps = np.repeat(labels, data.lengths) if isinstance(data, Sequences) else labels
    for cluster in np.unique(labels).tolist():
        own = data.values[steps == cluster]
        size = int((labels == cluster).sum())
        share = size / len(labels)
        if isinstance(data, Sequences):
            level, amplitude = moments(own)
            described[cluster] = {
                "size": size,
                "share": share,
                "mean_length": float(data.lengths[labels == cluster].mean()),
                "level": level.tolist(),
                "amplitude": amplitude.tolist(),
            }
        elif tuple(data.names) == ENERGIES:
            described[cluster] = _energies(own, share, n_clusters)
        else:
            described[cluster] = _profile(data.names, whole, own, share)
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


def _profile(
    names: list[str],
    whole: tuple[NDArray[np.float64], NDArray[np.float64]],
    values: NDArray[np.float64],
    share: float,
) -> dict[str, Any]:
    mean, spread = whole
    own, deviation = moments(values)
    apart = (own - mean) / np.where(spread > 0, spread, 1)
    order = np.argsort(-np.abs(apart), kind="stable")[:_DISTINCTIVE]
    return {
        "size": len(values),
        "share": share,
        "mean": dict(zip(names, own.tolist(), strict=True)),
        "deviation": dict(zip(names, deviation.tolist(), strict=True)),
        "distinctive": {names[j]: float(apart[j]) for j in order},
    }
