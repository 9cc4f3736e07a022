"""What clusterings usually take, and those that take much longer."""

from __future__ import annotations

import math

from holdfast.errors._base import utc_now
from holdfast.telemetry._clusterings.operation import (
    ClusteringOperationMetrics,
    ClusteringPerformanceBaseline,
)
from holdfast.telemetry._series.catalogue_names import size_bucket

ENOUGH = 10  # operations of which a rate or a deviation says something
_UNUSUAL = 3.0  # standard deviations


class Usual:
    """Baselines by method and size."""

    def __init__(self) -> None:
        self.baselines: dict[str, ClusteringPerformanceBaseline] = {}
        self._spread: dict[str, tuple[float, int]] = {}

    def learn(self, operation: ClusteringOperationMetrics) -> None:
        """Take a success into the baseline (Welford, 1962)."""
        bucket = size_bucket(operation.dataset_size)
        key = _key(operation)
        old = self.baselines.get(key)
        n = 1 if old is None else old.sample_count + 1
        before = 0.0 if old is None else old.baseline_duration_ms
        step = operation.total_duration_ms - before
        mean = before + step / n
        squares, scored = (0.0, 0) if old is None else self._spread[key]
        squares += step * (operation.total_duration_ms - mean)
        quality = None if old is None else old.baseline_quality_score
        if operation.silhouette_score is not None:
            scored += 1
            quality = (quality or 0.0) + (
                operation.silhouette_score - (quality or 0.0)
            ) / scored
        self._spread[key] = squares, scored
        width = 1.96 * math.sqrt(squares / (n - 1) / n) if n > 2 else None  # noqa: PLR2004
        self.baselines[key] = ClusteringPerformanceBaseline(
            operation.method, bucket, mean, quality, n, utc_now(), width
        )

    def odd(self, operation: ClusteringOperationMetrics) -> str | None:
        """How bad it is that it took longer than usual, None if it did not."""
        key = _key(operation)
        usual, (squares, _) = self.baselines.get(key), self._spread.get(key, (0, 0))
        if usual is None or usual.sample_count < ENOUGH or squares <= 0:
            return None
        beyond = operation.total_duration_ms - usual.baseline_duration_ms
        deviations = beyond / math.sqrt(squares / (usual.sample_count - 1))
        if deviations <= _UNUSUAL:
            return None
        operation.warnings.append(
            f"took {operation.total_duration_ms:.0f} ms, {deviations:.1f} standard deviations "
            f"more than the usual {usual.baseline_duration_ms:.0f} ms"
        )
        return "critical" if deviations > 2 * _UNUSUAL else "warning"


def _key(operation: ClusteringOperationMetrics) -> str:
    return f"{operation.method}_{size_bucket(operation.dataset_size)}"
