"""Deployments of one task in an order, each pair scored on what both measured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.edge._results.results import ProfileResults

# part: (attribute of a result, whether more of it is better)
PARTS = {
    "rate": ("tokens_per_second", True),
    "memory": ("peak_memory_kb", False),
    "energy": ("energy_per_token_mj", False),
}


@dataclass(frozen=True)
class ComparisonResult:
    """One deployment in a comparison.

    Attributes
    ----------
    model_name, platform : str
    profile : ProfileResults
    relative_performance : float or None
        1 for the best; None where nothing it measured was measured by those above it.
    measured, missing : tuple of str
        Among `rate`, `memory` and `energy`: what it has, and what it lacks.
    """

    model_name: str
    platform: str
    profile: ProfileResults
    relative_performance: float | None
    measured: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class PairScore:
    """Two deployments against one another.

    Attributes
    ----------
    first, second : int
        Places in the sequence that was compared.
    ratio : float or None
        How many times better the first is: the geometric mean over `on`; None: they share
        nothing.
    on, missing : tuple of str
        Parts that both measured, and those that one of them lacks.
    """

    first: int
    second: int
    ratio: float | None
    on: tuple[str, ...]
    missing: tuple[str, ...]


def _logarithms(result: ProfileResults) -> dict[str, float]:
    """Better is higher."""
    out = {}
    for part, (attribute, more_is_better) in PARTS.items():
        value = getattr(result, attribute)
        if value:
            out[part] = math.log(value) if more_is_better else -math.log(value)
    return out


def score_pairs(results: Sequence[ProfileResults]) -> list[PairScore]:
    """Every pair, on what both measured."""
    known = [_logarithms(one) for one in results]
    pairs = []
    for i, mine in enumerate(known):
        for j in range(i + 1, len(known)):
            on = tuple(part for part in PARTS if part in mine and part in known[j])
            ratio = None
            if on:
                ratio = math.exp(sum(mine[part] - known[j][part] for part in on) / len(on))
            missing = tuple(part for part in PARTS if part not in on)
            pairs.append(PairScore(i, j, ratio, on, missing))
    return pairs


def scores(count: int, pairs: Sequence[PairScore]) -> list[float | None]:
    """Scores whose ratios come nearest to those of all pairs, 1 for the best.

    Logarithmic least squares (Crawford and Williams 1985; Harker 1987 for missing pairs). When
    everybody measured the same, it is the geometric mean of the parts. Those that no chain of
    pairs connects with the largest group have none.
    """
    import numpy as np

    shared = [one for one in pairs if one.ratio is not None]
    group = list(range(count))
    for one in shared:
        old, new = group[one.second], group[one.first]
        group = [new if label == old else label for label in group]
    # A deployment alone is the best of itself only when there is no other.
    largest = max(group, key=group.count, default=0)
    if count == 0 or (count > 1 and group.count(largest) == 1):
        return [None] * count
    members = [index for index, label in enumerate(group) if label == largest]
    place = {index: at for at, index in enumerate(members)}
    inside = [one for one in shared if one.first in place]
    rows = np.zeros((len(inside) + 1, len(members)))
    wanted = np.zeros(len(inside) + 1)
    for row, one in enumerate(inside):
        rows[row, place[one.first]], rows[row, place[one.second]] = 1.0, -1.0
        wanted[row] = math.log(one.ratio or 1.0)
    rows[-1, :] = 1.0
    found = np.linalg.lstsq(rows, wanted, rcond=None)[0]
    found = np.exp(found - found.max())
    return [float(found[place[index]]) if index in place else None for index in range(count)]


class ComparativeAnalyzer:
    """Ranks deployments of the same task.

    Attributes
    ----------
    comparisons : list of ComparisonResult
        The last comparison, best first.
    pairs : list of PairScore
        What it rests on, and what was missing.
    """

    def __init__(self) -> None:
        self.comparisons: list[ComparisonResult] = []
        self.pairs: list[PairScore] = []

    def compare(
        self, results: Sequence[tuple[str, str, ProfileResults]]
    ) -> list[ComparisonResult]:
        """Best first; each pair is scored on what both measured: rate, memory, energy.

        Parameters
        ----------
        results : sequence of (model name, platform, result)
        """
        profiles = [one for *_, one in results]
        self.pairs = score_pairs(profiles)
        ranked = []
        found = scores(len(profiles), self.pairs)
        if len(profiles) == 1 and not _logarithms(profiles[0]):
            found = [None]
        for (model, platform, one), score in zip(results, found, strict=True):
            known = _logarithms(one)
            ranked.append(
                ComparisonResult(
                    model, platform, one, score,
                    tuple(part for part in PARTS if part in known),
                    tuple(part for part in PARTS if part not in known),
                )
            )  # fmt: skip
        self.comparisons = sorted(ranked, key=lambda one: -(one.relative_performance or 0))
        return self.comparisons

    def recommend_deployment(self, constraints: Mapping[str, float]) -> list[ComparisonResult]:
        """Those of the last comparison that are known to keep `constraints`.

        `max_latency_ms` (end to end), `max_memory_kb` (peak), `max_power_mw` (active). What
        was not measured keeps nothing.

        Raises
        ------
        InvalidParameterError
            When a constraint is not known.
        """
        known = {
            "max_latency_ms": ("latency_profile", "total_latency_ms"),
            "max_memory_kb": ("memory_profile", "peak_memory_kb"),
            "max_power_mw": ("power_profile", "active_power_mw"),
        }
        if unknown := set(constraints) - set(known):
            raise InvalidParameterError(
                f"constraints must be among {', '.join(known)}, "
                f"got {', '.join(sorted(unknown))}"
            )

        def keeps(one: ComparisonResult) -> bool:
            for name, limit in constraints.items():
                part, attribute = known[name]
                value = getattr(getattr(one.profile, part), attribute, None)
                if value is None or value > limit:
                    return False
            return True

        return [one for one in self.comparisons if keeps(one)]

    def plot_comparison(
        self,
        results: Sequence[tuple[str, str, ProfileResults]],
        metrics: Sequence[str] = ("latency", "memory", "energy"),
        save_to: str | None = None,
    ) -> str:
        """Bars side by side as one SVG, which is also written to `save_to`.

        Parameters
        ----------
        metrics : sequence of str
            Among `latency` (ms to the first token), `memory` (peak, KB) and `energy` (mJ per
            token).

        Raises
        ------
        InvalidParameterError
            When a metric is not known, or there is none.
        """
        from holdfast.edge._comparison.plot import plot

        return plot(results, metrics, save_to)
