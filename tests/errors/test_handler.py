"""Categories, advice and the memory of errors."""

import datetime as dt
import json
import pickle
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast import _context, errors
from holdfast.errors import (
    CategorizedError,
    CircuitBreakerError,
    ErrorCategory,
    ErrorHandler,
    ErrorSeverity,
    FileIOError,
    HoldfastError,
    InvalidParameterError,
    NeuromorphicClusteringError,
    NeuromorphicErrorType,
    NeuromorphicException,
    OperationTimeoutError,
    enhanced_error_handler,
    handle_exceptions,
)


class Clock:
    def __init__(self):
        self.now = dt.datetime(2026, 1, 1)  # noqa: DTZ001 (the handler keeps UTC without a zone)

    def __call__(self):
        return self.now

    def advance(self, **delta):
        self.now += dt.timedelta(**delta)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def handler(clock):
    return ErrorHandler(clock=clock)


@pytest.fixture(autouse=True)
def _fresh():
    enhanced_error_handler.clear()
    yield
    enhanced_error_handler.clear()


KINDS = [
    ("DataValidationError", "data_validation", "high", 4),
    ("ClusteringError", "clustering", "high", 4),
    ("TeamSimulationError", "team_simulation", "medium", 4),
    ("SecurityError", "security", "critical", 4),
    ("FileIOError", "file_io", "medium", 4),
    ("NeuromorphicClusteringError", "neuromorphic_clustering", "high", 5),
    ("CircuitBreakerError", "circuit_breaker", "high", 4),
    ("OperationTimeoutError", "timeout", "high", 4),
    ("ResourceExhaustionError", "resource_exhaustion", "critical", 5),
    ("FallbackError", "fallback", "critical", 5),
]


@pytest.mark.parametrize(("name", "category", "severity", "count"), KINDS)
def test_each_kind_knows_its_category_and_has_advice(name, category, severity, count):
    error = getattr(errors, name)("went wrong")
    assert isinstance(error, CategorizedError)
    assert isinstance(error, HoldfastError)
    assert (error.category.value, error.severity.value) == (category, severity)
    assert len(error.suggestions) == count
    assert str(error) == error.message == "went wrong"
    assert error.user_message.endswith(": went wrong")


@pytest.mark.parametrize("name", [row[0] for row in KINDS])
def test_category_severity_and_advice_can_be_given(name):
    error = getattr(errors, name)(
        "m", category=ErrorCategory.API, severity="low", suggestions=["do it"]
    )
    assert (error.category, error.severity) == (ErrorCategory.API, ErrorSeverity.LOW)
    assert error.suggestions == ["do it"]


def test_extra_arguments_are_attributes_and_survive_pickling():
    error = FileIOError("m", file_path="/a", operation="read", context={"n": 1})
    twin = pickle.loads(pickle.dumps(error))
    assert type(twin) is FileIOError
    assert vars(twin) == vars(error)
    assert (twin.file_path, twin.operation, str(twin)) == ("/a", "read", "m")
    assert isinstance(error, OSError)
    assert isinstance(OperationTimeoutError("m"), TimeoutError)


def test_advice_names_what_it_is_about():
    first = CircuitBreakerError("m", failure_count=5, recovery_timeout=60).suggestions[0]
    assert "60 seconds" in first
    assert "circuit breaker" in first
    assert "neuromorphic" in NeuromorphicClusteringError("m").suggestions[0]


class FakeRedisError(Exception):
    __module__ = "redis.exceptions"


CATEGORIES = [
    (ValueError("x"), "data_validation", "high", True),
    (TypeError("x"), "data_validation", "high", True),
    (FileNotFoundError("x"), "file_io", "high", True),
    (PermissionError("x"), "file_io", "medium", True),
    (TimeoutError("x"), "timeout", "high", True),
    (ConnectionResetError("x"), "api", "medium", True),
    (MemoryError("x"), "resource_exhaustion", "critical", False),
    (RuntimeError("x"), "configuration", "medium", True),
    (SystemError("x"), "configuration", "critical", False),
    (FakeRedisError("x"), "database", "medium", True),
    (NeuromorphicException("x", "timeout_error"), "timeout", "high", True),
    (NeuromorphicException("x", "memory_error"), "resource_exhaustion", "critical", True),
    (NeuromorphicException("x", "dimension_error"), "data_validation", "high", True),
    (NeuromorphicException("x", "stability_error"), "neuromorphic_clustering", "high", True),
    (NeuromorphicException("x", context={"failure_count": 3}), "circuit_breaker", "high", True),
    (
        NeuromorphicException("x", context={"fallback_error": "y"}, recoverable=False),
        "fallback",
        "critical",
        False,
    ),
]


@pytest.mark.parametrize(("error", "category", "severity", "recoverable"), CATEGORIES, ids=repr)
def test_any_exception_is_classified(handler, error, category, severity, recoverable):
    details = handler.register(error)
    assert (details.category.value, details.severity.value) == (category, severity)
    assert details.recoverable is recoverable
    assert details.suggestions
    assert details.technical_details.startswith(type(error).__name__)


def test_an_error_is_found_by_the_id_it_carries(handler):
    error = NeuromorphicException("m", NeuromorphicErrorType.STABILITY_ERROR)
    assert handler.suggest_recovery_actions(error.error_id)[0].endswith("unknown or too old")
    handler.register(error, {"retry_count": 2})
    actions = handler.suggest_recovery_actions(error.error_id)
    assert any("K-means" in action for action in actions)
    assert any("Disable" in action for action in actions)
    assert handler.get_error(error.error_id).retry_count == 2


def test_an_error_that_passes_several_handlers_counts_once(handler):
    error = NeuromorphicException("m")
    first = handler.register(error, {"a": 1})
    second = handler.register(error, {"b": 2})
    assert first is second
    assert second.context == {"a": 1, "b": 2}
    assert handler.performance_stats["total_errors"] == 1


def test_the_correlation_id_comes_from_the_nearest_who_knows(handler):
    error = NeuromorphicException("m", correlation_id="of the error")
    assert (
        handler.register(error, {"correlation_id": "of the call"}, "given").correlation_id
        == "given"
    )
    with _context.use(_context.Context(trace_id="ab" * 16)):
        assert handler.register(ValueError("x")).correlation_id == "ab" * 16
        assert NeuromorphicException("m").correlation_id == "ab" * 16
    told = handler.register(ValueError("x"), {"correlation_id": "of the call"})
    assert told.correlation_id == "of the call"
    assert handler.get_correlation_timeline("of the call")["error_count"] == 1


def test_a_timeline_tells_the_errors_of_a_call_in_order(handler, clock):
    ids = []
    for error in (ValueError("a"), KeyError("b")):
        ids.append(handler.register(error, correlation_id="c").error_id)
        clock.advance(seconds=5)
    handler.register(ValueError("other"), correlation_id="d")
    told = handler.get_correlation_timeline("c")
    assert [entry["error_id"] for entry in told["timeline"]] == ids
    assert told["first_error"] == "2026-01-01T00:00:00"
    assert told["last_error"] == "2026-01-01T00:00:05"
    assert any("Throttle" in action for action in handler.suggest_recovery_actions(ids[0]))
    assert handler.get_correlation_timeline("none") == {
        "correlation_id": "none",
        "error_count": 0,
        "timeline": [],
    }


# --- thresholds -------------------------------------------------------------------------
def test_the_error_that_reaches_a_threshold_is_the_alert(handler, clock, caplog):
    def fail():
        return handler.handle_error(CircuitBreakerError("open"))

    assert "alert_triggered" not in fail().tags
    clock.advance(minutes=11)
    assert "alert_triggered" not in fail().tags
    assert "alert_triggered" not in fail().tags
    assert fail().tags == {"alert_triggered", "threshold_3"}
    assert "too many errors: 3 of circuit_breaker, high" in caplog.text


def test_one_error_is_enough_where_the_threshold_is_one(handler):
    assert "threshold_1" in handler.register(MemoryError("x")).tags
    handler.alert_thresholds[2].enabled = False
    assert handler.register(MemoryError("y")).tags == set()


@given(
    st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=40),
    st.integers(1, 5),
    st.integers(1, 200),
)
def test_thresholds_agree_with_a_count_over_the_window(steps, count, minutes):
    clock = Clock()
    handler = ErrorHandler(clock=clock)
    handler.alert_thresholds = [
        errors.AlertThreshold(ErrorCategory.TIMEOUT, ErrorSeverity.HIGH, count, minutes)
    ]
    times = []
    for pause, counted in steps:
        clock.advance(minutes=pause)
        error = TimeoutError("x") if counted else RuntimeError("x")
        tags = handler.register(error).tags
        if counted:
            times.append(clock.now)
            window = clock.now - dt.timedelta(minutes=minutes)
            reached = sum(time >= window for time in times) >= count
            assert ("alert_triggered" in tags) is reached
        else:
            assert not tags


# --- memory -----------------------------------------------------------------------------
def test_old_errors_are_forgotten_with_all_that_refers_to_them():
    handler = ErrorHandler(max_history_size=3)
    ids = [
        handler.register(ValueError(str(i)), correlation_id=f"c{i}").error_id for i in range(5)
    ]
    assert len(handler.error_history) == 3
    assert set(handler.correlation_errors) == {"c2", "c3", "c4"}
    assert handler.get_error(ids[0]) is None
    assert handler.error_patterns["data_validation_high"].count == 5


def test_threads_lose_no_error(handler):
    def work():
        for _ in range(200):
            handler.register(ValueError("x"), correlation_id="c")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert handler.performance_stats["total_errors"] == 800
    assert handler.get_correlation_timeline("c")["error_count"] == 800


def test_secrets_are_not_kept(handler):
    details = handler.register(
        ValueError("password=hunter2 refused"), {"api_key": "hunter2", "url": "x://u:hunter2@h"}
    )
    assert "hunter2" not in str(details)
    assert details.context["api_key"] == "[redacted]"


def test_a_history_has_room_for_one_at_least():
    with pytest.raises(
        InvalidParameterError, match="max_history_size must be an integer >= 1, got 0"
    ):
        ErrorHandler(0)


# --- reports ----------------------------------------------------------------------------
def test_no_errors_are_a_healthy_summary(handler):
    told = handler.get_comprehensive_error_summary(hours=2)
    assert told["total_errors"] == 0
    assert told["health_score"] == 1.0
    json.loads(handler.export_error_report())
    assert "total: 0" in handler.export_error_report("text")


def test_the_summary_counts_the_last_hours(handler, clock):
    handler.register(ValueError("old"))
    clock.advance(hours=3)
    handler.register(ValueError("a"), {"retry_count": 1}, "c1")
    handler.register(ValueError("b"), correlation_id="c1")
    last = handler.register(MemoryError("c"))
    told = handler.get_error_summary(hours=2)
    assert told["total_errors"] == 3
    assert told["error_rate_per_hour"] == 1.5
    assert told["by_category"] == {"data_validation": 2, "resource_exhaustion": 1}
    assert told["by_severity"] == {"high": 2, "critical": 1}
    assert told["critical_error_rate"] == told["recovery_rate"] == pytest.approx(1 / 3)
    assert told["health_score"] == pytest.approx(1 - 0.15 - 0.5 / 3)
    assert told["most_recent"] == last.error_id
    assert told["top_correlations"][0] == {"correlation_id": "c1", "error_count": 2}
    assert told["top_error_patterns"][0]["pattern"] == "data_validation_high"
    report = json.loads(handler.export_error_report())
    assert report["summary"]["total_errors"] == 4
    assert report["error_patterns"]["data_validation_high"]["recovery_attempts"] == 1
    assert "category data_validation: 3" in handler.export_error_report("text")


def test_resolution_is_measured(handler, clock):
    first, second = (handler.register(ValueError("x")).error_id for _ in range(2))
    assert handler.performance_stats["recovery_success_rate"] is None
    clock.advance(seconds=30)
    handler.mark_resolved(first)
    handler.mark_resolved(second, success=False)
    assert handler.performance_stats["recovery_success_rate"] == 0.5
    assert handler.performance_stats["avg_resolution_time"] == 30
    with pytest.raises(InvalidParameterError, match="error_id must be that of a kept error"):
        handler.mark_resolved("nobody")


# --- the decorator ----------------------------------------------------------------------
@pytest.mark.parametrize("decorator", [handle_exceptions, handle_exceptions("c-1")])
def test_a_foreign_exception_becomes_one_for_users(decorator, caplog):
    @decorator
    def work(n):
        """Works."""
        return 1 / n

    assert work(1) == 1
    assert (work.__name__, work.__doc__) == ("work", "Works.")
    with pytest.raises(CategorizedError, match="division by zero") as caught:
        work(0)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert enhanced_error_handler.suggest_recovery_actions(caught.value.error_id)
    assert "ZeroDivisionError: division by zero" in caplog.text
    if decorator is not handle_exceptions:
        assert enhanced_error_handler.get_correlation_timeline("c-1")["error_count"] == 1


def test_an_own_error_goes_on_as_it_is(caplog):
    @handle_exceptions
    def work():
        raise FileIOError("m", file_path="/a")

    with pytest.raises(FileIOError) as caught:
        work()
    assert enhanced_error_handler.get_error(caught.value.error_id).category.value == "file_io"
    assert caplog.records[0].error_id == caught.value.error_id


@pytest.mark.parametrize("name", [n for n in errors.__all__ if n[0].isupper()])
def test_every_class_is_shown_under_its_public_name(name):
    assert getattr(errors, name).__module__ in {
        "holdfast.errors",
        "holdfast.errors._categories",
        "holdfast.errors._handler",
    }
