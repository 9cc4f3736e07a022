"""Scores of clusterings; definitions and edge cases as in scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from holdfast import _core
from holdfast._arrays import as_rows
from holdfast._limits import threads
from holdfast.errors import InvalidDataError
from holdfast.errors._parameters import refuse

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_SAMPLED_ABOVE = 10_000


def silhouette_samples(
    X: ArrayLike, labels: ArrayLike, *, n_jobs: int | None = None
) -> NDArray[np.float64]:
    """Return the silhouette ``(b - a) / max(a, b)`` of every sample [1]_.

    `a` is the mean distance to the other samples of its cluster, `b` the least mean
    distance to those of another. 0 for a sample alone in its cluster. Computed without
    a matrix of distances, which are float32 about local means and summed in float64: a
    silhouette is right to 1e-6, whatever scale and offset of `X`. The same bits on any
    number of threads.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Samples, Euclidean.
    labels : array-like of shape (n_samples,)
        Numbers or strings, 2 to ``n_samples - 1`` different ones.
    n_jobs : None or int, default=None
        Threads. None and -1: all this process may use.

    Returns
    -------
    ndarray of float64, shape (n_samples,)
        Between -1 and 1.

    Raises
    ------
    InvalidDataError
        The shapes do not fit, there are too few or too many clusters, or `X` holds NaN
        or infinity.
    InvalidParameterError
        `n_jobs` is 0 or no integer.

    References
    ----------
    .. [1] Rousseeuw (1987), Silhouettes: a graphical aid to the interpretation and
       validation of cluster analysis, J. Comput. Appl. Math. 20.
    """
    rows, codes, counts = _checked(X, labels)
    limits = threads(n_jobs), None, None
    codes = codes.astype(np.uint32)
    return _core.silhouette_widths(_centred(rows), codes, len(counts), limits)


def silhouette_score(
    X: ArrayLike,
    labels: ArrayLike,
    *,
    sample_size: int | Literal["auto"] | None = "auto",
    random_state: int | None = 0,
    n_jobs: int | None = None,
) -> float:
    """Return the mean silhouette; see `silhouette_samples`.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Samples, Euclidean.
    labels : array-like of shape (n_samples,)
        Numbers or strings, 2 to ``n_samples - 1`` different ones.
    sample_size : 'auto', int or None, default='auto'
        Samples to draw without replacement; distances are those among them. 'auto': all
        up to 10,000, of more a draw of 10,000. `None`: all, at a cost that grows with
        the square of their number.
    random_state : int or None, default=0
        Seed of the draw, which is scikit-learn's for the same seed.
    n_jobs : None or int, default=None
        Threads. None and -1: all this process may use.

    Returns
    -------
    float
        Between -1 and 1.

    Raises
    ------
    InvalidDataError
        As `silhouette_samples`, for the samples drawn.
    InvalidParameterError
        `sample_size` is none of the above, or `n_jobs` is 0.
    """
    rows, codes, _ = _checked(X, labels)
    size = _SAMPLED_ABOVE if sample_size == "auto" else sample_size
    if size is not None:
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
            refuse("sample_size", "'auto', None or an integer >= 1", sample_size)
        if size < len(rows):
            draw = np.random.RandomState(random_state)
            drawn = draw.permutation(len(rows))[: int(size)]
            rows, codes = rows[drawn], codes[drawn]
    return float(silhouette_samples(rows, codes, n_jobs=n_jobs).mean())


def calinski_harabasz_score(X: ArrayLike, labels: ArrayLike) -> float:
    """Return the ratio of variance between to that within clusters (1974)."""
    rows, codes, counts = _checked(X, labels)
    rows = _centred(rows)
    means = _means(rows, codes, counts)
    between = float((counts * ((means - rows.mean(axis=0)) ** 2).sum(axis=1)).sum())
    within = float(((rows - means[codes]) ** 2).sum())
    if within == 0.0:
        return 1.0
    n, k = len(rows), len(counts)
    return between * (n - k) / (within * (k - 1))


def davies_bouldin_score(X: ArrayLike, labels: ArrayLike) -> float:
    """Return the mean of each cluster's worst ratio of spread to distance (1979)."""
    rows, codes, counts = _checked(X, labels)
    rows = _centred(rows)
    means = _means(rows, codes, counts)
    spread = np.bincount(codes, np.linalg.norm(rows - means[codes], axis=1)) / counts
    worst, apart = np.zeros(len(counts)), np.zeros(len(counts))
    for c, mean in enumerate(means):
        distances = np.linalg.norm(means - mean, axis=1)
        apart[c] = distances.max()
        distances[distances == 0] = np.inf
        worst[c] = ((spread[c] + spread) / distances).max()
    if np.allclose(spread, 0) or np.allclose(apart, 0):
        return 0.0
    return float(worst.mean())


def adjusted_rand_score(labels_true: ArrayLike, labels_pred: ArrayLike) -> float:
    """Return the Rand index adjusted for chance (Hubert and Arabie, 1985)."""
    _, _, cells, rows, columns = _contingency(labels_true, labels_pred)
    n = int(rows.sum())
    together, first, second = (
        sum(int(count) ** 2 for count in counts) - n for counts in (cells, rows, columns)
    )
    if first + second == 2 * together:
        return 1.0
    expected = first * second / (n * (n - 1))
    return float((together - expected) / ((first + second) / 2 - expected))


def normalized_mutual_info_score(labels_true: ArrayLike, labels_pred: ArrayLike) -> float:
    """Return mutual information over the mean of both entropies."""
    i, j, cells, rows, columns = _contingency(labels_true, labels_pred)
    if len(rows) == len(columns) and len(rows) < 2:  # noqa: PLR2004
        return 1.0
    n = rows.sum()
    p, a, b = cells / n, rows / n, columns / n
    shared = float((p * np.log(p / (a[i] * b[j]))).sum())
    mean = (_entropy(a) + _entropy(b)) / 2
    if shared <= np.finfo(float).eps or mean == 0:
        return 0.0
    return shared / mean


def _entropy(p: NDArray[np.float64]) -> float:
    return float(-(p * np.log(p)).sum())


def _contingency(
    labels_true: ArrayLike, labels_pred: ArrayLike
) -> tuple[
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.int64],
]:
    """Rows, columns and counts of cells in use, and counts of rows and of columns."""
    a, b = _labels("labels_true", labels_true), _labels("labels_pred", labels_pred)
    if a.ndim != 1 or a.shape != b.shape:
        raise InvalidDataError(
            f"labels must be two 1D arrays of one length, got {a.shape} and {b.shape}"
        )
    _, i, rows = np.unique(a, return_inverse=True, return_counts=True)
    _, j, columns = np.unique(b, return_inverse=True, return_counts=True)
    wide = max(len(columns), 1)
    cell, cells = np.unique(i * wide + j, return_counts=True)
    return cell // wide, cell % wide, cells, rows, columns


def _labels(name: str, labels: ArrayLike) -> NDArray[Any]:
    if np.ma.is_masked(labels):
        raise InvalidDataError(f"{name} must name a cluster for every sample, got masked ones")
    return np.asarray(labels)


def _centred(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows about zero, times a power of two: no square overflows or vanishes."""
    # One step, then another: means of numbers near the largest would overflow.
    for _ in range(2):
        _, exponent = np.frexp(np.abs(rows).max())
        rows = np.ldexp(rows, -exponent)
        rows = rows - rows.mean(axis=0)
    return rows


def _means(
    rows: NDArray[np.float64], codes: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    order = np.argsort(codes, kind="stable")
    starts = np.cumsum(counts) - counts
    # Relative to a row of each cluster, so that equal rows have exactly their own mean.
    origins = rows[order[starts]]
    sums = np.add.reduceat((rows - origins[codes])[order], starts, axis=0)
    return np.asarray(origins + sums / counts[:, None])


def _checked(
    X: ArrayLike, labels: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[Any], NDArray[np.int64]]:
    rows, given = as_rows(X).astype(np.float64, copy=False), _labels("labels", labels)
    if given.shape != (len(rows),):
        raise InvalidDataError(f"labels must have shape ({len(rows)},), got {given.shape}")
    found, codes, counts = np.unique(given, return_inverse=True, return_counts=True)
    if not 1 < len(found) < len(rows):
        raise InvalidDataError(
            f"labels must name 2 to n_samples - 1 = {len(rows) - 1} clusters, got {len(found)}"
        )
    return rows, codes, counts
