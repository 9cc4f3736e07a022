"""Reports on errors."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from holdfast.errors._categories import ErrorSeverity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from holdfast.errors._categories import AlertThreshold, ErrorDetails, ErrorPattern

_MOST = 5


def summarize(
    recent: Sequence[ErrorDetails],
    hours: float,
    patterns: Mapping[str, ErrorPattern],
    stats: Mapping[str, Any],
) -> dict[str, Any]:
    """Counts, rates and the most frequent kinds of `recent`."""
    if not recent:
        return {
            "total_errors": 0,
            "period_hours": hours,
            "summary": f"No errors in the last {hours:g} hours",
            "health_score": 1.0,
        }
    total = len(recent)
    rate = total / hours
    critical = sum(d.severity is ErrorSeverity.CRITICAL for d in recent) / total
    kinds = Counter(f"{d.category.value}_{d.severity.value}" for d in recent)
    calls = Counter(d.correlation_id for d in recent)
    return {
        "total_errors": total,
        "period_hours": hours,
        "error_rate_per_hour": rate,
        "by_category": dict(Counter(d.category.value for d in recent)),
        "by_severity": dict(Counter(d.severity.value for d in recent)),
        "health_score": max(0.0, 1 - 0.1 * rate - 0.5 * critical),
        "recovery_rate": sum(d.retry_count > 0 for d in recent) / total,
        "critical_error_rate": critical,
        "top_error_patterns": [
            {
                "pattern": name,
                "count": count,
                "category": patterns[name].category.value,
                "latest_occurrence": patterns[name].last_occurrence.isoformat(),
            }
            for name, count in kinds.most_common(_MOST)
        ],
        "top_correlations": [
            {"correlation_id": call, "error_count": count}
            for call, count in calls.most_common(_MOST)
        ],
        "most_recent": recent[-1].error_id,
        "performance_stats": {**stats},
    }


def as_json(
    now: datetime,
    summary: Mapping[str, Any],
    thresholds: Sequence[AlertThreshold],
    patterns: Mapping[str, ErrorPattern],
) -> str:
    """The report as JSON."""
    import json  # loaded for whoever exports

    report = {
        "report_timestamp": now.isoformat(),
        "summary": summary,
        "alert_thresholds": [
            {**vars(t), "category": t.category.value, "severity": t.severity.value}
            for t in thresholds
        ],
        "error_patterns": {
            name: {
                **vars(p),
                "category": p.category.value,
                "first_occurrence": p.first_occurrence.isoformat(),
                "last_occurrence": p.last_occurrence.isoformat(),
            }
            for name, p in patterns.items()
        },
    }
    return json.dumps(report, indent=2)


def as_text(now: datetime, summary: Mapping[str, Any]) -> str:
    """The report for reading."""
    lines = [
        f"Errors of the last {summary['period_hours']:g} hours, {now.isoformat()} UTC",
        f"total: {summary['total_errors']}, health score: {summary['health_score']:.2f}",
    ]
    for title in ("by_category", "by_severity"):
        for name, count in sorted(summary.get(title, {}).items()):
            lines.append(f"{title.removeprefix('by_')} {name}: {count}")
    lines += [
        f"{pattern['pattern']}: {pattern['count']}, last {pattern['latest_occurrence']}"
        for pattern in summary.get("top_error_patterns", [])
    ]
    return "\n".join(lines)
