"""Gates that a clustering must pass before it is used."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from holdfast.errors import _parameters as parameters
from holdfast.errors._base import utc_now
from holdfast.telemetry._clusterings.dashboard import trend
from holdfast.telemetry._fork import Locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

_KEPT = 1000
# What the older gates call the scores that clusterers report.
_ALIASES = {
    "silhouette": "silhouette_score",
    "calinski_harabasz": "calinski_harabasz_score",
    "davies_bouldin": "davies_bouldin_score",
    "stability": "cluster_stability",
}

_FOR_A_TREND = 2  # checks


@dataclass
class QualityGate:
    """A bound on one metric of a clustering.

    Parameters
    ----------
    name : str
    metric_type : str
        `silhouette`, `calinski_harabasz`, `davies_bouldin`, `stability`,
        `min_cluster_size`, or the name of any metric.
    min_threshold : float
    max_threshold : float, optional
        With it the value must lie between the two.
    weight : float
        In the overall score.
    enabled : bool

    Raises
    ------
    InvalidParameterError
        If a bound is no number, the bounds are crossed, or the weight is negative.
    """

    name: str
    metric_type: str
    min_threshold: float
    max_threshold: float | None = None
    weight: float = 1.0
    enabled: bool = True

    def __post_init__(self) -> None:
        """Check the bounds."""
        for name in ("name", "metric_type"):
            parameters.text(name, getattr(self, name))
        least = parameters.real("min_threshold", self.min_threshold, finite=False)
        if self.max_threshold is not None:
            parameters.real("max_threshold", self.max_threshold, least=least, finite=False)
        parameters.real("weight", self.weight, least=0)
        parameters.flag("enabled", self.enabled)

    def check(self, value: float | None) -> dict[str, Any]:
        """Whether `value` passes, how far it is, and a sentence about it."""
        least, most = self.min_threshold, self.max_threshold
        if value is None:
            passed, score, rule = False, 0.0, "was not measured"
        elif most is not None:
            passed = least <= value <= most
            score, rule = float(passed), f"must be from {least:g} to {most:g}, is {value:.4g}"
        else:
            passed = value >= least
            # How close a value comes, from 0 to 1; a bound at or below zero has no share.
            share = value / least if least > 0 else 0.0
            score = 1.0 if passed else min(max(share, 0.0), 1.0)
            rule = f"must be at least {least:g}, is {value:.4g}"
        return {
            "gate_name": self.name,
            "metric_type": self.metric_type,
            "passed": passed,
            "score": score,
            "actual_value": value,
            "threshold": least if most is None else (least, most),
            "message": f"{self.metric_type} {rule}",
        }


def default_gates(min_cluster_size: int = 2) -> list[QualityGate]:
    """Silhouette 0.3, Calinski-Harabasz 50, stability 0.7, and the smallest cluster."""
    return [
        QualityGate("silhouette_score", "silhouette", 0.3, weight=0.4),
        QualityGate("calinski_harabasz", "calinski_harabasz", 50.0, weight=0.3),
        QualityGate("cluster_stability", "stability", 0.7, weight=0.3),
        QualityGate(
            "minimum_cluster_size", "min_cluster_size", float(min_cluster_size), weight=0.2
        ),
    ]


class ClusteringQualityGates(Locked):
    """Checks results against gates, and remembers.

    Parameters
    ----------
    gates : iterable of QualityGate, optional
        By default those of `default_gates`.
    clock : callable
        UTC without a time zone; another one makes time pass at will in tests.

    Raises
    ------
    InvalidParameterError
        `gates` are no gates, or `clock` cannot be called.

    Examples
    --------
    >>> gates = ClusteringQualityGates([QualityGate("size", "min_cluster_size", 2)])
    >>> gates.validate_clustering_results({}, [0, 0, 1, 1, -1])["passed"]
    True
    """

    def __init__(
        self,
        gates: Iterable[QualityGate] | None = None,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__()
        self.gates = default_gates() if gates is None else _listed(gates)
        self.validation_history: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._clock = parameters.hook("clock", clock)

    def validate_clustering_results(
        self, metrics: object, labels: Iterable[Any]
    ) -> dict[str, Any]:
        """Check a clustering.

        Parameters
        ----------
        metrics : mapping or object
            Scores by name or as attributes (`ClusteringMetrics`). One that is absent or None
            fails its gate.
        labels : iterable of int
            -1 is noise and no cluster.

        Returns
        -------
        dict
            `passed` (all enabled gates), `overall_score` (weighted mean, 0 to 1; None with no
            weight), `gate_results`, `timestamp`, `cluster_count`, `sample_count`.
        """
        listed = labels.tolist() if hasattr(labels, "tolist") else list(labels)
        sizes = Counter(label for label in listed if label != -1)
        results, weights = [], []
        for gate in self.gates:
            if gate.enabled:
                results.append(gate.check(_value(metrics, gate.metric_type, sizes)))
                weights.append(gate.weight)
        total = sum(weights)
        score = sum(w * r["score"] for w, r in zip(weights, results, strict=True))
        told = {
            "passed": all(result["passed"] for result in results),
            "overall_score": score / total if total else None,
            "gate_results": results,
            "timestamp": self._clock(),
            "cluster_count": len(sizes),
            "sample_count": len(listed),
        }
        with self._lock:
            self.validation_history.append(told)
        return told

    def get_quality_trends(self, hours: float = 24) -> dict[str, Any]:
        """How the checks of the last hours went.

        Raises
        ------
        InvalidParameterError
            `hours` is not above 0 and at most 1e6.
        """
        parameters.real("hours", hours, above=0, most=1e6)
        since = self._clock() - timedelta(hours=hours)
        with self._lock:
            kept = [told for told in self.validation_history if told["timestamp"] >= since]
        scores = [told["overall_score"] for told in kept if told["overall_score"] is not None]
        if not scores:
            return {"message": f"No check in the last {hours:g} hours", "trend": "stable"}
        mean = sum(scores) / len(scores)
        spread = (sum((score - mean) ** 2 for score in scores) / len(scores)) ** 0.5
        return {
            "validation_count": len(kept),
            "average_score": mean,
            "score_trend": trend(scores, _FOR_A_TREND),
            "pass_rate": sum(told["passed"] for told in kept) / len(kept),
            "latest_score": scores[-1],
            "score_range": {"min": min(scores), "max": max(scores), "std": spread},
        }


def _listed(gates: Iterable[QualityGate]) -> list[QualityGate]:
    try:
        listed = list(gates)
    except TypeError:
        parameters.refuse("gates", "an iterable of QualityGate", gates)
    if not all(isinstance(gate, QualityGate) for gate in listed):
        parameters.refuse("gates", "an iterable of QualityGate", gates)
    return listed


def _value(metrics: object, kind: str, sizes: Mapping[Any, int]) -> float | None:
    for name in (kind, _ALIASES.get(kind, kind)):
        value = metrics.get(name) if hasattr(metrics, "get") else getattr(metrics, name, None)
        if value is not None:
            return float(value)
    if kind == "min_cluster_size":
        return float(min(sizes.values(), default=0))
    return None
