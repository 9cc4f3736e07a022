"""Rules over the catalogue, and what its collector shows of checks and usual durations."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from holdfast.errors import _parameters as parameters
from holdfast.telemetry._alerting.alert import AlertSeverity
from holdfast.telemetry._alerting.rule import ExpressionRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from holdfast.telemetry._health.checks import HealthChecks

_OPERATORS = (">", ">=", "<", "<=", "==", "!=")
_FEWEST = 3


@dataclass
class MetricValue:
    """A value of a series; `timestamp` in seconds since 1970."""

    name: str
    value: float
    labels: dict[str, str]
    timestamp: float


@dataclass
class HealthCheckResult:
    """The last answer of a check; `timestamp` in seconds since 1970."""

    name: str
    status: str
    timestamp: float
    response_time_ms: float
    details: dict[str, Any]
    correlation_id: str | None = None
    dependencies: list[str] = field(default_factory=list)


@dataclass
class PerformanceBaseline:
    """What an operation usually takes, in seconds; the interval holds 95 % of the means."""

    metric_name: str
    baseline_value: float
    std_deviation: float
    confidence_interval: tuple[float, float]
    last_updated: float
    sample_count: int


@dataclass
class WindowRule:
    """A bound on what a metric of the catalogue did in the last minutes.

    A counter is held against its rise in the window, a histogram against the mean of what it
    observed, a gauge against its mean; of several series the worst counts.

    Parameters
    ----------
    operator : str
        `>`, `>=`, `<`, `<=`, `==` or `!=`.

    Raises
    ------
    InvalidParameterError
        A field is outside its domain.
    """

    name: str
    metric_name: str
    threshold: float
    operator: str
    severity: str
    time_window_minutes: float
    enabled: bool = True

    def __post_init__(self) -> None:
        """Find what could never be evaluated where it is written."""
        parameters.text("name", self.name)
        parameters.text("metric_name", self.metric_name)
        parameters.real("threshold", self.threshold)
        if self.operator not in _OPERATORS:
            parameters.refuse("operator", f"one of {' '.join(_OPERATORS)}", self.operator)
        parameters.member("severity", self.severity, AlertSeverity)
        parameters.real("time_window_minutes", self.time_window_minutes, above=0, most=1e5)
        parameters.flag("enabled", self.enabled)

    def expressed(self, kind: str) -> ExpressionRule:
        """The rule for an `AlertManager`; `kind` is that of the metric."""
        window = f"[{max(round(60 * self.time_window_minutes), 1)}s]"
        worst = "min" if self.operator.startswith("<") else "max"
        metric = self.metric_name
        value = {
            "counter": f"sum(increase({metric}{window}))",
            "histogram": f"sum(increase({metric}_sum{window})) "
            f"/ sum(increase({metric}_count{window}))",
        }.get(kind, f"{worst}(avg_over_time({metric}{window}))")
        return ExpressionRule(
            self.name,
            f"{value} {self.operator} {self.threshold!r}",
            AlertSeverity(self.severity),
            description=f"{metric}: {{{{ $value }}}} in {self.time_window_minutes:g} minutes",
            enabled=self.enabled,
        )


def default_rules() -> list[WindowRule]:
    """Errors, long clusterings, memory, health and failures of the features."""
    return [
        WindowRule("high_error_rate", "processing_errors_total", 10, ">", "critical", 15),
        WindowRule(
            "long_clustering_duration",
            "clustering_operation_duration_seconds",
            300,
            ">",
            "warning",
            30,
        ),
        WindowRule("memory_usage_high", "memory_usage_bytes", 2e9, ">", "warning", 5),
        WindowRule("system_health_degraded", "system_health_score", 0.7, "<", "warning", 10),
        WindowRule(
            "neuromorphic_failures",
            "neuromorphic_clustering_failures_total",
            5,
            ">",
            "critical",
            20,
        ),
    ]


def baselines(history: Iterable[Mapping[str, Any]]) -> dict[str, PerformanceBaseline]:
    """Mean durations by algorithm, of at least three successes."""
    durations: dict[str, list[tuple[float, float]]] = {}
    for entry in history:
        if entry["status"] == "success":
            took = entry["timestamp"], entry["duration"]
            durations.setdefault(entry["algorithm"], []).append(took)
    found = {}
    for algorithm, rows in durations.items():
        if len(rows) < _FEWEST:
            continue
        values = [seconds for _, seconds in rows]
        mean, spread = statistics.fmean(values), statistics.stdev(values)
        width = 1.96 * spread / len(values) ** 0.5  # normal approximation
        found[algorithm] = PerformanceBaseline(
            f'clustering_operation_duration_seconds{{algorithm="{algorithm}"}}',
            mean,
            spread,
            (mean - width, mean + width),
            rows[-1][0],
            len(values),
        )
    return found


def last_answers(health: HealthChecks) -> dict[str, HealthCheckResult]:
    """What the checks of a process found last, without asking them."""
    return {
        name: HealthCheckResult(
            name,
            last.status.value,
            last.checked_at,
            1e3 * last.took_seconds,
            {"message": last.message},
        )
        for name, last in health.last().items()
    }
