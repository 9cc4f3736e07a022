"""The taxonomy of errors and its handler; only the imports name Holdfast."""

# ruff: noqa: SLF001 (older scripts call and replace private methods)

import json
import pickle
from dataclasses import fields
from datetime import datetime, timezone

import pytest

# from error_handling import (...)
from holdfast.compat.error_handling import (
    AlertThreshold,
    CircuitBreakerError,
    ClusteringError,
    DataValidationError,
    EnhancedErrorHandler,
    ErrorCategory,
    ErrorDetails,
    ErrorPattern,
    ErrorSeverity,
    FallbackError,
    FileIOError,
    NeuromorphicClusteringError,
    ObserverCoordinatorError,
    ResourceExhaustionError,
    SecurityError,
    TeamSimulationError,
    TimeoutError,  # noqa: A004 (the older name)
    enhanced_error_handler,
    error_handler,
    handle_exceptions,
)
from holdfast.compat.insights_clustering.neuromorphic_clustering import (
    NeuromorphicErrorType,
    NeuromorphicException,
)

# Extra arguments, category, severity and the number of suggestions.
KINDS = {
    DataValidationError: (
        {"invalid_fields": ["red"], "data_summary": {"rows": 3}}, "data_validation", "high", 4,
    ),
    ClusteringError: (
        {"clustering_params": {"k": 3}, "data_shape": (3, 4)}, "clustering", "high", 4,
    ),
    TeamSimulationError: (
        {"team_params": {"size": 3}, "employee_count": 9}, "team_simulation", "medium", 4,
    ),
    SecurityError: ({"security_context": {"user": "ann"}}, "security", "critical", 4),
    FileIOError: ({"file_path": "x.csv", "operation": "read"}, "file_io", "medium", 4),
    NeuromorphicClusteringError: (
        {"method": "esn", "feature_shape": (3, 60), "component": "esn"},
        "neuromorphic_clustering", "high", 5,
    ),
    CircuitBreakerError: (
        {"failure_count": 5, "recovery_timeout": 45}, "circuit_breaker", "high", 4,
    ),
    TimeoutError: ({"timeout_seconds": 30.0, "operation": "fit"}, "timeout", "high", 4),
    ResourceExhaustionError: (
        {"resource_type": "memory", "current_usage": 96.0, "threshold": 95.0},
        "resource_exhaustion", "critical", 5,
    ),
    FallbackError: (
        {"primary_error": "boom", "fallback_method": "kmeans"}, "fallback", "critical", 5,
    ),
}  # fmt: skip


def test_enums():
    assert [severity.value for severity in ErrorSeverity] == [
        "low",
        "medium",
        "high",
        "critical",
    ]
    assert len(ErrorCategory) == 13
    assert all(category.value == category.name.lower() for category in ErrorCategory)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_error(kind):
    extra, category, severity, count = KINDS[kind]
    error = kind("went wrong", **extra)
    assert isinstance(error, ObserverCoordinatorError)
    assert str(error) == "went wrong"
    assert (error.category.value, error.severity.value) == (category, severity)
    assert len(error.suggestions) == count
    assert (error.context, error.technical_details) == ({}, "went wrong")
    assert isinstance(error.timestamp, datetime)
    for name, value in extra.items():
        assert getattr(error, name) == value
    again = pickle.loads(pickle.dumps(error))
    assert vars(again) == vars(error)
    own = kind("x", suggestions=["a"], severity=ErrorSeverity.LOW, context={"n": 1})
    assert (own.suggestions, own.severity, own.context) == (["a"], ErrorSeverity.LOW, {"n": 1})


def test_the_base_class_in_its_older_order():
    error = ObserverCoordinatorError(
        "m", ErrorCategory.API, ErrorSeverity.LOW, "tech", ["do this"], {"n": 1}
    )
    assert (error.technical_details, error.suggestions) == ("tech", ["do this"])
    plain = ObserverCoordinatorError("m")
    assert (plain.category, plain.severity) == (
        ErrorCategory.CONFIGURATION,
        ErrorSeverity.MEDIUM,
    )
    assert (plain.suggestions, plain.user_message[-1:]) == ([], "m")


def test_what_suggestions_say():
    assert "neuromorphic" in NeuromorphicClusteringError("x").suggestions[0].lower()
    first = CircuitBreakerError("x", recovery_timeout=45).suggestions[0]
    assert "45" in first
    assert "circuit breaker" in first


def test_details_can_be_made_by_hand():
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    given = ("E1", now, ErrorCategory.API, ErrorSeverity.LOW, "m", "t", "u", [], {})
    details = ErrorDetails(*given)
    assert details.correlation_id
    assert (details.recoverable, details.retry_count, details.tags) == (True, 0, set())
    assert ErrorDetails(*given, None, True, 0, None).tags == set()  # noqa: FBT003
    assert [f.name for f in fields(ErrorPattern)][-1] == "recovery_attempts"
    assert AlertThreshold(ErrorCategory.API, ErrorSeverity.LOW, 3, 10).enabled


@pytest.fixture
def handler():
    return EnhancedErrorHandler(max_history_size=100)


def test_one_handler_for_the_process():
    assert error_handler is enhanced_error_handler
    assert set(enhanced_error_handler.performance_stats) == {
        "total_errors",
        "errors_by_category",
        "errors_by_severity",
        "recovery_success_rate",
        "avg_resolution_time",
    }


@pytest.mark.parametrize(
    ("error", "category", "severity", "recoverable"),
    [
        (ValueError("x"), "data_validation", "high", True),
        (TypeError("x"), "data_validation", "high", True),
        (FileNotFoundError("x"), "file_io", "high", True),
        (PermissionError("x"), "file_io", "medium", True),
        (MemoryError("x"), "resource_exhaustion", "critical", False),
        (KeyError("x"), "configuration", "medium", True),
        (ConnectionError("x"), "api", "medium", True),
        (
            NeuromorphicException("x", error_type=NeuromorphicErrorType.TIMEOUT_ERROR),
            "timeout",
            "high",
            True,
        ),
    ],
    ids=repr,
)
def test_errors_are_classified(handler, error, category, severity, recoverable):
    details = handler.handle_error(error, {"step": "fit"}, "corr-1")
    assert (details.category.value, details.severity.value) == (category, severity)
    assert details.recoverable is recoverable
    assert details.correlation_id == "corr-1"
    assert details.context["step"] == "fit"
    assert details.error_id.startswith("ERR_")
    assert details.suggestions
    assert details.user_message != details.message


def test_the_correlation_id_of_the_context_counts(handler):
    details = handler.handle_error(ValueError("x"), {"correlation_id": "corr-2"})
    assert details.correlation_id == "corr-2"
    assert handler.correlation_errors == {"corr-2": [details.error_id]}
    assert list(handler.error_patterns) == ["data_validation_high"]


def test_the_first_error_reaches_a_threshold_of_one(handler):
    details = handler.handle_error(SecurityError("x"))
    assert {"alert_triggered", "threshold_1"} <= details.tags


def test_suggestions_for_an_error_and_for_none(handler):
    assert len(handler.suggest_recovery_actions("unknown")) == 1
    details = handler.handle_error(NeuromorphicClusteringError("x"), {"retry_count": 2}, "c")
    alone = handler.suggest_recovery_actions(details.error_id)
    assert len(alone) > 5
    handler.handle_error(ValueError("y"), correlation_id="c")
    assert len(handler.suggest_recovery_actions(details.error_id)) > len(alone)


def test_the_error_of_a_clusterer_leads_to_suggestions(energies):
    from holdfast import NeuromorphicClusterer

    clusterer = NeuromorphicClusterer(n_clusters=4)

    def broken(rows):
        raise MemoryError("no room")

    clusterer._extract_neuromorphic_features_safe = broken
    clusterer.fit(energies)
    actions = enhanced_error_handler.suggest_recovery_actions(clusterer.last_error.error_id)
    assert len(actions) > 1


def test_the_timeline_of_a_call(handler):
    assert handler.get_correlation_timeline("none")["error_count"] == 0
    for text in ("a", "b"):
        handler.handle_error(ValueError(text), correlation_id="c")
    told = handler.get_correlation_timeline("c")
    assert told["error_count"] == 2
    assert told["first_error"] <= told["last_error"]
    assert set(told["timeline"][0]) == {
        "error_id",
        "timestamp",
        "category",
        "severity",
        "message",
        "recoverable",
        "retry_count",
        "tags",
    }


def test_the_summary_without_and_with_errors(handler):
    told = handler.get_comprehensive_error_summary(hours=24)
    assert (told["total_errors"], told["health_score"]) == (0, 1.0)
    handler.handle_error(ValueError("x"))
    handler.handle_error(MemoryError("x"), {"retry_count": 1})
    told = handler.get_comprehensive_error_summary(hours=24)
    assert told["by_category"] == {"data_validation": 1, "resource_exhaustion": 1}
    assert told["by_severity"] == {"high": 1, "critical": 1}
    assert told["error_rate_per_hour"] == pytest.approx(2 / 24)
    assert told["health_score"] == pytest.approx(1 - 0.1 * 2 / 24 - 0.5 * 0.5)
    assert (told["recovery_rate"], told["critical_error_rate"]) == (0.5, 0.5)
    assert set(told["top_error_patterns"][0]) == {
        "pattern",
        "count",
        "category",
        "latest_occurrence",
    }
    assert set(told["top_correlations"][0]) == {"correlation_id", "error_count"}
    assert handler.get_error_summary(hours=1)["total_errors"] == 2


@pytest.mark.parametrize("errors", [0, 2])
def test_reports(handler, errors):
    for _ in range(errors):
        handler.handle_error(ValueError("x"))
    report = json.loads(handler.export_error_report("json"))
    assert set(report) == {
        "report_timestamp",
        "summary",
        "alert_thresholds",
        "error_patterns",
    }
    assert report["summary"]["total_errors"] == errors
    assert "total" in handler.export_error_report("text")


def test_decorated_functions_with_and_without_parentheses():
    @handle_exceptions
    def bare():
        raise ValueError("x")

    @handle_exceptions("corr-3")
    def named():
        """Docs."""
        raise DataValidationError("y")

    with pytest.raises(ObserverCoordinatorError, match="x") as raised:
        bare()
    assert isinstance(raised.value.__cause__, ValueError)
    with pytest.raises(DataValidationError, match="y"):
        named()
    assert enhanced_error_handler.get_correlation_timeline("corr-3")["error_count"] == 1
    assert named.__doc__ == "Docs."
    enhanced_error_handler.clear()
