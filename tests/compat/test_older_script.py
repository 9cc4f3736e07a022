"""A script for the older clustering package; only its imports name Holdfast."""

# ruff: noqa: SLF001 (older scripts replace a private method)

import inspect
from datetime import datetime, timezone

import numpy as np
import pandas as pd
import pytest

# from insights_clustering.neuromorphic_clustering import (...)
from holdfast import NeuromorphicClusterer
from holdfast.clustering import (
    ClusteringMetrics,
    EchoStateNetwork,
    LiquidStateMachine,
    NeuromorphicClusteringMethod,
    SpikingNeuralCluster,
)
from holdfast.errors import NeuromorphicErrorType, NeuromorphicException

METHODS = list(NeuromorphicClusteringMethod)
FEATURES = ["red_energy", "blue_energy", "green_energy", "yellow_energy"]


@pytest.fixture
def employees(energies):
    table = energies.copy()
    table.insert(0, "employee_id", [f"E{i:03}" for i in range(len(table))])
    return table


def defaults(of):
    parameters = list(inspect.signature(of).parameters.values())
    return {
        p.name: p.default
        for p in parameters
        if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    }


SIGNATURES = {
    NeuromorphicClusterer: {
        "method": NeuromorphicClusteringMethod.HYBRID_RESERVOIR,
        "n_clusters": 4,
        "random_state": 42,
        "esn_params": None,
        "snn_params": None,
        "lsm_params": None,
        "enable_fallback": True,
        "circuit_breaker_config": None,
        "enable_gpu": None,
        "enable_caching": None,
        "cache_ttl": None,
        "optimization_level": "balanced",
    },
    EchoStateNetwork: {
        "reservoir_size": 100,
        "input_size": 4,
        "spectral_radius": 0.95,
        "sparsity": 0.1,
        "leaking_rate": 0.3,
        "random_state": 42,
    },
    SpikingNeuralCluster: {
        "n_neurons": 50,
        "threshold": 1.0,
        "tau_membrane": 20.0,
        "tau_synapse": 5.0,
        "learning_rate": 0.01,
        "random_state": 42,
    },
    LiquidStateMachine: {
        "liquid_size": 64,
        "input_size": 4,
        "connection_prob": 0.3,
        "tau_membrane": 30.0,
        "random_state": 42,
    },
}


@pytest.mark.parametrize("of", SIGNATURES, ids=lambda of: of.__name__)
def test_arguments_keep_their_names_order_and_defaults(of):
    assert list(defaults(of)) == list(SIGNATURES[of])
    assert defaults(of) == SIGNATURES[of]


ENUMS = {
    NeuromorphicErrorType: (
        "memory_error convergence_error dimension_error timeout_error stability_error "
        "resource_error"
    ),
    NeuromorphicClusteringMethod: (
        "echo_state_network spiking_neural_network liquid_state_machine hybrid_reservoir"
    ),
}


@pytest.mark.parametrize("enum", ENUMS, ids=lambda enum: enum.__name__)
def test_members_of_enums_have_their_older_values(enum):
    assert {m.name: m.value for m in enum} == {v.upper(): v for v in ENUMS[enum].split()}


def test_the_exception_is_called_and_reads_as_before():
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    error = NeuromorphicException(
        "no room",
        error_type=NeuromorphicErrorType.MEMORY_ERROR,
        correlation_id="abc",
        context={"rows": 3},
        recoverable=False,
        timestamp=now,
    )
    assert str(error) == "memory_error: no room"
    assert (error.correlation_id, error.context) == ("abc", {"rows": 3})
    assert (error.recoverable, error.timestamp) == (False, now)
    assert error.error_id
    assert NeuromorphicException("x").recoverable
    assert len({error, NeuromorphicException("x")}) == 2


@pytest.mark.parametrize(
    "method",
    [*METHODS, *(method.value for method in METHODS), "esn", "snn", "lsm", "hybrid"],
    ids=str,
)
def test_the_whole_way_of_a_table(method, employees):
    clusterer = NeuromorphicClusterer(method=method, n_clusters=4, random_state=42)
    assert clusterer.cluster_labels is None
    assert clusterer.feature_data is None
    assert (clusterer.trained, clusterer.fallback_used) == (False, False)
    assert clusterer.last_error is None

    result = clusterer.fit(employees)
    assert result is clusterer
    assert clusterer.trained
    assert not clusterer.fallback_used
    labels = clusterer.get_cluster_assignments()
    assert labels.dtype.kind == "i"
    assert set(labels) == {0, 1, 2, 3}
    np.testing.assert_array_equal(clusterer.predict(employees), labels)
    np.testing.assert_array_equal(clusterer.predict(employees[FEATURES]), labels)
    assert clusterer.cluster_centroids.shape[0] == 4

    metrics = clusterer.get_clustering_metrics()
    assert isinstance(metrics, ClusteringMetrics)
    assert list(vars(metrics))[:6] == [
        "silhouette_score",
        "calinski_harabasz_score",
        "cluster_stability",
        "interpretability_score",
        "temporal_coherence",
        "computational_efficiency",
    ]
    assert -1 <= metrics.silhouette_score <= 1
    assert metrics.calinski_harabasz_score > 0

    described = clusterer.get_cluster_interpretation()
    assert set(described) == {0, 1, 2, 3}
    for cluster, traits in described.items():
        assert set(traits) == {
            "assertiveness",
            "analytical",
            "supportive",
            "enthusiastic",
            "complexity",
            "stability",
        }
        assert all(0 <= value <= 1 for value in traits.values())
        own = employees[labels == cluster]["red_energy"].mean() / 100
        assert traits["assertiveness"] == pytest.approx(own)


OF_NETWORKS = {
    "esn": {
        "esn_params": {
            "reservoir_size": 50,
            "input_size": 4,
            "spectral_radius": 0.9,
            "sparsity": 0.5,
            "leaking_rate": 0.3,
        }
    },
    "snn": {
        "snn_params": {
            "n_neurons": 30,
            "threshold": 1.0,
            "tau_membrane": 20.0,
            "tau_synapse": 5.0,
            "learning_rate": 0.01,
        }
    },
    "lsm": {
        "lsm_params": {
            "liquid_size": 40,
            "input_size": 4,
            "connection_prob": 0.3,
            "tau_membrane": 30.0,
        }
    },
}


@pytest.mark.parametrize("method", OF_NETWORKS)
def test_parameters_of_the_networks_are_taken_and_those_without_effect_named(method, waves):
    with pytest.warns(UserWarning, match="has no effect here"):
        clusterer = NeuromorphicClusterer(method, 3, **OF_NETWORKS[method]).fit(waves)
    assert not clusterer.fallback_used


@pytest.mark.parametrize(("share", "degree"), [(0.9, 5), (0.0, 50), (1.0, 1)])
def test_sparsity_sets_how_many_inputs_a_unit_has(share, degree, waves):
    given = {"reservoir_size": 50, "sparsity": share}
    found = NeuromorphicClusterer("esn", 3, esn_params=given).fit(waves)
    given = {"reservoir_size": 50, "degree": degree}
    expected = NeuromorphicClusterer("esn", 3, esn_params=given).fit(waves)
    np.testing.assert_array_equal(found.transform(waves), expected.transform(waves))


def failing(error):
    def extract(matrix):
        raise error

    return extract


FAILURES = {
    "memory": (MemoryError("no room"), "memory_error"),
    "time": (TimeoutError("too long"), "timeout_error"),
    "numbers": (FloatingPointError("overflow"), "stability_error"),
    "anything": (RuntimeError("boom"), "resource_error"),
    "its own": (
        NeuromorphicException("no", error_type=NeuromorphicErrorType.CONVERGENCE_ERROR),
        "convergence_error",
    ),
}


@pytest.mark.parametrize(("error", "kind"), FAILURES.values(), ids=FAILURES)
def test_a_failed_extraction_ends_in_the_fallback_and_tells_why(error, kind, employees):
    clusterer = NeuromorphicClusterer(n_clusters=4)
    clusterer._extract_neuromorphic_features_safe = failing(error)
    clusterer.fit(employees)
    assert clusterer.trained
    assert clusterer.fallback_used
    assert isinstance(clusterer.last_error, NeuromorphicException)
    assert clusterer.last_error.error_type.value == kind
    assert str(error) in str(clusterer.last_error)
    assert set(clusterer.get_cluster_assignments()) == {0, 1, 2, 3}
    np.testing.assert_array_equal(clusterer.predict(employees), clusterer.labels_)
    assert clusterer.get_clustering_metrics().silhouette_score > 0
    assert set(clusterer.get_cluster_interpretation()) == {0, 1, 2, 3}

    del clusterer._extract_neuromorphic_features_safe
    clusterer.fit(employees)
    assert not clusterer.fallback_used
    assert clusterer.last_error is None


def test_without_the_fallback_the_failure_is_raised(employees, monkeypatch):
    clusterer = NeuromorphicClusterer(n_clusters=4, enable_fallback=False)
    monkeypatch.setattr(
        clusterer, "_extract_neuromorphic_features_safe", failing(RuntimeError("boom"))
    )
    with pytest.raises(NeuromorphicException, match="resource_error: RuntimeError: boom"):
        clusterer.fit(employees)
    assert not clusterer.trained


def test_features_of_ones_own_are_clustered(employees):
    seen = []

    def extract(matrix):
        seen.append(matrix)
        return matrix[:, :2]

    clusterer = NeuromorphicClusterer(n_clusters=4)
    clusterer._extract_neuromorphic_features_safe = extract
    labels = clusterer.fit(employees).get_cluster_assignments()
    assert not clusterer.fallback_used
    np.testing.assert_allclose(seen[0].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(seen[0].std(axis=0), 1, atol=1e-6)
    np.testing.assert_array_equal(clusterer.predict(employees), labels)
    assert clusterer.transform(employees).shape == (80, 2)


@pytest.mark.parametrize("wrong", [np.zeros((3, 2)), np.full((80, 2), np.nan), "text"], ids=str)
def test_features_that_cannot_be_clustered_end_in_the_fallback(wrong, employees):
    clusterer = NeuromorphicClusterer(n_clusters=4)
    clusterer._extract_neuromorphic_features_safe = lambda matrix: wrong
    assert clusterer.fit(employees).fallback_used


def test_the_extraction_can_be_called_on_standardised_rows(employees):
    clusterer = NeuromorphicClusterer(n_clusters=4).fit(employees)
    values = employees[FEATURES].to_numpy()
    rows = (values - values.mean(axis=0)) / values.std(axis=0)
    found = clusterer._extract_neuromorphic_features_safe(rows)
    np.testing.assert_allclose(found, clusterer.transform(employees), atol=1e-5)


BAD = {
    "None": (lambda table: None, "X is None"),
    "no row": (lambda table: table.iloc[:0], "0 sample"),
    "too few rows": (lambda table: table.iloc[:3], "n_samples=3"),
    "a column less": (
        lambda table: table.drop(columns="red_energy"),
        "Missing required columns",
    ),
    "text": (lambda table: table.assign(red_energy="high"), "red_energy"),
    "gaps": (
        lambda table: table.assign(red_energy=np.where(np.arange(80) < 50, np.nan, 1.0)),
        "62% of the values are missing",
    ),
}


@pytest.mark.parametrize(("spoil", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_an_error_of_both_kinds_and_never_the_fallback(spoil, message, employees):
    clusterer = NeuromorphicClusterer(n_clusters=4, enable_fallback=True)
    for kind in (ValueError, NeuromorphicException):
        with pytest.raises(kind, match=message) as refused:
            clusterer.fit(spoil(employees))
    assert refused.value.error_type is NeuromorphicErrorType.DIMENSION_ERROR
    assert not clusterer.fallback_used


def test_the_echo_state_network():
    esn = EchoStateNetwork(reservoir_size=50, input_size=4, spectral_radius=0.95)
    assert esn.W_in.shape == (50, 4)
    assert max(abs(np.linalg.eigvals(esn.W_res))) == pytest.approx(0.95, abs=1e-6)
    assert esn.update_state(np.ones(4)).shape == (50,)
    states = esn.process_sequence(np.ones((10, 4)))
    assert states.shape == (10, 50)
    assert len(esn.states_history) == 10
    features = esn.extract_features(states)
    assert list(features) == [
        "mean_activation",
        "std_activation",
        "max_activation",
        "final_state",
        "activation_trend",
        "stability_measure",
    ]
    assert all(values.shape == (50,) for values in features.values())
    assert not any(v.any() for v in esn.extract_features(np.empty((0, 50))).values())
    assert EchoStateNetwork(spectral_radius=-0.5).spectral_radius == -0.5
    assert EchoStateNetwork(sparsity=1.5).sparsity == 1.5


def test_the_spiking_neurons():
    snn = SpikingNeuralCluster(n_neurons=20)
    assert snn.synaptic_weights.shape == (4, 20)
    assert snn.lateral_weights.shape == (20, 20)
    assert not snn.lateral_weights.diagonal().any()
    assert snn.membrane_potential.tolist() == [0.0] * 20
    assert snn.spike_times == [[] for _ in range(20)]
    spikes = snn.encode_input(np.array([0.7, 0.2, 0.5, 0.0]), duration=100.0)
    assert [len(train) for train in spikes] == [7, 2, 5, 0]
    response = snn.simulate_dynamics(spikes, duration=100.0, dt=1.0)
    assert response.shape == (20, 100)
    assert set(np.unique(response)) <= {0, 1}
    assert snn.extract_spike_features(response).shape == (40,)


def test_the_liquid():
    lsm = LiquidStateMachine(liquid_size=64, input_size=4)
    assert lsm.W_input.shape == (64, 4)
    assert lsm.W_liquid.shape == (64, 64)
    assert lsm.update_liquid(np.ones(4), dt=1.0).shape == (64,)
    assert lsm.liquid_state.any()
    states = lsm.process_temporal_sequence(np.ones((5, 4)), duration_per_sample=50.0)
    assert states.shape == (5, 64)
    assert len(lsm.state_history) == 5
    assert lsm.process_temporal_sequence(np.empty((0, 4))).shape == (0, 64)


def test_equal_rows_are_in_one_cluster(employees):
    same = pd.concat([employees.iloc[[0]]] * 30 + [employees.iloc[[40]]] * 30)
    labels = NeuromorphicClusterer(n_clusters=2).fit(same).get_cluster_assignments()
    assert len(set(labels[:30])) == len(set(labels[30:])) == 1
