"""What a fit learned, and the names under which it can be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.clustering._fallback import RawModel
from holdfast.clustering._parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from sklearn.utils import Tags

    from holdfast.clustering._data.arrays import Rows, Sequences
    from holdfast.clustering._data.tables import Columns
    from holdfast.clustering._model import Model
    from holdfast.errors import NeuromorphicException


@dataclass
class Fit:
    """What one fit learned; replaced as a whole, or not at all.

    Of the training data it keeps no more than 10,000 samples, which the metrics need.
    """

    model: Model | RawModel
    kept: Rows | Sequences
    columns: Columns | None
    channels: int
    filled: int
    seed: int
    seconds: float
    error: NeuromorphicException | None
    interpretation: dict[int, dict[str, Any]]


def replaced(method: Any, own: Callable[..., Any]) -> Any:
    """`method`, where it is no more the one that the class was written with; else None."""
    return None if getattr(method, "__func__", None) is own else method


class Fitted(Parameters):
    """Properties over the one attribute that `fit` sets."""

    _fit: Fit

    @property
    def labels_(self) -> NDArray[np.int64]:
        """Cluster of each training sample."""
        return self._model.labels

    @property
    def cluster_labels(self) -> NDArray[np.int64] | None:
        """`labels_`, or `None` before `fit`."""
        return self._model.labels if self.trained else None

    @property
    def n_clusters_(self) -> int:
        """Clusters that were found."""
        return self._model.n_clusters

    @property
    def cluster_centers_(self) -> NDArray[np.float64]:
        """Centres, in the space in which the clusters are."""
        return self._model.centers

    @property
    def cluster_centroids(self) -> NDArray[np.float64]:
        """`cluster_centers_`."""
        return self.cluster_centers_

    @property
    def feature_data(self) -> NDArray[np.float64] | None:
        """Values of the samples that are kept for metrics and plots; `None` before `fit`.

        All of them up to 10,000 samples or 4 million values; of more, a draw.
        """
        return self._fit.kept.values if self.trained else None

    @property
    def selection_(self) -> Any:
        """How the number of clusters was chosen; `None` if it was given."""
        return self._model.selection

    @property
    def ignored_columns_(self) -> list[str]:
        """Columns of a DataFrame that were not clustered."""
        columns = self._fit_or_raise().columns
        return [] if columns is None else list(columns.ignored)

    @property
    def imputed_(self) -> int:
        """Missing values that were filled in."""
        return self._fit_or_raise().filled

    @property
    def device_(self) -> str:
        """Where the fit ran: always 'cpu'."""
        self._check_is_fitted()
        return "cpu"

    @property
    def trained(self) -> bool:
        """Whether there has been a fit."""
        return hasattr(self, "_fit")

    @property
    def fallback_used(self) -> bool:
        """Whether the last fit ended in K-means on the raw data."""
        return self.trained and isinstance(self._fit.model, RawModel)

    @property
    def last_error(self) -> NeuromorphicException | None:
        """Why the last fit used the fallback."""
        return self._fit.error if self.trained else None

    @property
    def _model(self) -> Model | RawModel:
        return self._fit_or_raise().model

    def _fit_or_raise(self) -> Fit:
        self._check_is_fitted()
        return self._fit

    def __sklearn_is_fitted__(self) -> bool:
        """Whether `fit` has been called."""
        return self.trained

    def __sklearn_tags__(self) -> Tags:
        """Describe the estimator to scikit-learn."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        if tags.transformer_tags is not None:
            tags.transformer_tags.preserves_dtype = []
        return tags
