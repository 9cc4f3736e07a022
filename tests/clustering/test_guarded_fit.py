"""A fit under retry, breaker, deadline and fallback, and what telemetry sees of it."""

import copy
import pickle
import subprocess
import sys
import time

import numpy as np
import pytest

from holdfast import NeuromorphicClusterer, _context
from holdfast.clustering import _guard
from holdfast.errors import (
    InvalidClusteringInputError,
    InvalidParameterError,
    NeuromorphicErrorType,
    NeuromorphicException,
    TimeBudgetError,
    enhanced_error_handler,
)
from holdfast.resilience import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitState,
    DeadlineExceededError,
    Timeout,
    VirtualClock,
)
from holdfast.telemetry import ClusteringPhase, clustering_monitor, record_spans, span


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(_guard, "_DELAY", 0.001)
    enhanced_error_handler.clear()
    clustering_monitor.completed_operations.clear()
    yield
    enhanced_error_handler.clear()
    clustering_monitor.completed_operations.clear()


class Features:
    """Features that fail as often as told, and then are the data."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.calls = 0

    def __call__(self, rows):
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return np.asarray(rows, dtype=float)


def clusterer(features=None, **parameters):
    made = NeuromorphicClusterer(n_clusters=4, progress=False, **parameters)
    if features is not None:
        vars(made)["_extract_neuromorphic_features_safe"] = features
    return made


# --- retry and fallback -----------------------------------------------------------------
def test_a_failure_that_passes_is_retried(energies):
    features = Features(OSError("busy"), RuntimeError("again"))
    fitted = clusterer(features).fit(energies)
    assert not fitted.fallback_used
    assert fitted.last_error is None
    assert features.calls == 3


@pytest.mark.parametrize(
    ("cause", "kind", "calls"),
    [
        (RuntimeError("x"), NeuromorphicErrorType.RESOURCE_ERROR, 3),
        (MemoryError("x"), NeuromorphicErrorType.MEMORY_ERROR, 1),
        (TimeBudgetError("x"), NeuromorphicErrorType.TIMEOUT_ERROR, 1),
        (FloatingPointError("x"), NeuromorphicErrorType.STABILITY_ERROR, 1),
        (
            NeuromorphicException("x", recoverable=False),
            NeuromorphicErrorType.RESOURCE_ERROR,
            1,
        ),
        (NeuromorphicException("x", "convergence_error"), "convergence_error", 3),
    ],
    ids=repr,
)
def test_a_failure_that_stays_ends_in_the_fallback(energies, cause, kind, calls):
    features = Features(*[cause] * 9)
    fitted = clusterer(features).fit(energies)
    assert fitted.fallback_used
    assert fitted.last_error.error_type == kind
    assert features.calls == calls
    assert len(set(fitted.labels_)) == 4
    strict = clusterer(Features(*[cause] * 9), enable_fallback=False)
    with pytest.raises(NeuromorphicException) as caught:
        strict.fit(energies)
    assert caught.value.error_type == kind
    assert caught.value is cause or caught.value.__cause__ is cause


def test_a_later_success_clears_the_last_error(energies):
    features = Features(*[MemoryError("x")])
    made = clusterer(features).fit(energies)
    assert made.fallback_used
    made.fit(energies)
    assert not made.fallback_used
    assert made.last_error is None


# --- advice -----------------------------------------------------------------------------
def test_the_id_of_an_error_leads_to_advice(energies):
    fitted = clusterer(Features(*[RuntimeError("x")] * 3)).fit(energies)
    actions = enhanced_error_handler.suggest_recovery_actions(fitted.last_error.error_id)
    assert "neuromorphic" in actions[0]
    with pytest.raises(InvalidClusteringInputError) as caught:
        clusterer().fit(energies.iloc[:2])
    actions = enhanced_error_handler.suggest_recovery_actions(caught.value.error_id)
    assert "columns" in actions[0]


def test_errors_of_one_trace_share_their_correlation_id(energies):
    with span("request") as request:
        fitted = clusterer(Features(*[RuntimeError("x")] * 3)).fit(energies)
    assert fitted.last_error.correlation_id == request.trace_id
    told = enhanced_error_handler.get_correlation_timeline(request.trace_id)
    assert [entry["error_id"] for entry in told["timeline"]] == [fitted.last_error.error_id]


# --- breaker ----------------------------------------------------------------------------
def test_after_repeated_failures_the_fallback_comes_at_once(energies):
    features = Features(*[MemoryError("x")] * 2)
    config = CircuitBreakerConfig(failure_threshold=2, recovery_timeout=60)
    made = clusterer(features, circuit_breaker_config=config)
    for _ in range(2):
        assert made.fit(energies).fallback_used
    assert made.circuit_breaker.state is CircuitState.OPEN
    made.fit(energies)
    assert features.calls == 2
    assert made.fallback_used
    assert "Circuit breaker is open" in str(made.last_error)
    assert made.last_error.context["failure_count"] == 2
    assert not made.last_error.recoverable
    details = enhanced_error_handler.get_error(made.last_error.error_id)
    assert details.category.value == "circuit_breaker"
    made.enable_fallback = False
    with pytest.raises(NeuromorphicException, match="Circuit breaker is open"):
        made.fit(energies)


def test_a_breaker_can_be_shared_and_closes_after_its_time(energies):
    clock = VirtualClock()
    breaker = CircuitBreaker("shared", failure_threshold=1, open_time=60, clock=clock)
    failing = clusterer(Features(MemoryError("x")), circuit_breaker_config=breaker)
    other = clusterer(Features(), circuit_breaker_config=breaker)
    failing.fit(energies)
    assert other.fit(energies).fallback_used
    clock.advance(61)
    assert not other.fit(energies).fallback_used
    assert breaker.state is CircuitState.CLOSED


def test_by_default_three_failures_open_it(energies):
    made = clusterer(Features(*[MemoryError("x")] * 3))
    states = []
    for _ in range(3):
        made.fit(energies)
        states.append(made.circuit_breaker.state.value)
    assert states == ["closed", "closed", "open"]


def test_bad_input_is_no_failure_of_the_clusterer(energies):
    config = {"failure_threshold": 1, "recovery_timeout": 60}
    made = clusterer(circuit_breaker_config=config)
    for bad in (None, energies.iloc[:2], energies.assign(red_energy="x")):
        with pytest.raises(InvalidClusteringInputError):
            made.fit(bad)
    made.esn_params = {"unknown": 1}
    with pytest.raises(InvalidParameterError):
        made.fit(energies)
    assert made.circuit_breaker.state is CircuitState.CLOSED


def test_only_expected_exceptions_count(energies):
    config = CircuitBreakerConfig(
        failure_threshold=1, recovery_timeout=60, expected_exception=FloatingPointError
    )
    made = clusterer(
        Features(MemoryError("x"), FloatingPointError("y")), circuit_breaker_config=config
    )
    made.fit(energies)
    assert made.circuit_breaker.state is CircuitState.CLOSED
    made.fit(energies)
    assert made.circuit_breaker.state is CircuitState.OPEN


@pytest.mark.parametrize(
    ("config", "rule"),
    [
        (5, "circuit_breaker_config must be a CircuitBreakerConfig, a CircuitBreaker, a dict"),
        ({"colour": 1}, "circuit_breaker_config has keys"),
        ({"failure_threshold": 0}, "failure_threshold must be an integer >= 1, got 0"),
    ],
)
def test_a_bad_configuration_is_told_at_fit(energies, config, rule):
    with pytest.raises(InvalidParameterError, match=rule):
        clusterer(circuit_breaker_config=config).fit(energies)


def test_a_clusterer_with_guards_can_be_pickled_and_copied(energies):
    made = clusterer(circuit_breaker_config={"failure_threshold": 2}).fit(energies)
    for twin in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        assert (twin.predict(energies) == made.predict(energies)).all()
        assert twin.fit(energies).circuit_breaker is not made.circuit_breaker


@pytest.mark.parametrize(
    "config",
    [
        {"failure_threshold": 2, "recovery_timeout": 60},
        CircuitBreakerConfig(failure_threshold=2, recovery_timeout=60),
        CircuitBreakerConfig(failure_threshold=2, timeout_seconds=60),
        CircuitBreaker(CircuitBreakerConfig(failure_threshold=2, recovery_timeout=60)),
    ],
    ids=["dict", "recovery_timeout", "timeout_seconds", "breaker"],
)
def test_thresholds_are_saved(energies, config, tmp_path):
    made = clusterer(circuit_breaker_config=config).fit(energies)
    made.save(tmp_path / "x")
    twin = NeuromorphicClusterer.load(tmp_path / "x")
    told, saved = _guard.plain_config(config), twin.circuit_breaker_config
    assert saved == told
    assert saved["failure_threshold"] == 2
    assert twin.fit(energies).circuit_breaker.config.failure_threshold == 2


# --- deadlines --------------------------------------------------------------------------
def test_a_caller_whose_deadline_has_passed_gets_an_error_and_no_fallback(energies):
    past = _context.Context(deadline=time.monotonic() - 1)
    expected = pytest.raises(NeuromorphicException, match="deadline of the call")
    with _context.use(past), expected as caught:
        clusterer().fit(energies)
    assert caught.value.error_type is NeuromorphicErrorType.TIMEOUT_ERROR


def test_a_deadline_reaches_the_running_kernels():
    series = np.random.default_rng(0).normal(size=(400, 2000, 3))
    with pytest.raises((DeadlineExceededError, NeuromorphicException)), Timeout(0.05):
        clusterer(n_jobs=1).fit(series)


def test_a_budget_still_ends_in_the_fallback(waves):
    fitted = NeuromorphicClusterer(n_clusters=3, max_seconds=1e-6).fit(waves)
    assert fitted.fallback_used
    assert fitted.last_error.error_type is NeuromorphicErrorType.TIMEOUT_ERROR


# --- what is seen -----------------------------------------------------------------------
PHASES = [
    "initialization",
    "feature_extraction",
    "neuromorphic_processing",
    "clustering",
    "validation",
]


def test_a_fit_is_a_trace_with_a_span_per_phase(energies):
    with record_spans() as ended:
        clusterer().fit(energies)
    *parts, whole = ended
    assert [part.name for part in parts] == PHASES
    assert whole.name == "clustering"
    assert {part.parent_id for part in parts} == {whole.span_id}
    assert {part.trace_id for part in parts} == {whole.trace_id}
    assert sum(part.duration for part in parts) <= whole.duration
    (operation,) = clustering_monitor.completed_operations
    assert list(operation.phase_durations) == PHASES
    assert operation.status == "success"
    assert (operation.method, operation.dataset_size) == ("hybrid_reservoir", 80)
    assert (operation.feature_dimensions, operation.target_clusters) == (4, 4)
    assert operation.memory_peak_mb is None or operation.memory_peak_mb > 1
    assert set(operation.phase_durations) <= {phase.value for phase in ClusteringPhase}
    assert operation.neuromorphic_components_used == ["population"]


@pytest.mark.parametrize(
    ("method", "used"),
    [("esn", ["esn"]), ("snn", ["snn"]), ("lsm", ["lsm"]), ("hybrid", ["snn", "esn"])],
)
def test_what_made_the_features_of_series_is_told(method, used):
    series = np.random.default_rng(0).normal(size=(12, 10, 2))
    with clustering_monitor.monitor_operation(method) as operation:
        NeuromorphicClusterer(method, n_clusters=2, random_state=0).fit(series)
    assert operation.neuromorphic_components_used == used


def test_a_fit_joins_the_operation_around_it(energies):
    with clustering_monitor.monitor_operation("mine", "c-1", len(energies), 4) as operation:
        fitted = clusterer().fit(energies)
        scores = fitted.get_clustering_metrics()
        clustering_monitor.record_quality_metrics(
            operation.operation_id, {"silhouette_score": scores.silhouette_score}
        )
    assert list(clustering_monitor.completed_operations) == [operation]
    assert list(operation.phase_durations) == PHASES
    assert operation.correlation_id == "c-1"
    assert operation.silhouette_score == scores.silhouette_score


def test_a_fallback_is_seen(energies):
    made = clusterer(
        Features(MemoryError("full")), circuit_breaker_config={"failure_threshold": 1}
    )
    clustering_monitor.enabled = True
    try:
        made.fit(energies)
        made.fit(energies)
    finally:
        clustering_monitor.enabled = False
    first, second = clustering_monitor.completed_operations
    assert first.status == second.status == "success"
    assert first.fallback_triggered
    assert "full" in first.fallback_reason
    assert "fallback" in first.phase_durations
    assert first.errors[0]["type"] == "NeuromorphicException"
    assert (first.circuit_breaker_trips, second.circuit_breaker_trips) == (0, 1)


def test_a_fit_that_raises_is_a_failed_operation(energies):
    with record_spans() as ended, pytest.raises(InvalidClusteringInputError):
        clusterer().fit(energies.iloc[:2])
    assert ended[-1].status == "error"
    assert clustering_monitor.completed_operations[-1].status == "failed"


def test_where_nobody_looks_telemetry_is_not_even_loaded():
    code = """
import sys
import numpy as np
from holdfast import NeuromorphicClusterer
NeuromorphicClusterer(n_clusters=2).fit(np.random.default_rng(0).normal(size=(30, 3)))
assert not [name for name in sys.modules if name.startswith("holdfast.telemetry.")]
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_the_result_is_the_same_whether_or_not_somebody_looks(waves):
    alone = clusterer().fit(waves)
    with record_spans():
        watched = clusterer().fit(waves)
    assert (alone.labels_ == watched.labels_).all()
    np.testing.assert_array_equal(alone.cluster_centers_, watched.cluster_centers_)
