"""K-means over frames, with the method names of insights-gen2's clustering module."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.clustering import (
    ClusteringMetrics,
    KMeans,
    calinski_harabasz_score,
    silhouette_score,
)
from holdfast.compat.insights_clustering._frames import Scaler, numbers_of, scaler_of
from holdfast.errors import InvalidDataError, InvalidParameterError
from holdfast.errors._base import not_fitted
from holdfast.errors._parameters import count

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Self

logger = logging.getLogger(__name__)
_STARTS, _WORKERS = 10, 4
_UNEVEN, _POOR = 5.0, 0.3  # ratio of sizes, silhouette


class KMeansClusterer:
    """K-means on the z-scores of a pandas DataFrame.

    For new code `holdfast.KMeans` is the class to use.

    Parameters
    ----------
    n_clusters : int, default=4
    random_state : int, default=42
    use_gpu : bool, default=False
        Accepted; every fit runs on the CPU.
    memory_efficient : bool, default=False
        Cluster in single precision, which halves the memory.

    Attributes
    ----------
    kmeans : KMeans or None
        Of the latest fit, in the scale of `scaler`.
    scaler : Scaler or None
    feature_data : DataFrame or None
        As given to the latest fit.
    scaled_data : ndarray or None
        Its z-scores.
    cluster_labels : ndarray of int32 or None
    """

    def __init__(
        self,
        n_clusters: int = 4,
        random_state: int = 42,
        use_gpu: bool = False,  # noqa: FBT001, FBT002 (the older order)
        memory_efficient: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        """Store the parameters."""
        self.n_clusters = n_clusters
        self.random_state = random_state
        self.use_gpu = use_gpu
        self.memory_efficient = memory_efficient
        self.kmeans: KMeans | None = None
        self.scaler: Scaler | None = None
        self.feature_data: Any = None
        self.scaled_data: NDArray[Any] | None = None
        self.cluster_labels: NDArray[np.int32] | None = None
        self._seconds = 0.0

    def fit(self, features: Any) -> Self:
        """Cluster the rows of a DataFrame.

        Raises
        ------
        InvalidDataError
            A `ValueError`: no frame, no row, fewer rows than clusters, or columns that are
            not numeric.
        """
        begun = time.perf_counter()
        values = numbers_of(features, least=self._wanted())
        scaler = scaler_of(values)
        scaled = self._scaled(scaler, values)
        kmeans = self._kmeans(self.n_clusters).fit(scaled)
        self._keep(features, scaler, scaled, kmeans, begun)
        return self

    def incremental_fit(self, features: Any, batch_size: int = 1000) -> Self:
        """Fit the first batch, then move the centres towards each further one.

        Each centre is the mean of all samples that were nearest to it when they came
        (MacQueen, 1967); scale and start are those of the first batch. One step over all
        rows ends it.

        Raises
        ------
        InvalidParameterError
            If `batch_size` is not an integer of at least 1.
        """
        batch_size = count("batch_size", batch_size)
        begun = time.perf_counter()
        values = numbers_of(features, least=self._wanted())
        first = max(batch_size, self.n_clusters)
        scaler = scaler_of(values[:first])
        scaled = self._scaled(scaler, values)
        kmeans = self._kmeans(self.n_clusters).fit(scaled[:first])
        centres = kmeans.cluster_centers_.astype(np.float64)
        weights = np.bincount(kmeans.labels_, minlength=self.n_clusters).astype(float)
        for start in range(first, len(scaled), batch_size):
            batch = scaled[start : start + batch_size].astype(np.float64)
            apart = (centres**2).sum(axis=1) - 2 * batch @ centres.T
            nearest = apart.argmin(axis=1)
            for cluster in np.unique(nearest):
                own = batch[nearest == cluster]
                weights[cluster] += len(own)
                pull = len(own) / weights[cluster]
                centres[cluster] += pull * (own.mean(axis=0) - centres[cluster])
        last = KMeans(self.n_clusters, init=centres, max_iter=1, n_jobs=-1)
        self._keep(features, scaler, scaled, last.fit(scaled), begun)
        return self

    def predict(self, features: Any) -> NDArray[np.int32]:
        """Return the nearest cluster of each row.

        Raises
        ------
        InvalidDataError
            If the columns are others than those of the fit, or not numeric.
        """
        kmeans, scaler = self._fitted()
        values = numbers_of(features)
        if values.shape[1] != len(scaler.mean_):
            raise InvalidDataError(
                f"features must have {len(scaler.mean_)} columns, got {values.shape[1]}"
            )
        return kmeans.predict(self._scaled(scaler, values))

    def get_cluster_assignments(self) -> NDArray[np.int32]:
        """Return the cluster of each row of the latest fit."""
        return self._fitted()[0].labels_.copy()

    def get_cluster_centroids(self) -> Any:
        """Return the centres in the units of the data: a DataFrame, Cluster_0 and so on."""
        import pandas as pd

        kmeans, scaler = self._fitted()
        centres = scaler.inverse_transform(kmeans.cluster_centers_)
        return pd.DataFrame(
            centres,
            columns=list(self.feature_data.columns),
            index=[f"Cluster_{c}" for c in range(len(centres))],
        )

    def get_cluster_quality_metrics(self) -> dict[str, float]:
        """Return scores of the latest fit; those of separation need two clusters."""
        kmeans, _ = self._fitted()
        sizes = np.bincount(kmeans.labels_, minlength=self.n_clusters)
        return {
            **self._separation(),
            "inertia": float(kmeans.inertia_),
            "cluster_size_std": float(sizes.std()),
        }

    def get_clustering_metrics(self) -> ClusteringMetrics:
        """Return the same scores under the names of `NeuromorphicClusterer`."""
        kmeans, _ = self._fitted()
        scores = self._separation()
        speed = len(kmeans.labels_) / max(self._seconds, 1e-9)
        return ClusteringMetrics(
            silhouette_score=scores.get("silhouette_score"),
            calinski_harabasz_score=scores.get("calinski_harabasz_score"),
            cluster_stability=None,
            interpretability_score=None,
            temporal_coherence=None,
            computational_efficiency=speed / (speed + 1000.0),
        )

    def get_cluster_summary(self) -> Any:
        """Return mean, standard deviation and count of each column in each cluster."""
        self._fitted()
        groups = self.feature_data.groupby(np.asarray(self.cluster_labels))
        summary = groups.agg(["mean", "std", "count"]).round(2)
        summary.index.name = "cluster"
        return summary

    def find_optimal_clusters(
        self, features: Any, max_clusters: int = 10
    ) -> dict[int, dict[str, float]]:
        """Score 2 to `max_clusters` clusters, at most one less than there are rows.

        The fit of this object stays as it is.
        """
        return self.find_optimal_clusters_parallel(features, max_clusters, 1)

    def find_optimal_clusters_parallel(
        self, features: Any, max_clusters: int = 10, n_jobs: int = -1
    ) -> dict[int, dict[str, float]]:
        """`find_optimal_clusters` on `n_jobs` threads, -1 for all."""
        values = numbers_of(features)
        scaled = self._scaled(scaler_of(values), values)
        scored = {}
        for k in range(2, min(max_clusters, len(scaled) - 1) + 1):
            kmeans = self._kmeans(k, n_jobs).fit(scaled)
            scored[k] = {"inertia": float(kmeans.inertia_), **_scores(scaled, kmeans.labels_)}
        return scored

    def batch_fit(
        self, features_list: list[Any], n_clusters_list: list[int]
    ) -> list[KMeansClusterer]:
        """Fit one clusterer per frame, four at a time.

        Raises
        ------
        InvalidParameterError
            If there is not one number of clusters per frame.
        """
        if len(features_list) != len(n_clusters_list):
            raise InvalidParameterError(
                f"n_clusters_list must have one number per frame ({len(features_list)}), "
                f"got {len(n_clusters_list)}"
            )

        def one(features: Any, k: int) -> KMeansClusterer:
            return KMeansClusterer(
                k, self.random_state, self.use_gpu, self.memory_efficient
            ).fit(features)

        with ThreadPoolExecutor(_WORKERS) as pool:
            return list(pool.map(one, features_list, n_clusters_list))

    def _wanted(self) -> int:
        return count("n_clusters", self.n_clusters)

    def _kmeans(self, k: int, n_jobs: int = -1) -> KMeans:
        return KMeans(k, n_init=_STARTS, random_state=self.random_state, n_jobs=n_jobs)

    def _keep(
        self,
        features: Any,
        scaler: Scaler,
        scaled: NDArray[Any],
        kmeans: KMeans,
        begun: float,
    ) -> None:
        self.kmeans, self.scaler = kmeans, scaler
        self.feature_data, self.scaled_data = features, scaled
        self.cluster_labels = kmeans.labels_
        self._seconds = time.perf_counter() - begun
        self._warn_of_poor_clusters()

    def _scaled(self, scaler: Scaler, values: NDArray[np.float64]) -> NDArray[Any]:
        scaled = scaler.transform(values)
        return scaled.astype(np.float32) if self.memory_efficient else scaled

    def _fitted(self) -> tuple[KMeans, Scaler]:
        if self.kmeans is None or self.scaler is None:
            raise not_fitted(type(self).__name__)
        return self.kmeans, self.scaler

    def _separation(self) -> dict[str, float]:
        return _scores(self.scaled_data, self._fitted()[0].labels_)

    def _warn_of_poor_clusters(self) -> None:
        sizes = np.bincount(self._fitted()[0].labels_, minlength=self.n_clusters)
        found = sizes[sizes > 0]
        if len(found) < self.n_clusters:
            logger.warning("found %d clusters, fewer than %d", len(found), self.n_clusters)
        if found.max() > _UNEVEN * found.min():
            logger.warning("cluster sizes are uneven: %d to %d", found.min(), found.max())
        silhouette = self._separation().get("silhouette_score", 1.0)
        if silhouette < _POOR:
            logger.warning("clusters are poorly separated: silhouette %.2f", silhouette)


def _scores(rows: Any, labels: NDArray[np.int32]) -> dict[str, float]:
    if not 1 < len(np.unique(labels)) < len(labels):
        return {}
    return {
        "silhouette_score": silhouette_score(rows, labels),
        "calinski_harabasz_score": calinski_harabasz_score(rows, labels),
    }
