"""Reports on clusterings that were watched."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from holdfast.errors._base import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.telemetry._clusterings.operation import ClusteringOperationMetrics

_FOR_A_TREND = 10
_FLAT = 0.05  # of the mean, between the first and the last third


def recent(
    operations: Sequence[ClusteringOperationMetrics], hours: float
) -> list[ClusteringOperationMetrics]:
    """Those that began in the last hours."""
    since = utc_now() - timedelta(hours=hours)
    return [operation for operation in operations if operation.started_at >= since]


def dashboard(
    operations: Sequence[ClusteringOperationMetrics],
    hours: float,
    limits: Mapping[str, float],
) -> dict[str, Any]:
    """See `ClusteringMonitor.get_performance_dashboard`."""
    kept = recent(operations, hours)
    if not kept:
        message = f"No clustering ended in the last {hours:g} hours"
        return {"period_hours": hours, "message": message}
    n = len(kept)
    durations = sorted(o.total_duration_ms for o in kept)
    silhouettes = _known(o.silhouette_score for o in kept)
    succeeded = sum(o.status == "success" for o in kept)
    return {
        "period_hours": hours,
        "summary": {
            "total_operations": n,
            "success_rate": succeeded / n,
            "failure_rate": 1 - succeeded / n,
            "fallback_rate": sum(o.fallback_triggered for o in kept) / n,
            "avg_duration_ms": sum(durations) / n,
            "p95_duration_ms": durations[min(n - 1, int(0.95 * n))],
            "avg_memory_mb": _mean(_known(o.memory_peak_mb for o in kept)),
        },
        "quality_metrics": {
            "avg_silhouette_score": _mean(silhouettes),
            "avg_calinski_harabasz": _mean(_known(o.calinski_harabasz_score for o in kept)),
        },
        "method_breakdown": {
            method: _of_method([o for o in kept if o.method == method])
            for method in sorted({o.method for o in kept})
        },
        "trends": {
            # Less time is better, a higher silhouette is.
            "duration_trend": trend([-o.total_duration_ms for o in kept]),
            "quality_trend": trend(silhouettes),
        },
        "alerts": {
            "high_duration_operations": sum(d > limits["max_duration_ms"] for d in durations),
            "low_quality_operations": sum(
                s < limits["min_silhouette_score"] for s in silhouettes
            ),
            "high_memory_operations": sum(
                m > limits["max_memory_mb"] for m in _known(o.memory_peak_mb for o in kept)
            ),
        },
    }


def _known(values: Any) -> list[float]:
    return [value for value in values if value is not None]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _of_method(kept: Sequence[ClusteringOperationMetrics]) -> dict[str, Any]:
    succeeded = sum(o.status == "success" for o in kept)
    return {
        "count": len(kept),
        "success": succeeded,
        "avg_duration": sum(o.total_duration_ms for o in kept) / len(kept),
        "success_rate": succeeded / len(kept),
    }


def trend(values: Sequence[float], least: int = _FOR_A_TREND) -> str:
    """`improving`, `declining` or `stable`: the last third against the first.

    Values in the order of time, higher is better. Below `least` there is no trend.
    """
    if len(values) < least:
        return "stable"
    third = max(len(values) // 3, 1)
    change = sum(values[-third:]) / third - sum(values[:third]) / third
    scale = sum(abs(value) for value in values) / len(values)
    if abs(change) <= _FLAT * scale:
        return "stable"
    return "improving" if change > 0 else "declining"


def as_json(
    operations: Sequence[ClusteringOperationMetrics],
    hours: float,
    limits: Mapping[str, float],
) -> str:
    """The dashboard and every operation."""
    told = {
        "dashboard": dashboard(operations, hours, limits),
        "operations": [operation.to_dict() for operation in recent(operations, hours)],
    }
    return json.dumps(told, indent=2)


def as_csv(operations: Sequence[ClusteringOperationMetrics], hours: float) -> str:
    """One row per operation; what was not measured is empty."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(
        (
            "operation_id",
            "method",
            "status",
            "duration_ms",
            "dataset_size",
            "silhouette_score",
            "fallback_triggered",
        )
    )
    for o in recent(operations, hours):
        table.writerow(
            (
                o.operation_id,
                o.method,
                o.status,
                o.total_duration_ms,
                o.dataset_size,
                "" if o.silhouette_score is None else o.silhouette_score,
                o.fallback_triggered,
            )
        )
    return text.getvalue()
