"""Peers that cluster series, as their own documentation would have them used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.cluster import KMeans as TheirKMeans
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SHORTEST_FOR_MINIROCKET = 9


def resampled(series: Sequence[NDArray], length: int | None = None) -> NDArray:
    """Bring series to one length by interpolation: (n, channels, time), as peers want it."""
    length = length or max(len(s) for s in series)
    at = np.linspace(0, 1, length)
    return np.array(
        [[np.interp(at, np.linspace(0, 1, len(s)), channel) for channel in s.T] for s in series]
    )


def kmeans(rows: NDArray, k: int, seed: int) -> NDArray:
    return TheirKMeans(k, n_init=10, random_state=seed).fit_predict(rows)


def kmeans_of_series(series: Sequence[NDArray], k: int, seed: int) -> NDArray:
    return kmeans(resampled(series).reshape(len(series), -1), k, seed)


def kmeans_of_table(rows: NDArray, k: int, seed: int) -> NDArray:
    return kmeans(StandardScaler().fit_transform(rows), k, seed)


def minirocket(series: Sequence[NDArray], k: int, seed: int) -> NDArray:
    """MiniRocket (Dempster et al., 2021), standardised, PCA to 95 % of it, K-means."""
    from aeon.transformations.collection.convolution_based import (
        MiniRocket,
    )

    length = max(*(len(s) for s in series), SHORTEST_FOR_MINIROCKET)
    values = resampled(series, length).astype(np.float32)
    features = MiniRocket(random_state=seed, n_jobs=1).fit_transform(values)
    features = StandardScaler().fit_transform(np.asarray(features))
    reduced = PCA(0.95, random_state=seed).fit_transform(features)
    return kmeans(reduced, k, seed)


def kshape(series: Sequence[NDArray], k: int, seed: int) -> NDArray:
    from tslearn.clustering import KShape
    from tslearn.preprocessing import (
        TimeSeriesScalerMeanVariance,
    )

    values = resampled(series).transpose(0, 2, 1)
    scaled = TimeSeriesScalerMeanVariance().fit_transform(values)
    return KShape(n_clusters=k, random_state=seed).fit_predict(scaled)


def kasba(series: Sequence[NDArray], k: int, seed: int) -> NDArray:
    from aeon.clustering import KASBA

    return KASBA(n_clusters=k, random_state=seed).fit_predict(resampled(series))
