"""Kinds of errors, how bad they are, and what is kept of one."""

from __future__ import annotations

import enum
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.errors import _parameters as parameters

if TYPE_CHECKING:
    from datetime import datetime


class ErrorSeverity(str, enum.Enum):
    """How bad it is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class ErrorCategory(str, enum.Enum):
    """What it is about."""

    DATA_VALIDATION = "data_validation"
    CLUSTERING = "clustering"
    NEUROMORPHIC_CLUSTERING = "neuromorphic_clustering"
    TEAM_SIMULATION = "team_simulation"
    FILE_IO = "file_io"
    SECURITY = "security"
    API = "api"
    DATABASE = "database"
    CONFIGURATION = "configuration"
    CIRCUIT_BREAKER = "circuit_breaker"
    TIMEOUT = "timeout"
    RESOURCE_EXHAUSTION = "resource_exhaustion"
    FALLBACK = "fallback"


@dataclass
class ErrorDetails:
    """An error as the handler keeps it.

    Attributes
    ----------
    error_id : str
        That of the error itself if it has one.
    timestamp : datetime
        UTC, without a time zone.
    technical_details : str
        Type and message of the error, for those who mend it.
    user_message : str
        What to tell whoever asked for the work.
    context : dict
        Facts about the call; what looks like a secret is left out.
    correlation_id : str
        The trace it happened in; a new id if none is given.
    tags : set of str
        `alert_triggered` and `threshold_<n>`, if this error reached a threshold.
    """

    error_id: str
    timestamp: datetime
    category: ErrorCategory
    severity: ErrorSeverity
    message: str
    technical_details: str
    user_message: str
    suggestions: list[str]
    context: dict[str, object]
    correlation_id: str = ""
    recoverable: bool = True
    retry_count: int = 0
    tags: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Fill in what was not given, or given as None."""
        self.correlation_id = self.correlation_id or str(uuid.uuid4())
        self.tags = set(self.tags or ())

    def to_dict(self) -> dict[str, object]:
        """Plain values, fit for JSON."""
        return {
            "error_id": self.error_id,
            "timestamp": self.timestamp.isoformat(),
            "category": self.category.value,
            "severity": self.severity.value,
            "message": self.message,
            "recoverable": self.recoverable,
            "retry_count": self.retry_count,
            "tags": sorted(self.tags),
        }


@dataclass
class ErrorPattern:
    """Errors of one category and severity.

    Attributes
    ----------
    error_ids : list of str
        The last hundred.
    recovery_attempts : int
        Retries that these errors had behind them.
    """

    category: ErrorCategory
    count: int
    first_occurrence: datetime
    last_occurrence: datetime
    error_ids: list[str]
    recovery_attempts: int = 0


@dataclass
class AlertThreshold:
    """So many errors of a kind within so many minutes are an alert.

    Raises
    ------
    InvalidParameterError
        A field is outside its domain: an unknown category or severity, a count below 1, a
        time that is not above 0.
    """

    category: ErrorCategory
    severity: ErrorSeverity
    count_threshold: int
    time_window_minutes: float
    enabled: bool = True

    def __post_init__(self) -> None:
        """Find what could never be reached where it is written."""
        self.category = parameters.member("category", self.category, ErrorCategory)
        self.severity = parameters.member("severity", self.severity, ErrorSeverity)
        parameters.count("count_threshold", self.count_threshold)
        parameters.real("time_window_minutes", self.time_window_minutes, above=0, most=1e8)
        parameters.flag("enabled", self.enabled)


def default_thresholds() -> list[AlertThreshold]:
    """Thresholds a new handler has."""
    high, critical = ErrorSeverity.HIGH, ErrorSeverity.CRITICAL
    return [
        AlertThreshold(ErrorCategory.NEUROMORPHIC_CLUSTERING, high, 5, 15),
        AlertThreshold(ErrorCategory.CIRCUIT_BREAKER, high, 3, 10),
        AlertThreshold(ErrorCategory.RESOURCE_EXHAUSTION, critical, 1, 5),
        AlertThreshold(ErrorCategory.TIMEOUT, high, 10, 30),
        AlertThreshold(ErrorCategory.FALLBACK, critical, 2, 10),
        AlertThreshold(ErrorCategory.SECURITY, critical, 1, 5),
    ]
