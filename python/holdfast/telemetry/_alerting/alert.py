"""What a threshold rule says and what an alert carries."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.errors import _parameters as parameters

if TYPE_CHECKING:
    from datetime import datetime


class AlertSeverity(str, enum.Enum):
    """How bad it is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class AlertState(str, enum.Enum):
    """Where an alert stands."""

    ACTIVE = "active"
    RESOLVED = "resolved"
    SILENCED = "silenced"


@dataclass
class AlertRule:
    """An alert when a metric has been beyond a threshold for some time.

    Parameters
    ----------
    condition : str
        `gt`, `gte`, `lt`, `lte` or `eq`: the value against `threshold`. Anything else is
        never true.
    duration_seconds : float
        How long the condition must have held without a break.
    labels : dict
        Only the series with these labels are looked at; empty: every series of the name.

    Raises
    ------
    InvalidParameterError
        A name that is empty, a severity that is none, a number or a label of another kind.
    """

    name: str
    metric_name: str
    condition: str
    threshold: float
    severity: AlertSeverity
    duration_seconds: float = 60.0
    description: str = ""
    enabled: bool = True
    labels: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find what could never be evaluated where it is written."""
        self.severity = parameters.member("severity", self.severity, AlertSeverity)
        for name in ("name", "metric_name", "condition"):
            parameters.text(name, getattr(self, name))
        parameters.real("threshold", self.threshold, finite=False)
        parameters.real("duration_seconds", self.duration_seconds, least=0)
        parameters.text("description", self.description, empty=True)
        parameters.flag("enabled", self.enabled)
        parameters.labels("labels", self.labels)


@dataclass
class Alert:
    """A rule that came true for one series.

    Attributes
    ----------
    threshold : float or None
        None for a rule written as an expression.
    started_at, resolved_at : datetime
        Local time, without a time zone.

    Raises
    ------
    InvalidParameterError
        Severity or state is unknown.
    """

    id: str
    rule_name: str
    metric_name: str
    current_value: float
    threshold: float | None
    severity: AlertSeverity
    state: AlertState
    started_at: datetime
    resolved_at: datetime | None = None
    description: str = ""
    labels: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take severity and state by their values too."""
        self.severity = parameters.member("severity", self.severity, AlertSeverity)
        self.state = parameters.member("state", self.state, AlertState)

    def to_dict(self) -> dict[str, object]:
        """The same names; times in ISO 8601."""
        ended = self.resolved_at
        return {
            **vars(self),
            "started_at": self.started_at.isoformat(),
            "resolved_at": None if ended is None else ended.isoformat(),
            "labels": dict(self.labels),
        }


def default_rules() -> list[AlertRule]:
    """Rules a new manager has."""
    warning, error, critical = (
        AlertSeverity.WARNING,
        AlertSeverity.ERROR,
        AlertSeverity.CRITICAL,
    )
    rules = (
        ("high_memory_usage", "system_memory_percent", 85.0, warning, 120.0),
        ("critical_memory_usage", "system_memory_percent", 95.0, critical, 60.0),
        ("high_cpu_usage", "system_cpu_percent", 90.0, warning, 180.0),
        ("device_connection_failed", "device_connection_failures", 3.0, error, 60.0),
        ("profiling_timeout", "profiling_timeouts", 0.0, error, 0.0),
        ("circuit_breaker_open", "circuit_breaker_open", 0.0, warning, 0.0),
    )
    return [
        AlertRule(name, metric, "gt", most, severity, lasts, f"{metric} above {most:g}")
        for name, metric, most, severity, lasts in rules
    ]
