"""Signed ranks and rank sums, with correlation between neighbours allowed for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.edge._measurement.statistics import (
    inflation,
    lag_one,
    student_chance,
    student_quantile,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Shift:
    """How much the logarithms of B lie above those of A.

    Attributes
    ----------
    estimate, low, high : float
        Hodges-Lehmann estimate and its 95 % interval.
    p_above, p_either : float
        Chance of this or more when there is no difference: one-sided, and two-sided.
    """

    estimate: float
    low: float
    high: float
    p_above: float
    p_either: float


def signed_ranks(differences: Sequence[float]) -> Shift:
    """Wilcoxon's signed ranks.

    Neighbouring pairs may be correlated: the variance of the rank sum grows, and the degrees
    of freedom shrink, by what an autoregression of that correlation has (Bartlett 1946).
    """
    import numpy as np

    d = np.asarray(differences)
    n = len(d)
    rho = lag_one(differences)
    wider = max(1 + 2 * sum((1 - k / n) * rho**k for k in range(1, n)), 0.5)
    freedom = max(min(n / wider, n) - 1, 2.0)
    i, j = np.triu_indices(n)
    walsh = np.sort((d[i] + d[j]) / 2)
    # The number of positive Walsh averages is the sum of the ranks of positive differences.
    above = np.sum(walsh > 0) + 0.5 * np.sum(walsh == 0)
    spread = math.sqrt(n * (n + 1) * (2 * n + 1) / 24 * wider)
    z = float((above - n * (n + 1) / 4) / spread)
    either = student_chance(abs(z), freedom)
    reach = student_quantile(0.05, freedom) * spread
    low = walsh[max(int(len(walsh) / 2 - reach), 0)]
    high = walsh[min(int(len(walsh) / 2 + reach), len(walsh) - 1)]
    return Shift(
        float(np.median(walsh)), float(low), float(high),
        either / 2 if z > 0 else 1 - either / 2, either,
    )  # fmt: skip


def rank_sums(a: Sequence[float], b: Sequence[float]) -> Shift:
    """Hodges-Lehmann shift of two samples with the Mann-Whitney test behind it."""
    import numpy as np

    x, y = np.asarray(a), np.asarray(b)
    shifts = np.sort((y[:, None] - x[None, :]).ravel())
    m, n = len(x), len(y)
    above = np.sum(shifts > 0) + 0.5 * np.sum(shifts == 0)
    wider = max(1.0, inflation(m, lag_one(a)), inflation(n, lag_one(b)))
    spread = math.sqrt(m * n * (m + n + 1) / 12 * wider)
    z = float((above - m * n / 2) / spread)
    reach = 1.96 * spread
    low = shifts[max(int(m * n / 2 - reach), 0)]
    high = shifts[min(int(m * n / 2 + reach), m * n - 1)]
    return Shift(
        float(np.median(shifts)), float(low), float(high),
        0.5 * math.erfc(z / math.sqrt(2)), math.erfc(abs(z) / math.sqrt(2)),
    )  # fmt: skip
