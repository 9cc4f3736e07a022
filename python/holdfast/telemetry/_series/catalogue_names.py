"""The series of clustering and data processing: names, kinds and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast._core import Registry

# A correlation id is no label: every call would have a series of its own. It is in the
# history, the log and the trace.
CATALOGUE: dict[str, tuple[str, tuple[str, ...], str]] = {
    "clustering_operation_duration_seconds": (
        "histogram",
        ("algorithm", "dataset_size_bucket"),
        "Duration of a clustering.",
    ),
    "clustering_operations_total": (
        "counter",
        ("algorithm", "status", "fallback_used"),
        "Clusterings.",
    ),
    "memory_usage_bytes": ("gauge", ("component", "process_id"), "Memory in use."),
    "data_processing_duration_seconds": (
        "histogram",
        ("operation_type", "data_size_bucket"),
        "Duration of processing data.",
    ),
    "neuromorphic_feature_extraction_duration_seconds": (
        "histogram",
        ("method", "component"),
        "Duration of extracting features.",
    ),
    "neuromorphic_clustering_failures_total": (
        "counter",
        ("error_type", "component", "recoverable"),
        "Failures of the neuromorphic methods.",
    ),
    "circuit_breaker_state": (
        "gauge",
        ("component",),
        "0 closed, 1 half-open, 2 open.",
    ),
    "circuit_breaker_failures_total": ("counter", ("component",), "Failures seen by breakers."),
    "fallback_operations_total": (
        "counter",
        ("primary_method", "fallback_method", "reason"),
        "Uses of a fallback.",
    ),
    "employee_records_processed_total": ("counter", ("source",), "Records processed."),
    "team_compositions_generated_total": ("counter", ("composition_type",), "Teams composed."),
    "data_quality_score": ("gauge", ("dataset", "validation_type"), "0 to 100."),
    "validation_errors_total": ("counter", ("error_type",), "Inputs refused."),
    "processing_errors_total": (
        "counter",
        ("component", "error_type", "recoverable"),
        "Errors while processing.",
    ),
    "error_recovery_attempts_total": (
        "counter",
        ("error_type", "recovery_method", "success"),
        "Attempts to recover.",
    ),
    "system_health_score": ("gauge", ("component",), "0 to 1."),
    "health_check_duration_seconds": ("histogram", ("check_name", "status"), "Of a check."),
    "health_check_failures_total": ("counter", ("check_name", "failure_type"), "Of checks."),
    "cpu_usage_percent": ("gauge", ("process_name",), "Share of a processor."),
    "disk_usage_bytes": ("gauge", ("mount_point",), "Disk in use."),
    "performance_anomalies_total": ("counter", ("metric_name", "severity"), "Anomalies."),
    "sla_violations_total": ("counter", ("sla_type", "severity"), "Broken promises."),
    "clustering_jobs_running": ("gauge", (), "Clusterings under way."),
    "clustering_jobs_completed_total": ("counter", (), "Clusterings that succeeded."),
    "clustering_jobs_failed_total": ("counter", (), "Clusterings that raised."),
    "clustering_job_failures_total": ("counter", ("error_type",), "What clusterings raised."),
    "data_processing_items_processed_total": (
        "counter",
        ("operation_type",),
        "Rows that were processed.",
    ),
    "data_processing_queue_size": ("gauge", ("component",), "Calls waiting at a bulkhead."),
    "data_validation_failures_total": ("counter", ("error_type",), "Inputs refused."),
    "insights_data_validation_failures_total": ("counter", (), "Tables that are not valid."),
    "unauthorized_access_attempts_total": (
        "counter",
        ("component",),
        "Calls for keys that are locked out.",
    ),
    "database_connection_failures_total": (
        "counter",
        ("database", "component"),
        "Questions to a database without an answer.",
    ),
}

_LONG = (0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)


def declare(registry: Registry, name: str) -> Any:
    """The counter, gauge or histogram of this name."""
    kind, labels, help_ = CATALOGUE[name]
    buckets = {"buckets": _LONG} if kind == "histogram" else {}
    return getattr(registry, kind)(name, help_, labels, **buckets)


def size_bucket(size: int) -> str:
    """`small` below 100, `medium` below 1,000, `large` below 10,000, else `xlarge`."""
    sizes = ((100, "small"), (1_000, "medium"), (10_000, "large"))
    return next((name for limit, name in sizes if size < limit), "xlarge")
