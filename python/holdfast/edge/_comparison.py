"""Whether B is slower than A, or it was noise."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from holdfast.edge._statistics import inflation, lag_one, student_chance, student_quantile
from holdfast.errors import InvalidDataError, InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.edge._results import ProfileResults

METRICS = {
    "tpot_ms": False,
    "ttft_ms": False,
    "e2e_ms": False,
    "itl_ms": False,
    "decode_tps": True,
    "e2e_tps": True,
    "prefill_tps": True,
}


@dataclass(frozen=True)
class Comparison:
    """Whether the second of two results is slower.

    Attributes
    ----------
    metric : str
    ratio : float or None
        How many times longer B takes (Hodges-Lehmann estimate); above 1 it is slower.
    low, high : float or None
        95 % interval of the ratio.
    p_slower, p_value : float or None
        One-sided for "slower", and two-sided.
    verdict : str
        `slower`, `faster`, `same` (no difference was shown) or `not comparable`.
    n : int
        Pairs, or the smaller sample.
    method : str
        `exact`, `paired` or `unpaired`.
    reason : str or None
        Why it is not comparable, or what weakens it.
    """

    metric: str
    ratio: float | None
    low: float | None
    high: float | None
    p_slower: float | None
    p_value: float | None
    verdict: str
    n: int
    method: str
    reason: str | None = None

    @property
    def exit_code(self) -> int:
        """0: not slower, 1: slower, 2: not comparable."""
        return {"slower": 1, "not comparable": 2}.get(self.verdict, 0)

    def to_dict(self) -> dict[str, Any]:
        """Every attribute."""
        return asdict(self)


def _values(result: ProfileResults | Sequence[float], metric: str) -> list[float]:
    raw = getattr(result, "raw_measurements", None)
    values: Any = result if raw is None else raw.get(metric, [])
    return [float(value) for value in values if value is not None]


def _pairable(a: ProfileResults | Sequence[float], b: ProfileResults | Sequence[float]) -> bool:
    mine, theirs = (getattr(one, "raw_measurements", None) for one in (a, b))
    if mine is None or theirs is None:
        return False
    keys = ("prompt_index", "repetition")
    return all(mine.get(key) == theirs.get(key) and mine.get(key) for key in keys)


def _deterministic(result: object) -> bool:
    settings = getattr(result, "test_configuration", None) or {}
    return bool(settings.get("deterministic"))


def _log_ratios(a: Sequence[float], b: Sequence[float]) -> list[float]:
    for name, values in (("a", a), ("b", b)):
        if any(not value > 0 for value in values):
            raise InvalidDataError(f"{name} must hold positive numbers only")
    return [math.log(y / x) for x, y in zip(a, b, strict=True)]


def _paired(differences: list[float]) -> tuple[float, float, float, float, float]:
    """Estimate, interval and two p-values by Wilcoxon's signed ranks.

    Neighbouring pairs may be correlated: the variance of the rank sum grows, and the degrees
    of freedom shrink, by what an autoregression of that correlation has (Bartlett 1946).
    """
    import numpy as np  # noqa: PLC0415

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
    slower = either / 2 if z > 0 else 1 - either / 2
    reach = student_quantile(0.05, freedom) * spread
    low = walsh[max(int(len(walsh) / 2 - reach), 0)]
    high = walsh[min(int(len(walsh) / 2 + reach), len(walsh) - 1)]
    return float(np.median(walsh)), float(low), float(high), slower, either


def _unpaired(a: list[float], b: list[float]) -> tuple[float, float, float, float, float]:
    """Hodges-Lehmann shift of the logarithms with the Mann-Whitney test behind it."""
    import numpy as np  # noqa: PLC0415

    x, y = np.log(np.asarray(a)), np.log(np.asarray(b))
    shifts = np.sort((y[:, None] - x[None, :]).ravel())
    m, n = len(x), len(y)
    above = np.sum(shifts > 0) + 0.5 * np.sum(shifts == 0)
    wider = max(1.0, inflation(m, lag_one(a)), inflation(n, lag_one(b)))
    spread = math.sqrt(m * n * (m + n + 1) / 12 * wider)
    z = (above - m * n / 2) / spread
    slower = 0.5 * math.erfc(z / math.sqrt(2))
    either = math.erfc(abs(z) / math.sqrt(2))
    reach = 1.96 * spread
    low = shifts[max(int(m * n / 2 - reach), 0)]
    high = shifts[min(int(m * n / 2 + reach), m * n - 1)]
    return float(np.median(shifts)), float(low), float(high), slower, either


def _exact(metric: str, a: list[float], b: list[float], tolerance: float) -> Comparison:
    ratio = sum(b) / sum(a)
    if METRICS[metric]:
        ratio = 1 / ratio
    verdict = "same"
    if abs(ratio - 1) > tolerance:
        verdict = "slower" if ratio > 1 else "faster"
    return Comparison(metric, ratio, ratio, ratio, None, None, verdict, len(a), "exact")


def compare(
    a: ProfileResults | Sequence[float],
    b: ProfileResults | Sequence[float],
    metric: str = "tpot_ms",
    *,
    alpha: float = 0.05,
    tolerance: float = 1e-4,
) -> Comparison:
    """Whether `b` is slower than `a`.

    Results with the same prompts in the same order are compared pair by pair: measure them
    interleaved, and what disturbs both cancels. Signed ranks, with correlation between
    neighbouring pairs allowed for, find a slow-down of 3 % in 60 pairs at 5 % variation 9
    times of 10 and cry wolf 1 time of 20 (`tests/edge/test_comparison.py`). Two deterministic
    results are compared exactly.

    Parameters
    ----------
    a, b : ProfileResults or sequence of float
        Results, or values of the metric in order of time. Sequences of equal length are pairs.
    metric : str
        One of `tpot_ms`, `ttft_ms`, `e2e_ms`, `itl_ms`, `decode_tps`, `e2e_tps`, `prefill_tps`.
    alpha : float
        Share of false alarms.
    tolerance : float
        Relative difference that is accepted between deterministic results.

    Raises
    ------
    InvalidParameterError
        When the metric is not known or `alpha` not in (0, 1).
    """
    if metric not in METRICS:
        raise InvalidParameterError(
            f"metric must be one of {', '.join(METRICS)}, got {metric!r}"
        )
    if not 0 < alpha < 1:
        raise InvalidParameterError(f"alpha must lie in (0, 1), got {alpha!r}")
    first, second = _values(a, metric), _values(b, metric)
    n = min(len(first), len(second))
    if n == 0:
        which = "a" if not first else "b"
        return Comparison(
            metric,
            None,
            None,
            None,
            None,
            None,
            "not comparable",
            0,
            "none",
            f"{which} has no {metric}",
        )
    same_length = len(first) == len(second)
    if _deterministic(a) and _deterministic(b) and same_length:
        return _exact(metric, first, second, tolerance)
    if n < 6:  # noqa: PLR2004
        return Comparison(
            metric,
            None,
            None,
            None,
            None,
            None,
            "not comparable",
            n,
            "none",
            f"{n} values: at least 6 are needed",
        )
    sequences = not hasattr(a, "raw_measurements") and not hasattr(b, "raw_measurements")
    paired = same_length and (sequences or _pairable(a, b))
    if METRICS[metric]:
        first, second = [1 / x for x in first], [1 / x for x in second]
    if paired:
        shift, low, high, slower, either = _paired(_log_ratios(first, second))
    else:
        _log_ratios(first[:n], second[:n])
        shift, low, high, slower, either = _unpaired(first, second)
    verdict = "slower" if slower <= alpha else "faster" if 1 - slower <= alpha else "same"
    return Comparison(
        metric, math.exp(shift), math.exp(low), math.exp(high), slower, either, verdict, n,
        "paired" if paired else "unpaired",
        None if paired else "not measured pair by pair: drift between them is not cancelled",
    )  # fmt: skip
