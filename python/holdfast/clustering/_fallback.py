"""K-means on the raw data: what is left when the features fail."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast import _core
from holdfast.clustering._data.arrays import Limits, Rows, Sequences, moments
from holdfast.clustering._data.kept import subset
from holdfast.clustering._data.order import canonical_order, restored
from holdfast.clustering._data.resampling import resampled
from holdfast.clustering._kernels.kmeans import KMeans
from holdfast.errors import NeuromorphicErrorType, NeuromorphicException

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray
    from typing_extensions import Self

    from holdfast.clustering._selection import Selection


@dataclass
class RawModel:
    """K-means on standardised columns; series are brought to the median length first."""

    n_clusters: int
    labels: NDArray[np.int64]
    centers: NDArray[np.float64]
    feature_names: list[str]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    length: int
    weights: NDArray[np.float64] = field(repr=False)
    selection: Selection | None = None
    method: str = "kmeans"

    @classmethod
    def fit(cls, data: Rows | Sequences, n_clusters: int, seed: int, threads: int) -> Self:
        """Cluster `data`."""
        order = canonical_order(data)
        data = subset(data, order)
        length = int(np.median(data.lengths)) if isinstance(data, Sequences) else 0
        rows = _flat(data, length)
        mean, deviation = moments(rows)
        names = (
            data.names if isinstance(data, Rows) else [f"raw{j}" for j in range(rows.shape[1])]
        )
        model = cls(
            n_clusters,
            np.empty(0, np.int64),
            np.empty((0, 0)),
            list(names),
            mean,
            np.where(deviation > 0, deviation, 1.0),
            length,
            np.empty(0),
        )
        places = (rows - mean) / model.deviation
        kmeans = KMeans(n_clusters, n_init=10, random_state=seed, n_jobs=threads or None).fit(
            places
        )
        model.centers = np.asarray(kmeans.cluster_centers_, dtype=np.float64)
        model.labels = restored(_core.nearest_center(places, model.centers), order)
        model.weights = np.bincount(model.labels, minlength=n_clusters).astype(float)
        return model

    def embed(
        self, data: Rows | Sequences, limits: Callable[[], Limits]
    ) -> NDArray[np.float64]:
        """Return the standardised raw values."""
        del limits
        return (_flat(data, self.length) - self.mean) / self.deviation

    def transform(
        self, data: Rows | Sequences, limits: Callable[[], Limits]
    ) -> NDArray[np.float32]:
        """Return the standardised raw values."""
        return self.embed(data, limits).astype(np.float32)

    def predict(
        self, data: Rows | Sequences, limits: Callable[[], Limits]
    ) -> NDArray[np.int64]:
        """Return the nearest cluster of each sample."""
        return _core.nearest_center(self.embed(data, limits), self.centers)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return every learned array by name."""
        return {
            "labels": self.labels,
            "centers": self.centers,
            "mean": self.mean,
            "deviation": self.deviation,
            "weights": self.weights,
        }

    def settings(self) -> dict[str, Any]:
        """Return all that is not an array, fit for JSON."""
        return {
            "method": self.method,
            "n_clusters": self.n_clusters,
            "feature_names": self.feature_names,
            "length": self.length,
        }

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any]) -> Self:
        """Rebuild a model from `arrays()` and `settings()`."""
        return cls(
            n_clusters=settings["n_clusters"],
            feature_names=list(settings["feature_names"]),
            length=settings["length"],
            labels=arrays["labels"],
            centers=arrays["centers"],
            mean=arrays["mean"],
            deviation=arrays["deviation"],
            weights=arrays["weights"],
        )


def fall_back(
    data: Rows | Sequences, n_clusters: int | None, seed: int, threads: int, error: Exception
) -> RawModel:
    """Cluster `data` after `error`.

    Raises
    ------
    NeuromorphicException
        If this fails as well.
    """
    try:
        return RawModel.fit(data, min(n_clusters or 4, len(data)), seed, threads)
    except Exception as second:
        raise NeuromorphicException(
            f"the features failed ({error}), and so did the fallback ({second})",
            NeuromorphicErrorType.RESOURCE_ERROR,
            context={"fallback_error": repr(second)},
            recoverable=False,
        ) from second


_KINDS: tuple[tuple[type[BaseException], NeuromorphicErrorType], ...] = (
    (TimeoutError, NeuromorphicErrorType.TIMEOUT_ERROR),
    (MemoryError, NeuromorphicErrorType.MEMORY_ERROR),
    (ArithmeticError, NeuromorphicErrorType.STABILITY_ERROR),
)


def failure(cause: Exception) -> NeuromorphicException:
    """Return `cause` as what the clusterer reports and raises."""
    if isinstance(cause, NeuromorphicException):
        return cause
    kind = NeuromorphicErrorType.RESOURCE_ERROR
    for cls, found in _KINDS:
        if isinstance(cause, cls):
            kind = found
    return NeuromorphicException(
        f"{type(cause).__name__}: {cause}",
        kind,
        context={"original_exception": repr(cause)},
    )


def _flat(data: Rows | Sequences, length: int) -> NDArray[np.float64]:
    """One row per sample; series of `length` steps."""
    if isinstance(data, Rows):
        return data.values
    return np.ascontiguousarray(resampled(data, length).values.reshape(len(data), -1))
