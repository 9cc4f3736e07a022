"""Whether B is worse than A in one number, or it was noise."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any

from holdfast.edge._comparison.rank_tests import rank_sums, signed_ranks
from holdfast.errors import InvalidDataError, InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.edge._results.profiles import Measurement
    from holdfast.edge._results.results import ProfileResults

# Metrics with one value per request, and whether more of it is better.
TIMED = {
    "tpot_ms": False,
    "ttft_ms": False,
    "e2e_ms": False,
    "itl_ms": False,
    "decode_tps": True,
    "e2e_tps": True,
    "prefill_tps": True,
}
ENERGY = "energy_per_token"
# Bytes: one value per result.
COUNTED = ("ram_peak", "stack_peak", "heap_peak", "flash")
METRICS = (*TIMED, ENERGY, *COUNTED)
_COLUMN = {ENERGY: "energy_per_token_mj"}
# A process is measured in pages, and its allocator keeps some: less says nothing.
_SAMPLED_MEMORY = "VmHWM"
_PAGES_TOLERANCE = 0.05
_FEWEST = 6
# Requests that both must have for the rest to be left out.
_SHARED = 0.9
_WORSE, _BETTER = ("slower", "more"), ("faster", "less")


@dataclass(frozen=True)
class Comparison:
    """Whether the second of two results is worse in one metric.

    Attributes
    ----------
    metric : str
    ratio : float or None
        How many times as long B takes, as much it uses (Hodges-Lehmann estimate); above 1 it
        is worse. Rates are turned round.
    low, high : float or None
        95 % interval of the ratio.
    p_worse, p_value : float or None
        One-sided for "worse", and two-sided.
    verdict : str
        `slower` or `faster`, for bytes and energy `more` or `less`, otherwise `same` (no
        difference was shown) or `not comparable`.
    n : int
        Pairs, or the smaller sample.
    method : str
        `exact`, `reading` (one number each, that scatters), `paired` or `unpaired`.
    reason : str or None
        Why it is not comparable, or what weakens it.
    before, after : float or None
        The number itself, in `unit`: medians of requests, or counts.
    """

    metric: str
    ratio: float | None
    low: float | None
    high: float | None
    p_worse: float | None
    p_value: float | None
    verdict: str
    n: int
    method: str
    reason: str | None = None
    before: float | None = None
    after: float | None = None
    unit: str = ""

    @property
    def is_worse(self) -> bool:
        """Whether B takes longer, or uses more."""
        return self.verdict in _WORSE

    @property
    def exit_code(self) -> int:
        """0: not worse, 1: worse, 2: not comparable."""
        return 1 if self.is_worse else 2 if self.verdict == "not comparable" else 0

    def to_dict(self) -> dict[str, Any]:
        """Every attribute."""
        return asdict(self)


def _number(result: object, metric: str) -> Measurement | None:
    found: Measurement | None = getattr(result, "measurements", {}).get(metric)
    return None if found is None or found.value is None else found


def _values(result: ProfileResults | Sequence[float], metric: str) -> list[float]:
    raw = getattr(result, "raw_measurements", None)
    values: Any = result if raw is None else raw.get(_COLUMN.get(metric, metric), [])
    return [_plain(value, metric) for value in values if value is not None]


def _plain(value: Any, metric: str) -> float:
    if isinstance(value, str) or not hasattr(value, "__float__"):
        raise InvalidDataError(f"{metric} must hold numbers, got {value!r}")
    return float(value)


def _by_request(result: object, metric: str) -> dict[tuple[Any, Any], float] | None:
    """Values by prompt and repetition, in order of time; None when they are not told apart."""
    raw = getattr(result, "raw_measurements", None) or {}
    columns = [raw.get(name, []) for name in ("prompt_index", "repetition")]
    values = raw.get(_COLUMN.get(metric, metric), [])
    if not all(len(column) == len(values) > 0 for column in columns):
        return None
    keys = list(zip(*columns, strict=True))
    if len(set(keys)) != len(keys):
        return None
    return {
        key: _plain(v, metric) for key, v in zip(keys, values, strict=True) if v is not None
    }


def _pairs(
    a: ProfileResults | Sequence[float], b: ProfileResults | Sequence[float], metric: str
) -> tuple[list[float], list[float]] | None:
    """The values of both for the same requests; None when too few are the same.

    A few that failed in one of both do not cost the rest their partners.
    """
    if not hasattr(a, "raw_measurements") and not hasattr(b, "raw_measurements"):
        first, second = _values(a, metric), _values(b, metric)
        return (first, second) if len(first) == len(second) else None
    mine, theirs = _by_request(a, metric), _by_request(b, metric)
    if mine is None or theirs is None:
        return None
    both = [key for key in mine if key in theirs]
    if len(both) < _SHARED * max(len(mine), len(theirs)):
        return None
    return [mine[key] for key in both], [theirs[key] for key in both]


def _deterministic(result: object) -> bool:
    settings = getattr(result, "test_configuration", None) or {}
    return bool(settings.get("deterministic"))


def _words(metric: str) -> tuple[str, str]:
    timed = metric in TIMED
    return (_WORSE[0], _BETTER[0]) if timed else (_WORSE[1], _BETTER[1])


def refused(metric: str, reason: str, n: int = 0) -> Comparison:
    """What cannot be compared, and why."""
    return Comparison(
        metric, None, None, None, None, None, "not comparable", n, "none", reason
    )  # fmt: skip


def _logarithms(name: str, values: Sequence[float], turned: bool) -> list[float]:  # noqa: FBT001
    """Higher is worse: rates are turned round."""
    if any(not value > 0 for value in values):
        raise InvalidDataError(f"{name} must hold positive numbers only")
    return [-math.log(value) if turned else math.log(value) for value in values]


def _fixed(metric: str, before: float, after: float, tolerance: float, n: int) -> Comparison:
    """Two numbers without chance: the difference counts when it exceeds the tolerance."""
    if before == 0 or after == 0:
        ratio = 1.0 if before == after else None
        worse = after > before
    else:
        ratio = before / after if TIMED.get(metric, False) else after / before
        worse = ratio > 1
    verdict = "same"
    if ratio is None or abs(ratio - 1) > tolerance:
        verdict = _words(metric)[0 if worse else 1]
    return Comparison(metric, ratio, ratio, ratio, None, None, verdict, n, "exact")


def _counted(metric: str, a: object, b: object, tolerance: float) -> Comparison:
    """Bytes: exactly, unless they were read from a process."""
    found = [_number(one, metric) for one in (a, b)]
    lacking = [which for which, one in zip("ab", found, strict=True) if one is None]
    first, second = found
    if first is None or second is None:
        return refused(metric, f"{_who(lacking)} no {metric}")
    methods = [str(one.method or one.provenance) for one in (first, second)]
    reason, method = None, "exact"
    if any(_SAMPLED_MEMORY in text for text in methods):
        tolerance, method = max(tolerance, _PAGES_TOLERANCE), "reading"
        reason = f"read from a process: less than {tolerance:.0%} says nothing"
    elif methods[0] != methods[1]:
        reason = f"found in two ways: {methods[0]}, and {methods[1]}"
    before, after = float(first.value or 0), float(second.value or 0)
    return replace(
        _fixed(metric, before, after, tolerance, 1),
        method=method, reason=reason, before=before, after=after, unit=second.unit,
    )  # fmt: skip


def _with_numbers(
    found: Comparison, first: Sequence[float], second: Sequence[float], b: object
) -> Comparison:
    unit = getattr(_number(b, found.metric), "unit", "")
    return replace(found, before=median(first), after=median(second), unit=unit)


def _lacking(a: object, b: object, first: list[float], second: list[float], metric: str) -> str:
    names = [name for name, values in (("a", first), ("b", second)) if not values]
    given = [one for one, values in ((a, first), (b, second)) if not values]
    if all(_number(one, metric) for one in given):
        return f"{_who(names)} {metric} of the whole run only, not per request"
    return f"{_who(names)} no {metric}"


def _who(names: Sequence[str]) -> str:
    return f"{' and '.join(names)} {'have' if names[1:] else 'has'}"


def _weakness(a: object, b: object, *, paired: bool) -> str | None:
    if not paired:
        return "not measured pair by pair: drift between them is not cancelled"
    turns = [
        getattr(one, "session_metadata", {"turns": "given"}).get("turns") for one in (a, b)
    ]
    if turns[0] is not None and turns[0] == turns[1]:
        return None
    return "two runs: what changed between them is in the difference"


def _check(metric: str, alpha: float, tolerance: float) -> None:
    if metric not in METRICS:
        raise InvalidParameterError(
            f"metric must be one of {', '.join(METRICS)}, got {metric!r}"
        )
    if not 0 < alpha < 1:
        raise InvalidParameterError(f"alpha must lie in (0, 1), got {alpha!r}")
    if not tolerance >= 0:
        raise InvalidParameterError(f"tolerance must be at least 0, got {tolerance!r}")


def compare(
    a: ProfileResults | Sequence[float],
    b: ProfileResults | Sequence[float],
    metric: str = "tpot_ms",
    *,
    alpha: float = 0.05,
    tolerance: float = 1e-4,
) -> Comparison:
    """Whether `b` is worse than `a` in one metric; `compare_profiles` takes them all.

    Results with the same prompts in the same order are compared pair by pair: measure them
    interleaved, and what disturbs both cancels. Signed ranks, with correlation between
    neighbouring pairs allowed for, find a slow-down of 3 % in 60 pairs at 5 % variation 9
    times of 10 and cry wolf 1 time of 20 (`tests/edge/test_comparison.py`). Two deterministic
    results, and counts of bytes, are compared exactly.

    Parameters
    ----------
    a, b : ProfileResults or sequence of float
        Results, or values of the metric in order of time. Sequences of equal length are pairs.
    metric : str
        Times and rates `tpot_ms`, `ttft_ms`, `e2e_ms`, `itl_ms`, `decode_tps`, `e2e_tps`,
        `prefill_tps`; `energy_per_token`; bytes `ram_peak`, `stack_peak`, `heap_peak`, `flash`.
    alpha : float
        Share of false alarms.
    tolerance : float
        Relative difference that is accepted between deterministic results and counts.

    Raises
    ------
    InvalidParameterError
        When the metric is not known, `alpha` not in (0, 1) or `tolerance` below 0.
    """
    _check(metric, alpha, tolerance)
    if metric in COUNTED:
        return _counted(metric, a, b, tolerance)
    first, second = _values(a, metric), _values(b, metric)
    n = min(len(first), len(second))
    if n == 0:
        return refused(metric, _lacking(a, b, first, second, metric))
    same_length = len(first) == len(second)
    if _deterministic(a) and _deterministic(b) and same_length:
        exact = _fixed(metric, sum(first), sum(second), tolerance, n)
        return _with_numbers(exact, first, second, b)
    if n < _FEWEST:
        return refused(metric, f"{n} values: at least {_FEWEST} are needed", n)
    turned = TIMED.get(metric, False)
    pairs = _pairs(a, b, metric)
    if pairs is not None and len(pairs[0]) >= _FEWEST:
        first, second = pairs
        n = len(first)
    paired = pairs is not None and first is pairs[0]
    x, y = _logarithms("a", first, turned), _logarithms("b", second, turned)
    if paired:
        shift = signed_ranks([v - u for u, v in zip(x, y, strict=True)])
    else:
        shift = rank_sums(x, y)
    worse, better = _words(metric)
    verdict = "same"
    if shift.p_above <= alpha:
        verdict = worse
    elif 1 - shift.p_above <= alpha:
        verdict = better
    found = Comparison(
        metric, math.exp(shift.estimate), math.exp(shift.low), math.exp(shift.high),
        shift.p_above, shift.p_either, verdict, n, "paired" if paired else "unpaired",
        _weakness(a, b, paired=paired),
    )  # fmt: skip
    return _with_numbers(found, first, second, b)
