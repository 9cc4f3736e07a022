"""K-means with scikit-learn's conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast import _core
from holdfast._arrays import as_real, as_rows
from holdfast._estimator import Estimator
from holdfast._limits import fits, seed, threads, time_budget
from holdfast._output import FramedOutput
from holdfast._warnings import warn
from holdfast.clustering._progress import Progress
from holdfast.errors import (
    FewerClustersWarning,
    InvalidDataError,
    InvalidParameterError,
)
from holdfast.errors._parameters import count, real, refuse

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from holdfast._arrays import Rows

_STARTS_FROM_RANDOM = 10


class KMeans(FramedOutput, Estimator):
    """Partition rows into groups around their means.

    Lloyd's iteration [1]_ with distances by a packed matrix product, Hamerly's bounds
    [2]_ to leave out rows that provably stay where they are, scores in 16-bit whole
    numbers that decide most others with proven bounds on their error, and k-means++ [3]_
    for the starting centres. A step costs at most ``n_samples * n_clusters * n_features``
    multiplications. The same seed gives the same bits on any number of threads. Rows in
    another order, or repeated instead of weighted, give the same clusters up to
    rounding: starting centres are drawn from the rows in the order of a hash of their
    values, and mean and variance are weighted (scikit-learn's are not).

    Values of any size are computed as they are: where squares could leave the range of
    their type, all is done at a power of two of the values, which changes no digit. Only a
    sum of squared distances beyond 1.8e308, of values near 1e154, is refused.

    Parameters are stored as given and checked by `fit`.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters, at most the number of samples. With fewer different samples
        than clusters some clusters stay empty, and a warning says so.
    init : {'k-means++', 'plain-k-means++', 'random'} or array of shape \
(n_clusters, n_features), default='k-means++'
        Starting centres. 'k-means++' takes the best of ``2 + ln(n_clusters)``
        candidates for each centre, as scikit-learn does; 'plain-k-means++' one
        candidate; 'random' draws different samples by weight.
    n_init : 'auto' or int, default='auto'
        Starts, of which the one of least inertia wins. 'auto' is 10 for 'random',
        else 1. Ignored for an array.
    max_iter : int, default=300
        Iterations of one start.
    tol : float, default=1e-4
        The iteration ends when the squared moves of the centres sum up to at most `tol`
        times the mean variance of the features, or no label changes.
    random_state : None, int or NumPy generator, default=None
        Seed of the starts.
    n_jobs : None or int, default=None
        Threads. None and -1: all this process may use.
    max_seconds : float or None, default=None
        Time budget of `fit`; when it is used up, a `TimeBudgetError` is raised and the
        estimator stays as it was.
    progress : bool or None, default=None
        Show a bar of iterations (needs tqdm) on fits longer than a second. `None`: on a
        terminal.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        The means, in the precision of the data.
    labels_ : ndarray of int32, shape (n_samples,)
        Cluster of each sample; equal to ``predict`` of the training data.
    inertia_ : float
        Weighted sum of squared distances of the samples to their centres.
    n_iter_ : int
        Iterations run by the winning start.
    n_features_in_ : int
        Number of columns seen by `fit`.
    feature_names_in_ : ndarray of str
        Their names, if `X` had any.

    References
    ----------
    .. [1] S. Lloyd, "Least squares quantization in PCM", 1982.
    .. [2] G. Hamerly, "Making k-means even faster", 2010.
    .. [3] D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful
       seeding", 2007.

    Examples
    --------
    >>> from holdfast.clustering import KMeans
    >>> kmeans = KMeans(2, random_state=0).fit([[0.0], [0.5], [9.0], [9.5]])
    >>> sorted(kmeans.cluster_centers_.ravel().tolist())
    [0.25, 9.25]
    >>> kmeans.predict([[1.0]]) == kmeans.labels_[0]
    array([ True])
    """

    cluster_centers_: Rows
    labels_: NDArray[np.int32]
    inertia_: float
    n_iter_: int

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: str | ArrayLike = "k-means++",
        n_init: str | int = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        random_state: object = None,
        n_jobs: int | None = None,
        max_seconds: float | None = None,
        progress: bool | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.max_seconds = max_seconds
        self.progress = progress

    def fit(
        self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Find the clusters of `X`.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Finite numbers. float32 is computed in float32, all else in float64.
        y : object
            Ignored.
        sample_weight : array-like of shape (n_samples,), optional
            Weights, zero or more; as if the samples were repeated so many times.

        Raises
        ------
        InvalidDataError
            If `X` or `sample_weight` has a wrong shape, NaN or infinity, or the inertia
            would not be a finite number.
        InvalidParameterError
            If a parameter is outside its domain.
        MemoryBudgetError
            If the sums of `n_clusters` clusters could not be held.
        TimeBudgetError
            If `max_seconds` are used up.
        """
        del y
        budget = time_budget(self.max_seconds)
        rows: Any = as_rows(X)
        settings: dict[str, Any] = {
            "n_clusters": count("n_clusters", self.n_clusters),
            "init": self._start(),
            "n_init": self._starts(),
            "max_iter": count("max_iter", self.max_iter),
            "tol": real("tol", self.tol, least=0, finite=False),
            "seed": seed(self.random_state),
        }
        weights = _weights(sample_weight, len(rows))
        # Up to 32 ranges of rows are summed on their own.
        ranges = min(32, 1 + len(rows) // 2048)
        fits("the sums of the clusters", (settings["n_clusters"], rows.shape[1]), 8, ranges + 4)
        kernel: Any = _core.fit_kmeans_f32 if rows.dtype == np.float32 else _core.fit_kmeans_f64
        with Progress(self.progress) as progress:
            limits = threads(self.n_jobs), budget, progress
            fitted: tuple[Any, ...] = kernel(rows, weights, **settings, limits=limits)
        self._learn_features(X, rows.shape[1])
        centres, self._frame, self.labels_, self.inertia_, self.n_iter_ = fitted
        self.cluster_centers_ = centres
        found = len(np.unique(self.labels_))
        if found < len(centres):
            warn(
                f"found {found} clusters, fewer than n_clusters={len(centres)}: X may "
                "have too few different rows",
                FewerClustersWarning,
            )
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.int32]:
        """Return the index of the nearest centre of each row, shape (n_samples,).

        The answer for a row does not depend on the rows beside it.
        """
        rows: Any = self._rows(X)
        limits = (threads(self.n_jobs), None, None)
        if rows.dtype == np.float32:
            centres, frame = self._as(np.float32)
            return _core.predict_kmeans_f32(rows, centres, frame, limits=limits)
        centres, frame = self._as(np.float64)
        return _core.predict_kmeans_f64(rows, centres, frame, limits=limits)

    def transform(self, X: ArrayLike) -> Any:
        """Return the distance of each row from each centre, (n_samples, n_clusters).

        Raises
        ------
        InvalidDataError
            If `X` has a wrong shape, NaN or infinity, or a distance is no finite number of
            its dtype.
        """
        rows: Any = self._rows(X)
        limits = (threads(self.n_jobs), None, None)
        fits("the distances", (len(rows), len(self.cluster_centers_)), rows.itemsize)
        if rows.dtype == np.float32:
            centres, _ = self._as(np.float32)
            distances: Any = _core.kmeans_distances_f32(rows, centres, limits=limits)
        else:
            centres, _ = self._as(np.float64)
            distances = _core.kmeans_distances_f64(rows, centres, limits=limits)
        with np.errstate(over="ignore"):
            finite = np.isfinite(distances.sum()) or np.isfinite(distances).all()
        if not finite:
            raise InvalidDataError(
                f"X must be small enough for its distances to be finite in {rows.dtype}, got "
                f"numbers up to {np.abs(rows).max():g}: scale X first"
            )
        return self._framed(distances, X)

    def fit_predict(
        self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> NDArray[np.int32]:
        """Fit and return `labels_`."""
        return self.fit(X, y, sample_weight).labels_

    def fit_transform(
        self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> Any:
        """Fit and return the distances of `X`."""
        return self.fit(X, y, sample_weight).transform(X)

    def score(
        self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the negative inertia of `X`: greater is better.

        Raises
        ------
        InvalidDataError
            If `X` or `sample_weight` has a wrong shape, NaN or infinity, or the inertia
            would not be a finite number.
        """
        del y
        labels = self.predict(X)
        rows = as_rows(X).astype(np.float64)
        weights = _weights(sample_weight, len(rows))
        with np.errstate(over="ignore"):
            largest = np.abs(rows).max()
            rows -= self.cluster_centers_[labels]
            squares = np.einsum("ij,ij->i", rows, rows)
            inertia = float(squares.sum() if weights is None else squares @ weights)
        if not np.isfinite(inertia):
            raise InvalidDataError(
                "X must be small enough for its sum of squared distances to stay below "
                f"1.8e308, got numbers up to {largest:g}: scale X first"
            )
        return -inertia

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the names of the columns of `transform`: kmeans0, kmeans1, ..."""
        del input_features
        self._check_is_fitted()
        names = [f"kmeans{c}" for c in range(len(self.cluster_centers_))]
        return np.asarray(names, dtype=object)

    def _rows(self, X: object) -> Rows:
        self._check_is_fitted()
        self._check_names(X)
        rows = as_rows(X)
        self._check_width(rows.shape[1])
        if self._frame[1] != 0 and self.cluster_centers_.dtype == np.float64:
            return rows.astype(np.float64, copy=False)  # centres may be beyond float32
        return rows

    def _as(self, dtype: type[Any]) -> tuple[NDArray[Any], tuple[NDArray[Any], int]]:
        shift, exponent = self._frame
        centres = np.ascontiguousarray(self.cluster_centers_, dtype=dtype)
        return centres, (np.ascontiguousarray(shift, dtype=dtype), exponent)

    def _start(self) -> str | NDArray[np.float64]:
        if isinstance(self.init, str):
            return self.init
        try:
            return np.ascontiguousarray(as_rows(self.init), dtype=np.float64)
        except (InvalidDataError, TypeError) as error:
            raise InvalidParameterError(
                f"init must be a name or a finite array of shape (n_clusters, "
                f"n_features): {error}"
            ) from error

    def _starts(self) -> int:
        if not isinstance(self.init, str):
            return 1
        if isinstance(self.n_init, str):
            if self.n_init != "auto":
                refuse("n_init", "'auto' or an integer >= 1", self.n_init)
            return _STARTS_FROM_RANDOM if self.init == "random" else 1
        return count("n_init", self.n_init)


def _weights(sample_weight: ArrayLike | None, n: int) -> NDArray[np.float64] | None:
    if sample_weight is None:
        return None
    weights = np.ascontiguousarray(as_real(sample_weight, "sample_weight"), dtype=np.float64)
    if weights.ndim == 0:
        weights = np.full(n, weights)
    if weights.shape != (n,):
        raise InvalidDataError(f"sample_weight must have shape ({n},), got {weights.shape}")
    return weights
