"""One clustering as it is watched: its phases, its quality, what went wrong."""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from holdfast.errors import _parameters as parameters
from holdfast.errors._base import utc_now

if TYPE_CHECKING:
    from datetime import datetime


class ClusteringPhase(str, enum.Enum):
    """A part of a clustering."""

    INITIALIZATION = "initialization"
    FEATURE_EXTRACTION = "feature_extraction"
    NEUROMORPHIC_PROCESSING = "neuromorphic_processing"
    CLUSTERING = "clustering"
    VALIDATION = "validation"
    FALLBACK = "fallback"


@dataclass
class ClusteringOperationMetrics:
    """What is known of one clustering, while it runs and after.

    Attributes
    ----------
    started_at, completed_at : datetime
        UTC, without a time zone.
    status : str
        `running`, `success` or `failed`.
    total_duration_ms : float
        Of a clock that is never set.
    phase_durations : dict
        Milliseconds by phase; a phase that ran twice adds up.
    memory_peak_mb, cpu_usage_percent : float or None
        Largest values that were recorded; None if none was.
    silhouette_score, calinski_harabasz_score, davies_bouldin_score, inertia, \
cluster_stability : float or None
        None if it was not computed.
    neuromorphic_components_used : list of str
        What made the features: `esn`, `snn`, `lsm`, `population` for the rows of a table, or
        what was recorded.
    errors : list of dict
        `timestamp`, `type`, `message`, `recoverable`.
    """

    operation_id: str
    correlation_id: str
    method: str
    started_at: datetime
    completed_at: datetime | None = None
    status: str = "running"
    dataset_size: int = 0
    feature_dimensions: int = 0
    target_clusters: int = 0
    total_duration_ms: float = 0.0
    phase_durations: dict[str, float] = field(default_factory=dict)
    memory_peak_mb: float | None = None
    cpu_usage_percent: float | None = None
    silhouette_score: float | None = None
    calinski_harabasz_score: float | None = None
    davies_bouldin_score: float | None = None
    inertia: float | None = None
    cluster_stability: float | None = None
    neuromorphic_components_used: list[str] = field(default_factory=list)
    component_durations_ms: dict[str, float] = field(default_factory=dict)
    feature_extraction_failures: int = 0
    fallback_triggered: bool = False
    fallback_reason: str | None = None
    circuit_breaker_trips: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add_phase_duration(self, phase: ClusteringPhase | str, ms: float) -> None:
        """Add time spent in a phase.

        Raises
        ------
        InvalidParameterError
            `phase` is unknown.
        """
        name = parameters.member("phase", phase, ClusteringPhase).value
        self.phase_durations[name] = self.phase_durations.get(name, 0.0) + ms

    def add_error(
        self,
        error_type: str,
        message: str,
        recoverable: bool = True,  # noqa: FBT001, FBT002 (as scripts pass it)
    ) -> None:
        """Note an error."""
        self.errors.append(
            {
                "timestamp": utc_now(),
                "type": error_type,
                "message": message,
                "recoverable": recoverable,
            }
        )

    def complete_operation(self, status: str = "success") -> None:
        """End it."""
        self.completed_at = utc_now()
        self.status = status
        if not self.total_duration_ms:
            took = self.completed_at - self.started_at
            self.total_duration_ms = 1e3 * took.total_seconds()

    def to_dict(self) -> dict[str, Any]:
        """The same names; moments in ISO 8601."""
        told = asdict(self)
        for name in ("started_at", "completed_at"):
            moment = told[name]
            told[name] = None if moment is None else moment.isoformat()
        for error in told["errors"]:
            error["timestamp"] = error["timestamp"].isoformat()
        return told


@dataclass
class ClusteringPerformanceBaseline:
    """What a method usually takes and reaches on data of a size.

    Attributes
    ----------
    baseline_duration_ms : float
        Mean over the successful operations.
    baseline_quality_score : float or None
        Mean silhouette; None if none was recorded.
    sample_count : int
        Operations behind it.
    confidence_interval : float
        Half width of the interval that holds the mean duration with 95 % probability (normal
        approximation), in milliseconds; None below three operations.
    """

    method: str
    dataset_size_bucket: str
    baseline_duration_ms: float
    baseline_quality_score: float | None
    sample_count: int
    last_updated: datetime
    confidence_interval: float | None = None
