"""Scores of clusterings; definitions and edge cases as in scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.errors import InvalidDataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_SAMPLED_ABOVE = 10_000
_BLOCK = 512


def silhouette_samples(X: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """Return ``(b - a) / max(a, b)`` per sample (Rousseeuw, 1987).

    `a` is the mean distance to the other samples of its cluster, `b` the least mean
    distance to those of another. 0 for a sample alone in its cluster.
    """
    rows, codes, counts = _checked(X, labels)
    rows = rows - rows.mean(axis=0)
    squares = np.einsum("ij,ij->i", rows, rows)
    member = np.eye(len(counts))[codes]
    widths = np.empty(len(rows))
    for start in range(0, len(rows), _BLOCK):
        part = slice(start, start + _BLOCK)
        apart = squares[part, None] + squares - 2 * rows[part] @ rows.T
        np.sqrt(np.maximum(apart, 0.0, out=apart), out=apart)
        here = np.arange(len(apart))
        apart[here, here + start] = 0.0
        sums = apart @ member
        own = codes[part]
        inside = sums[here, own] / np.maximum(counts[own] - 1, 1)
        means = sums / counts
        means[here, own] = np.inf
        outside = means.min(axis=1)
        larger = np.maximum(inside, outside)
        width = np.where(larger > 0, (outside - inside) / np.where(larger > 0, larger, 1), 0)
        widths[part] = np.where(counts[own] > 1, width, 0.0)
    return widths


def silhouette_score(
    X: ArrayLike,
    labels: ArrayLike,
    *,
    sample_size: int | str | None = "auto",
    random_state: int = 0,
) -> float:
    """Return the mean silhouette.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    labels : array-like of shape (n_samples,)
    sample_size : 'auto', int or None
        Samples scored, drawn without replacement. 'auto': all up to 10,000, else 10,000.
        `None`: all, at a cost that grows with their square.
    random_state : int
        Seed of the draw.
    """
    rows, codes, _ = _checked(X, labels)
    size = _SAMPLED_ABOVE if sample_size == "auto" else sample_size
    if size is not None and int(size) < len(rows):
        drawn = np.random.default_rng(random_state).permutation(len(rows))[: int(size)]
        rows, codes = rows[drawn], codes[drawn]
    return float(silhouette_samples(rows, codes).mean())


def calinski_harabasz_score(X: ArrayLike, labels: ArrayLike) -> float:
    """Return the ratio of variance between to that within clusters (1974)."""
    rows, codes, counts = _checked(X, labels)
    means = _means(rows, codes, counts)
    between = float((counts * ((means - rows.mean(axis=0)) ** 2).sum(axis=1)).sum())
    within = float(((rows - means[codes]) ** 2).sum())
    if within == 0.0:
        return 1.0
    n, k = len(rows), len(counts)
    return between * (n - k) / (within * (k - 1))


def davies_bouldin_score(X: ArrayLike, labels: ArrayLike) -> float:
    """Return the mean over clusters of the worst ratio of spread to distance (1979)."""
    rows, codes, counts = _checked(X, labels)
    means = _means(rows, codes, counts)
    spread = np.bincount(codes, np.linalg.norm(rows - means[codes], axis=1)) / counts
    apart = np.linalg.norm(means[:, None] - means, axis=2)
    if np.allclose(spread, 0) or np.allclose(apart, 0):
        return 0.0
    apart[apart == 0] = np.inf
    return float(((spread[:, None] + spread) / apart).max(axis=1).mean())


def adjusted_rand_score(labels_true: ArrayLike, labels_pred: ArrayLike) -> float:
    """Return the Rand index adjusted for chance (Hubert and Arabie, 1985)."""
    table = _contingency(labels_true, labels_pred)
    n = int(table.sum())
    together = int((table.astype(object) ** 2).sum()) - n if n else 0
    rows = int((table.sum(axis=1).astype(object) ** 2).sum()) - n if n else 0
    columns = int((table.sum(axis=0).astype(object) ** 2).sum()) - n if n else 0
    pairs = n * (n - 1)
    if rows + columns == 2 * together:
        return 1.0
    expected = rows * columns / pairs
    return float((together - expected) / ((rows + columns) / 2 - expected))


def normalized_mutual_info_score(labels_true: ArrayLike, labels_pred: ArrayLike) -> float:
    """Return mutual information over the mean of both entropies."""
    table = _contingency(labels_true, labels_pred)
    if 1 in table.shape and table.shape[0] == table.shape[1]:
        return 1.0
    n = table.sum()
    if n == 0:
        return 1.0
    p = table / n
    a, b = p.sum(axis=1), p.sum(axis=0)
    i, j = np.nonzero(table)
    shared = float((p[i, j] * np.log(p[i, j] / (a[i] * b[j]))).sum())
    mean = (_entropy(a) + _entropy(b)) / 2
    if shared <= np.finfo(float).eps or mean == 0:
        return 0.0
    return shared / mean


def _entropy(p: NDArray[np.float64]) -> float:
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())


def _contingency(labels_true: ArrayLike, labels_pred: ArrayLike) -> NDArray[np.int64]:
    a, b = np.asarray(labels_true), np.asarray(labels_pred)
    if a.ndim != 1 or a.shape != b.shape:
        raise InvalidDataError(
            f"labels must be two 1D arrays of one length, got {a.shape} and {b.shape}"
        )
    rows, i = np.unique(a, return_inverse=True)
    columns, j = np.unique(b, return_inverse=True)
    table = np.zeros((len(rows), len(columns)), dtype=np.int64)
    np.add.at(table, (i, j), 1)
    return table


def _means(
    rows: NDArray[np.float64], codes: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    sums = np.zeros((len(counts), rows.shape[1]))
    np.add.at(sums, codes, rows)
    return np.asarray(sums / counts[:, None])


def _checked(
    X: ArrayLike, labels: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[Any], NDArray[np.int64]]:
    rows, given = np.asarray(X, dtype=np.float64), np.asarray(labels)
    if rows.ndim != 2 or given.shape != (len(rows),):  # noqa: PLR2004
        raise InvalidDataError(
            f"X must be (n, features) and labels (n,), got {rows.shape}, {given.shape}"
        )
    if not np.isfinite(rows).all():
        raise InvalidDataError("X contains NaN or infinity")
    found, codes, counts = np.unique(given, return_inverse=True, return_counts=True)
    if not 1 < len(found) < len(rows):
        raise InvalidDataError(
            f"labels must name 2 to n_samples - 1 = {len(rows) - 1} clusters, got {len(found)}"
        )
    return rows, codes, counts
