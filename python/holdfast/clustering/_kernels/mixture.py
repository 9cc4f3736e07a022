"""Mixtures of normal distributions with scikit-learn's conventions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from holdfast import _core
from holdfast._arrays import as_rows
from holdfast._estimator import Estimator
from holdfast._limits import fits, seed, threads
from holdfast._warnings import warn
from holdfast.errors import NotConvergedWarning
from holdfast.errors._parameters import count, real

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self


# Rows of the smallest part that is summed on its own.
_PART = 4096


class GaussianMixture(Estimator):
    """Describe rows as made by a few normal distributions of any shape.

    Expectation-maximisation [1]_ with full covariances, started from K-means. What
    scikit-learn's of the same name computes, in float64 and one pass over the rows per
    iteration; the same seed gives the same bits on any number of threads. Sums are taken
    about the former means, so data far from the origin lose no digits.

    Parameters are stored as given and checked by `fit`.

    Parameters
    ----------
    n_components : int, default=1
        Number of components.
    tol : float, default=1e-3
        The iteration ends when the mean log-likelihood changes by less than `tol`.
    reg_covar : float, default=1e-6
        Added to every variance, so that a component cannot shrink to nothing.
    max_iter : int, default=100
        Iterations of one start; a warning tells if they do not suffice.
    n_init : int, default=1
        Starts, of which the likeliest wins.
    random_state : None, int or NumPy generator, default=None
        Seed of the starts.
    n_jobs : None or int, default=None
        Threads. None and -1: all this process may use.

    Attributes
    ----------
    weights_ : ndarray of shape (n_components,)
        Share of each component; they sum to one.
    means_ : ndarray of shape (n_components, n_features)
        Means.
    covariances_ : ndarray of shape (n_components, n_features, n_features)
        Covariances.
    precisions_cholesky_ : ndarray of shape (n_components, n_features, n_features)
        Upper triangular ``U`` with ``U @ U.T`` the inverse of the covariance.
    converged_ : bool
        Whether the iteration ended by itself.
    n_iter_ : int
        Iterations run by the winning start.
    lower_bound_ : float
        Mean log-likelihood of the rows in its last iteration.
    n_features_in_ : int
        Number of columns seen by `fit`.
    feature_names_in_ : ndarray of str
        Their names, if `X` had any.

    References
    ----------
    .. [1] A. Dempster, N. Laird and D. Rubin, "Maximum likelihood from incomplete data
       via the EM algorithm", 1977.

    Examples
    --------
    >>> from holdfast.clustering import GaussianMixture
    >>> X = [[0.0], [0.2], [0.4], [8.0], [9.0], [10.0]]
    >>> mixture = GaussianMixture(2, random_state=0).fit(X)
    >>> sorted(mixture.means_.ravel().round(3).tolist())
    [0.2, 9.0]
    >>> mixture.predict_proba([[0.1]]).max().round(3)
    np.float64(1.0)
    """

    weights_: NDArray[np.float64]
    means_: NDArray[np.float64]
    covariances_: NDArray[np.float64]
    precisions_cholesky_: NDArray[np.float64]
    lower_bound_: float
    n_iter_: int
    converged_: bool

    def __init__(
        self,
        n_components: int = 1,
        *,
        tol: float = 1e-3,
        reg_covar: float = 1e-6,
        max_iter: int = 100,
        n_init: int = 1,
        random_state: object = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Find the components of `X`.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Finite numbers, at least two rows.
        y : object
            Ignored.

        Raises
        ------
        InvalidDataError
            If `X` has a wrong shape, NaN or infinity, too few rows, or a component comes
            to be flat.
        InvalidParameterError
            If a parameter is outside its domain.
        MemoryBudgetError
            If the covariances could not be held.
        """
        del y
        rows = as_rows(X, min_rows=2)
        self._learn_features(X, rows.shape[1])
        k, width = count("n_components", self.n_components), rows.shape[1]
        # Sums of up to 32 parts of the rows, half a matrix each, and the results.
        fits("the covariances", (k, width, width), 8, 4 + min(16, len(rows) // _PART))
        fitted = _core.fit_mixture(
            rows.astype(np.float64, copy=False),
            n_components=k,
            tol=real("tol", self.tol, least=0),
            reg_covar=real("reg_covar", self.reg_covar, least=0),
            max_iter=count("max_iter", self.max_iter),
            n_init=count("n_init", self.n_init),
            seed=seed(self.random_state),
            limits=(threads(self.n_jobs), None, None),
        )
        self.weights_, self.means_, self.covariances_, self.precisions_cholesky_ = fitted[:4]
        self.lower_bound_, self.n_iter_, self.converged_ = fitted[4:]
        if not self.converged_:
            warn(
                f"the likelihood still changed by more than tol={self.tol} after "
                f"max_iter={self.max_iter} iterations",
                NotConvergedWarning,
            )
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return the likeliest component of each row, shape (n_samples,)."""
        labels: NDArray[np.int64] = self._log_probabilities(X)[1].argmax(axis=1)
        return labels

    def fit_predict(self, X: ArrayLike, y: object = None) -> NDArray[np.int64]:
        """Fit and return the likeliest component of each row."""
        return self.fit(X, y).predict(X)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each component, (n_samples, n_components)."""
        shares: NDArray[np.float64] = np.exp(self._log_probabilities(X)[1])
        return shares

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the log-density of each row, shape (n_samples,): least for outliers."""
        return self._log_probabilities(X)[0]

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Return the mean log-likelihood of the rows."""
        del y
        return float(self.score_samples(X).mean())

    def bic(self, X: ArrayLike) -> float:
        """Return the Bayesian information criterion (Schwarz, 1978): less is better."""
        density = self.score_samples(X)
        return float(-2 * density.sum() + self._freedom() * math.log(len(density)))

    def aic(self, X: ArrayLike) -> float:
        """Return Akaike's information criterion (1974): less is better."""
        return float(-2 * self.score_samples(X).sum() + 2 * self._freedom())

    def _freedom(self) -> int:
        k, d = len(self.weights_), self.n_features_in_
        return k * (d * (d + 1) // 2 + d + 1) - 1

    def _log_probabilities(
        self, X: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        self._check_is_fitted()
        self._check_names(X)
        rows = as_rows(X)
        self._check_width(rows.shape[1])
        fits("the probabilities", (len(rows), len(self.weights_)), 8, 2)
        parameters = (self.weights_, self.means_, self.precisions_cholesky_)
        return _core.mixture_log_probabilities(
            rows.astype(np.float64, copy=False),
            *(np.ascontiguousarray(parameter, np.float64) for parameter in parameters),
            limits=(threads(self.n_jobs), None, None),
        )
