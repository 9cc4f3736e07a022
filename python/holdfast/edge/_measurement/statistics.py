"""Intervals and percentiles that say how much the sample supports.

A request is the unit: tokens inside one are correlated, and so are requests that follow one
another. Both shrink the *effective* sample, and every statement here is made with that.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from statistics import NormalDist, median
from typing import TYPE_CHECKING

from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NORMAL = NormalDist()
ENOUGH = 30
_FEWEST = 6
_HALF = 0.25


def student_quantile(two_sided: float, freedom: float) -> float:
    """The t at which both tails hold `two_sided` (Hill 1970, CACM algorithm 396)."""
    p, n = two_sided, freedom
    if n < 2:  # noqa: PLR2004
        raise InvalidParameterError(f"freedom must be at least 2, got {n!r}")
    if n == 2:  # noqa: PLR2004
        return math.sqrt(2 / (p * (2 - p)) - 2)
    a = 1 / (n - 0.5)
    b = 48 / a**2
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * math.sqrt(a * math.pi / 2) * n
    y = (d * p) ** (2 / n)
    if y > 0.05 + a:
        x = _NORMAL.inv_cdf(p / 2)
        y = x * x
        if n < 5:  # noqa: PLR2004
            c += 0.3 * (n - 4.5) * (x + 0.6)
        c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c
        y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
        y = math.expm1(a * y * y)
    else:
        y = (
            (1 / (((n + 6) / (n * y) - 0.089 * d - 0.822) * (n + 2) * 3) + 0.5 / (n + 4)) * y
            - 1
        ) * (n + 1) / (n + 2) + 1 / y
    return math.sqrt(n * y)


def student_chance(t: float, freedom: float) -> float:
    """Both tails beyond `t` together: the inverse of `student_quantile`, by bisection."""
    low, high = -40.0, 0.0  # of the natural logarithm
    for _ in range(60):
        middle = (low + high) / 2
        if student_quantile(math.exp(middle), freedom) > t:
            low = middle
        else:
            high = middle
    return math.exp((low + high) / 2)


def lag_one(values: Sequence[float]) -> float:
    """Correlation of neighbours, on normal scores, corrected for its bias of -(1 + 4r)/n."""
    n = len(values)
    order = sorted(range(n), key=values.__getitem__)
    scores = [0.0] * n
    start = 0
    while start < n:
        stop = start
        while stop + 1 < n and values[order[stop + 1]] == values[order[start]]:
            stop += 1
        score = _NORMAL.inv_cdf(((start + stop) / 2 + 0.625) / (n + 0.25))
        for index in order[start : stop + 1]:
            scores[index] = score
        start = stop + 1
    mean = math.fsum(scores) / n
    scores = [score - mean for score in scores]
    total = math.fsum(score * score for score in scores)
    if total == 0:
        return 0.0
    r = math.fsum(x * y for x, y in itertools.pairwise(scores)) / total
    return min(max(r + (1 + 4 * r) / n, -0.3), 0.9)


def inflation(n: int, rho: float) -> float:
    """How much wider the count below the median scatters than without correlation.

    For a Gaussian process with correlations rho^k the signs have (2/pi) asin(rho^k).
    """
    total = math.fsum(
        (1 - k / n) * (2 / math.pi) * math.asin(rho**k) for k in range(1, min(n, 400))
    )
    return max(1 + 2 * total, 0.5)


@dataclass(frozen=True)
class Interval:
    """A median and where it lies.

    Attributes
    ----------
    value : float
    low, high : float or None
        None below 6 values.
    n : int
    effective : float
        Independent values that would say as much.
    note : str or None
        Why the interval is wider than asked for.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    effective: float
    note: str | None = None

    @property
    def half_width(self) -> float | None:
        """Half the interval over the value."""
        if self.low is None or self.high is None or self.value == 0:
            return None
        return (self.high - self.low) / 2 / abs(self.value)


def order_statistic(ordered: Sequence[float], position: float) -> float:
    """Value at a 1-based, possibly fractional position; the ends are never passed."""
    position = min(max(position, 1.0), float(len(ordered)))
    below = int(position)
    above = min(below + 1, len(ordered))
    share = position - below
    return ordered[below - 1] * (1 - share) + ordered[above - 1] * share


def _within(
    values: Sequence[float], strata: Sequence[object], middle: float
) -> tuple[float, list[float], int]:
    """What repeated runs over the same strata scatter by.

    Variance of the count below `middle` (stratified sampling, Cochran 1977, section 5.9; a
    quarter of an observation is added on each side, so that a stratum that lies wholly on
    one side still counts), the values less the middle of their stratum, and the number of
    strata.
    """
    grouped: dict[object, list[float]] = {}
    for value, stratum in zip(values, strata, strict=True):
        grouped.setdefault(stratum, []).append(value)
    variance = 0.0
    for group in grouped.values():
        size = len(group)
        below = sum((value < middle) + 0.5 * (value == middle) for value in group)
        share = (below + _HALF) / (size + 2 * _HALF)
        variance += size * share * (1 - share)
    middles = {key: median(group) for key, group in grouped.items()}
    rest = [value - middles[key] for value, key in zip(values, strata, strict=True)]
    return min(variance, len(values) / 4), rest, len(grouped)


def median_interval(
    values: Sequence[float],
    confidence: float = 0.95,
    strata: Sequence[object] | None = None,
) -> Interval:
    """Median of per-request values, in order of time, with an interval by order statistics.

    The binomial count of values below the median is widened by the correlation of
    neighbours, estimated on normal scores. From 30 values on and with at least 10 effective
    ones, 93 to 97 of 100 such intervals hold the true median (`benches/edge.py`);
    below, the interval is wider and `note` says so.

    Parameters
    ----------
    values : sequence of float
    confidence : float
    strata : sequence, optional
        Which prompt each value belongs to. Prompts are chosen, not drawn: that they differ
        from one another does not widen the interval.

    Raises
    ------
    InvalidParameterError
        When there are no values, `strata` has another length, or `confidence` is not
        between 0 and 1.
    """
    if not values:
        raise InvalidParameterError("values must hold at least one number, got none")
    if not 0 < confidence < 1:
        raise InvalidParameterError(f"confidence must lie in (0, 1), got {confidence!r}")
    if strata is not None and len(strata) != len(values):
        raise InvalidParameterError(
            f"strata must hold one entry per value, got {len(strata)} for {len(values)}"
        )
    ordered, n = sorted(values), len(values)
    middle = order_statistic(ordered, (n + 1) / 2)
    if n < _FEWEST:
        return Interval(middle, None, None, n, n, f"{_FEWEST - n} more values needed")
    if ordered[0] == ordered[-1]:
        return Interval(middle, middle, middle, n, n)
    variance, rest, parts = n / 4, values, 1
    if strata is not None and 1 < len(set(strata)) <= n // 2:
        variance, rest, parts = _within(values, strata, middle)
    wider = inflation(n, lag_one(rest))
    effective = min(n / wider, 2.0 * n)
    freedom = max(min(effective, n) - parts, 2.0)
    reach = student_quantile(1 - confidence, freedom) * math.sqrt(variance * wider)
    note = None
    if n < ENOUGH:
        reach, note = reach * 1.15, f"{n} values: wider than {confidence:.0%}"
    elif effective < 10:  # noqa: PLR2004
        reach, note = reach * 1.3, "neighbours are strongly correlated: wider"
    return Interval(
        middle,
        order_statistic(ordered, (n + 1) / 2 - reach),
        order_statistic(ordered, (n + 1) / 2 + reach),
        n,
        effective,
        note,
    )


def _chances(n: int, chance: float) -> Iterator[float]:
    """P[Binom(n, chance) = k] for k = 0, 1, ...; in logarithms, which no n overflows."""
    for k in range(n + 1):
        ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
        yield math.exp(ways + k * math.log(chance) + (n - k) * math.log1p(-chance))


def _tail(n: int, at_most: int, chance: float) -> float:
    """P[Binom(n, chance) <= at_most]."""
    return math.fsum(itertools.islice(_chances(n, chance), at_most + 1))


def supporting_samples(percentile: float, confidence: float = 0.99) -> int:
    """Samples from which a percentile may be claimed (LoadGen's early-stopping rule).

    The smallest n with P[Binom(n, 1 - p) <= 1] <= 1 - c: 11 for p50, 64 for p90, 130 for p95
    and 662 for p99.
    """
    beyond = 1 - percentile / 100
    low, high = 2, 4
    while _tail(high, 1, beyond) > 1 - confidence:
        high *= 2
    while low < high:
        middle = (low + high) // 2
        if _tail(middle, 1, beyond) <= 1 - confidence:
            high = middle
        else:
            low = middle + 1
    return low


@dataclass(frozen=True)
class Percentile:
    """A percentile, or how many more samples it needs.

    Attributes
    ----------
    value : float or None
        The sample's own, at position ceil(n p); None when `need` is above 0.
    bound : float or None
        99 % upper confidence bound.
    effective : float
        Independent samples.
    need : int
        Further independent samples required.
    """

    percentile: float
    value: float | None
    bound: float | None
    n: int
    effective: float
    need: int


def effective_samples(groups: Sequence[Sequence[float]], threshold: float) -> float:
    """Independent samples in clustered ones, for the share above `threshold`.

    Ratio of the binomial variance of that share to the variance between clusters
    (Kish 1965, design effect).
    """
    sizes = [len(group) for group in groups if group]
    total = sum(sizes)
    if len(sizes) < 2:  # noqa: PLR2004
        return float(len(sizes))
    above = [sum(1 for value in group if value > threshold) for group in groups if group]
    share = sum(above) / total
    spread = math.fsum(
        (count - share * size) ** 2 for count, size in zip(above, sizes, strict=True)
    )
    variance = spread * len(sizes) / (len(sizes) - 1) / total**2
    if variance == 0 or share in (0, 1):
        return float(total)
    return min(max(share * (1 - share) / variance, 1.0), float(total))


def percentile(groups: Sequence[Sequence[float]], at: float) -> Percentile:
    """Percentile of values that came in groups (tokens of requests), if they support it."""
    values = sorted(value for group in groups for value in group)
    need = supporting_samples(at)
    n = len(values)
    if n == 0:
        return Percentile(at, None, None, 0, 0.0, need)
    value = values[max(math.ceil(n * at / 100), 1) - 1]
    singles = all(len(group) <= 1 for group in groups)
    effective = float(n) if singles else effective_samples(groups, value)
    if effective < need:
        return Percentile(at, None, None, n, effective, need - int(effective))
    beyond, whole = 1 - at / 100, int(effective)
    # The largest rank with at most 1 % below it.
    sums = itertools.accumulate(_chances(whole, beyond))
    rank = max(sum(1 for _ in itertools.takewhile(lambda total: total <= 0.01, sums)) - 1, 1)  # noqa: PLR2004
    # Rank from the top, carried over from the effective sample to the real one.
    bound = values[max(n - max(round(rank * n / whole), 1), 0)]
    return Percentile(at, value, bound, n, effective, 0)
