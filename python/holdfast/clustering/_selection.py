"""How many clusters: the smallest number that separates as well as the best."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.clustering._data.kept import places_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from typing_extensions import Self

_MOST = 12
_ROWS = 1000
_RESAMPLES = 20


@dataclass(frozen=True)
class Selection:
    """The number of clusters that was chosen, and how sure that is.

    Attributes
    ----------
    n_clusters
        The smallest candidate whose mean silhouette is within one standard error of the
        largest: silhouettes alone often rise a little with every further cluster.
    candidates, scores
        What was tried, and its silhouette (Rousseeuw, 1987).
    confidence
        Share of random halves of the samples on which the same candidate is chosen.
    """

    n_clusters: int
    candidates: list[int]
    scores: list[float]
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, fit for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Self:
        """Rebuild from `to_dict()`."""
        return cls(**fields)


def select_n_clusters(
    places: Callable[[int], NDArray[np.float64]],
    assign: Callable[[NDArray[np.float64]], NDArray[np.int64]],
    n: int,
    distinct: int,
) -> Selection:
    """Choose among 2 to 12 clusters.

    `places(k)` clusters all `n` samples into `k` and returns where they are;
    `assign(places)` are their labels. At most 1,000 samples, a draw, are scored.
    """
    candidates = list(range(2, min(_MOST, distinct) + 1))
    if not candidates:
        return Selection(1, [1], [0.0], 1.0)
    rows = places_of(n, min(n, _ROWS))
    widths = []
    for k in candidates:
        where = places(k)
        widths.append(_silhouettes(where[rows], assign(where)[rows]))
    table = np.array(widths)
    rng = np.random.default_rng(0)
    best = _simplest(table)
    halves = [rng.permutation(len(rows))[: (len(rows) + 1) // 2] for _ in range(_RESAMPLES)]
    same = [_simplest(table[:, half]) == best for half in halves]
    scores = [float(s) for s in table.mean(axis=1)]
    return Selection(candidates[best], candidates, scores, float(np.mean(same)))


def _simplest(widths: NDArray[np.float64]) -> int:
    """The first row as good as the best by the rule of one standard error.

    Breiman et al. (1984), "Classification and regression trees".
    """
    means = widths.mean(axis=1)
    best = int(np.argmax(means))
    error = widths[best].std() / np.sqrt(widths.shape[1])
    return int(np.argmax(means >= means[best] - error))


def _silhouettes(places: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    found, labels = np.unique(labels, return_inverse=True)
    if len(found) < 2:  # noqa: PLR2004
        return np.zeros(len(places))
    squares = (places**2).sum(axis=1)
    apart = np.maximum(squares[:, None] + squares - 2 * places @ places.T, 0.0)
    np.sqrt(apart, out=apart)
    member = np.eye(len(found))[labels]
    counts = member.sum(axis=0)
    sums = apart @ member
    own = counts[labels]
    inside = sums[np.arange(len(places)), labels] / np.maximum(own - 1, 1)
    means = sums / counts
    means[np.arange(len(places)), labels] = np.inf
    outside = means.min(axis=1)
    width = (outside - inside) / np.maximum(np.maximum(inside, outside), 1e-300)
    return np.asarray(np.where(own > 1, width, 0.0))
