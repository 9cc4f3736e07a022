"""What a threshold rule says and what an alert carries."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.errors import InvalidParameterError

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
        self.severity = severity_of(self.severity)
        for name in ("name", "metric_name", "condition"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                raise InvalidParameterError(f"{name} must be a non-empty str, got {value!r}")
        if not _is_number(self.threshold) or math.isnan(self.threshold):
            raise InvalidParameterError(f"threshold must be a number, got {self.threshold!r}")
        if not _is_number(self.duration_seconds) or not 0 <= self.duration_seconds < math.inf:
            raise InvalidParameterError(
                f"duration_seconds must be finite and at least 0, got {self.duration_seconds!r}"
            )
        for key, value in self.labels.items():
            if not isinstance(key, str) or not isinstance(value, str):
                raise InvalidParameterError(f"labels must be of str, got {key!r}: {value!r}")


def severity_of(value: object) -> AlertSeverity:
    """`value` as a severity."""
    try:
        return AlertSeverity(value)
    except ValueError:
        known = ", ".join(AlertSeverity)
        raise InvalidParameterError(f"severity must be one of {known}, got {value!r}") from None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclass
class Alert:
    """A rule that came true for one series.

    Attributes
    ----------
    threshold : float or None
        None for a rule written as an expression.
    started_at, resolved_at : datetime
        Local time, without a time zone.
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

    def to_dict(self) -> dict[str, object]:
        """The same names; times in ISO 8601."""
        ended = self.resolved_at
        return {
            **vars(self),
            "started_at": self.started_at.isoformat(),
            "resolved_at": None if ended is None else ended.isoformat(),
            "labels": dict(self.labels),
        }
