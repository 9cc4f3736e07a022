"""Density clustering with scikit-learn's conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast import _core
from holdfast._arrays import as_rows
from holdfast._estimator import Estimator
from holdfast._limits import fits, threads
from holdfast.errors import InvalidDataError
from holdfast.errors._parameters import real

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self


class DBSCAN(Estimator):
    """Find clusters of any shape where rows lie densely; the rest is noise.

    A row with at least `min_samples` rows within `eps` of it, itself included, is a core
    row. Core rows within `eps` of each other share a cluster; another row joins the first
    of the clusters of the core rows within `eps` of it, or is noise [1]_. The labels are
    scikit-learn's, number for number; distances are Euclidean, computed in float64.

    Rows are sorted into boxes of 32; boxes too far apart are left out, boxes within `eps`
    as a whole are taken unseen, and no list of neighbours is kept: memory is that of the
    data. In many dimensions few boxes can be left out, and time grows with the square of
    the number of rows.

    Squares of the values must be representable: data far above 1e150, or differences far
    below 1e-150, should be scaled first. Parameters are stored as given and checked by
    `fit`.

    Parameters
    ----------
    eps : float, default=0.5
        Largest distance of neighbours, above 0.
    min_samples : float, default=5
        Rows, or their weight, that make a neighbourhood dense.
    n_jobs : None or int, default=None
        Threads. None and -1: all this process may use.

    Attributes
    ----------
    labels_ : ndarray of int64, shape (n_samples,)
        Cluster of each row, numbered from 0 by their first core rows; -1 for noise.
    core_sample_indices_ : ndarray of int64, shape (n_core,)
        Which rows are core rows.
    components_ : ndarray of shape (n_core, n_features)
        The core rows themselves.
    n_features_in_ : int
        Number of columns seen by `fit`.
    feature_names_in_ : ndarray of str
        Their names, if `X` had any.

    References
    ----------
    .. [1] M. Ester, H.-P. Kriegel, J. Sander and X. Xu, "A density-based algorithm for
       discovering clusters in large spatial databases with noise", 1996.

    Examples
    --------
    >>> from holdfast.clustering import DBSCAN
    >>> DBSCAN(eps=1.0, min_samples=2).fit([[0.0], [1.0], [2.0], [9.0]]).labels_
    array([ 0,  0,  0, -1])
    """

    labels_: NDArray[np.int64]
    core_sample_indices_: NDArray[np.int64]
    components_: NDArray[Any]

    def __init__(
        self, eps: float = 0.5, *, min_samples: float = 5, n_jobs: int | None = None
    ) -> None:
        self.eps = eps
        self.min_samples = min_samples
        self.n_jobs = n_jobs

    def fit(
        self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Find the clusters of `X`.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Finite numbers.
        y : object
            Ignored.
        sample_weight : array-like of shape (n_samples,), optional
            What a row counts for `min_samples`; negative weights thin out.

        Raises
        ------
        InvalidDataError
            If `X` or `sample_weight` has a wrong shape, NaN or infinity.
        InvalidParameterError
            If a parameter is outside its domain.
        MemoryBudgetError
            If two more copies of the rows, which is what the search needs, could not be held.
        """
        del y
        rows = as_rows(X)
        self._learn_features(X, rows.shape[1])
        # One copy in double precision, one in the leaves of the tree.
        fits("the tree of the rows", rows.shape, 8, 2)
        self.labels_, core = _core.fit_dbscan(
            rows.astype(np.float64, copy=False),
            _weights(sample_weight, len(rows)),
            eps=real("eps", self.eps, above=0),
            min_samples=real("min_samples", self.min_samples, above=0),
            limits=(threads(self.n_jobs), None, None),
        )
        self.core_sample_indices_ = np.flatnonzero(core)
        self.components_ = rows[self.core_sample_indices_]
        return self

    def fit_predict(
        self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> NDArray[np.int64]:
        """Fit and return `labels_`."""
        return self.fit(X, y, sample_weight).labels_


def _weights(sample_weight: ArrayLike | None, n: int) -> NDArray[np.float64] | None:
    if sample_weight is None:
        return None
    weights = np.ascontiguousarray(sample_weight, dtype=np.float64)
    if weights.shape != (n,) or not np.isfinite(weights).all():
        raise InvalidDataError(
            f"sample_weight must be finite with shape ({n},), got shape {weights.shape}"
        )
    if not weights.any():
        raise InvalidDataError("sample_weight must contain at least one non-zero number")
    return weights
