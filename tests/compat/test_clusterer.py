"""The contract of the older clusterer's attributes, numbers and dataclasses, line by line."""

import dataclasses
import inspect
from contextvars import copy_context

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

# from insights_clustering.neuromorphic_clustering import (...)
from holdfast.compat.insights_clustering.neuromorphic_clustering import (
    GEN3_CONFIG,
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitBreakerState,
    ClusteringMetrics,
    EchoStateNetwork,
    LiquidStateMachine,
    NeuromorphicClusterer,
    NeuromorphicClusteringMethod,
    NeuromorphicErrorType,
    NeuromorphicException,
    ResourceMetrics,
    RetryManager,
    SpikingNeuralCluster,
    get_correlation_id,
    set_correlation_id,
)

M = NeuromorphicClusteringMethod
ENERGIES = ["red_energy", "blue_energy", "green_energy", "yellow_energy"]


FIELDS = {
    ClusteringMetrics: (
        "silhouette_score calinski_harabasz_score cluster_stability interpretability_score "
        "temporal_coherence computational_efficiency"
    ),
    ResourceMetrics: "memory_usage_mb cpu_percent processing_time_ms correlation_id timestamp",
}


@pytest.mark.parametrize("of", FIELDS, ids=lambda of: of.__name__)
def test_dataclasses_begin_with_their_fields_in_order(of):
    wanted = FIELDS[of].split()
    assert [field.name for field in dataclasses.fields(of)][: len(wanted)] == wanted
    made = of(*range(len(wanted)))
    assert [getattr(made, name) for name in wanted] == list(range(len(wanted)))


def test_the_states_of_a_breaker():
    values = {member.name: member.value for member in CircuitBreakerState}
    older = {"CLOSED": "closed", "OPEN": "open", "HALF_OPEN": "half_open"}
    assert older.items() <= values.items()


SETTINGS = (
    "enable_gpu enable_caching cache_ttl max_cache_size enable_redis redis_host redis_port "
    "enable_async vectorize_operations memory_mapping enable_compression auto_scale_workers "
    "max_workers enable_streaming chunk_size enable_incremental"
)


def test_the_settings_are_there_to_read():
    assert list(GEN3_CONFIG) == SETTINGS.split()


PARTS = {
    M.ECHO_STATE_NETWORK: {"esn": EchoStateNetwork},
    M.SPIKING_NEURAL_NETWORK: {"snn": SpikingNeuralCluster},
    M.LIQUID_STATE_MACHINE: {"lsm": LiquidStateMachine},
    M.HYBRID_RESERVOIR: {
        "esn": EchoStateNetwork,
        "snn": SpikingNeuralCluster,
        "lsm": LiquidStateMachine,
    },
}


@pytest.mark.parametrize("method", M, ids=str)
def test_a_clusterer_has_the_networks_of_its_method_and_no_others(method):
    for named in (method, method.value):
        clusterer = NeuromorphicClusterer(method=named)
        found = {part for part in ("esn", "snn", "lsm") if hasattr(clusterer, part)}
        assert found == set(PARTS[method])
        for part, kind in PARTS[method].items():
            assert isinstance(getattr(clusterer, part), kind)
            assert getattr(clusterer, part) is getattr(clusterer, part)


def test_parameters_reach_the_networks():
    clusterer = NeuromorphicClusterer(
        random_state=7,
        esn_params={"reservoir_size": 50, "spectral_radius": 0.8},
        snn_params={"n_neurons": 30, "threshold": 0.5},
        lsm_params={"liquid_size": 40, "connection_prob": 0.2},
    )
    assert (clusterer.esn.reservoir_size, clusterer.esn.spectral_radius) == (50, 0.8)
    assert clusterer.esn.random_state == 7
    assert (clusterer.snn.n_neurons, clusterer.snn.threshold) == (30, 0.5)
    assert (clusterer.lsm.liquid_size, clusterer.lsm.connection_prob) == (40, 0.2)
    clusterer.set_params(esn_params={"reservoir_size": 20})
    assert clusterer.esn.reservoir_size == 20


def test_attributes_before_and_after_a_fit(energies):
    config = CircuitBreakerConfig(failure_threshold=2, recovery_timeout=30)
    clusterer = NeuromorphicClusterer(M.HYBRID_RESERVOIR, 4, 42, circuit_breaker_config=config)
    assert clusterer.method is M.HYBRID_RESERVOIR
    assert clusterer.circuit_breaker_config is config
    assert clusterer.circuit_breaker.state is CircuitBreakerState.CLOSED
    assert isinstance(clusterer.retry_manager, RetryManager)
    assert (clusterer.retry_manager.max_retries, clusterer.retry_manager.base_delay) == (2, 1)
    for name in ("scaler", "cluster_labels", "feature_data", "last_error", "gpu_ops", "cache"):
        assert getattr(clusterer, name) is None, name
    assert (clusterer.trained, clusterer.fallback_used) == (False, False)

    clusterer.fit(energies)
    assert clusterer.trained
    values = energies.to_numpy()
    np.testing.assert_allclose(clusterer.scaler.mean_, values.mean(axis=0))
    np.testing.assert_allclose(clusterer.scaler.scale_, values.std(axis=0))
    scaled = clusterer.scaler.transform(values)
    np.testing.assert_allclose(scaled.std(axis=0), 1)
    np.testing.assert_array_equal(clusterer.cluster_labels, clusterer.labels_)
    np.testing.assert_array_equal(clusterer.feature_data, values)


def test_settings_that_are_not_given_are_the_common_ones():
    clusterer = NeuromorphicClusterer()
    assert (clusterer.enable_gpu, clusterer.enable_caching, clusterer.cache_ttl) == (
        True, True, 3600,
    )  # fmt: skip
    given = NeuromorphicClusterer(enable_gpu=False, enable_caching=False, cache_ttl=0)
    assert (given.enable_gpu, given.enable_caching, given.cache_ttl) == (False, False, 3600)
    assert clone(given).get_params() == given.get_params()


def test_the_default_breaker():
    clusterer = NeuromorphicClusterer()
    breaker = clusterer.circuit_breaker
    assert breaker is clusterer.circuit_breaker
    assert isinstance(breaker, CircuitBreaker)
    assert (breaker.failure_count, breaker.last_failure_time) == (0, None)
    assert breaker.get_status()["state"] == "closed"
    assert breaker.config.failure_threshold == 3
    assert breaker.config.recovery_timeout == 120
    assert breaker.config.expected_exception is NeuromorphicException


def test_it_is_an_estimator_like_the_other(energies):
    clusterer = NeuromorphicClusterer(n_clusters=3, esn_params={"reservoir_size": 20})
    copy = clone(clusterer)
    assert type(copy) is NeuromorphicClusterer
    assert copy.get_params() == clusterer.get_params()
    assert len(set(copy.fit_predict(energies))) == 3
    signature = inspect.signature(NeuromorphicClusterer.__init__)
    assert "_networks" not in signature.parameters


def test_bad_parameters_of_a_network_are_a_resource_error(energies):
    clusterer = NeuromorphicClusterer(esn_params={"random_state": 1})
    with pytest.raises(NeuromorphicException) as refused:
        clusterer.fit(energies)
    assert refused.value.error_type is NeuromorphicErrorType.RESOURCE_ERROR
    assert refused.value.context["method"] == "hybrid_reservoir"
    assert set(refused.value.context["component_params"]) == {
        "esn_params",
        "snn_params",
        "lsm_params",
    }


@pytest.mark.parametrize("use", ["predict", "get_cluster_assignments"])
@pytest.mark.parametrize("kind", [ValueError, AttributeError])
def test_asking_before_the_fit_is_an_error(use, kind, energies):
    given = [energies] if use == "predict" else []
    with pytest.raises(kind, match="fit"):
        getattr(NeuromorphicClusterer(), use)(*given)


def test_traits_are_what_they_are_said_to_be(energies):
    clusterer = NeuromorphicClusterer(n_clusters=4).fit(energies)
    labels = clusterer.get_cluster_assignments()
    for cluster, traits in clusterer.get_cluster_interpretation().items():
        own = energies[labels == cluster]
        means = (own[ENERGIES].mean() / 100).to_numpy()
        names = ("assertiveness", "analytical", "supportive", "enthusiastic")
        np.testing.assert_allclose([traits[name] for name in names], means)
        entropies = []
        for column in ENERGIES:
            counts = np.histogram(own[column], bins=9, range=(0, 100))[0]
            p = counts[counts > 0] / len(own)
            entropies.append(-(p * np.log(p)).sum() / np.log(9))
        assert traits["complexity"] == pytest.approx(np.mean(entropies))
        assert traits["stability"] == pytest.approx(min(1, len(own) * 4 / len(energies)))


def test_metrics_are_measured(energies):
    clusterer = NeuromorphicClusterer(n_clusters=4).fit(energies)
    found = clusterer.get_clustering_metrics()
    means = energies.groupby(clusterer.labels_).mean().to_numpy()
    i, j = np.triu_indices(4, 1)
    apart = np.linalg.norm(means[i] - means[j], axis=1).mean() / 100
    assert found.interpretability_score == pytest.approx(min(1, apart))
    assert found.cluster_stability == pytest.approx(1.0)
    assert 0 < found.computational_efficiency < 1
    one = NeuromorphicClusterer(n_clusters=1).fit(energies).get_clustering_metrics()
    assert (one.silhouette_score, one.calinski_harabasz_score) == (-1.0, 0.0)
    assert (one.cluster_stability, one.interpretability_score) == (1.0, 0.0)
    assert one.temporal_coherence == 1.0


def test_the_coherence_of_rows_is_how_many_noisy_steps_keep_the_label(energies):
    apart = NeuromorphicClusterer(n_clusters=4).fit(energies).get_clustering_metrics()
    assert apart.temporal_coherence > 0.99
    rng = np.random.default_rng(0)
    mixed = pd.DataFrame(rng.uniform(0, 100, (80, 4)), columns=ENERGIES)
    clusterer = NeuromorphicClusterer(n_clusters=8).fit(mixed)
    found = clusterer.get_clustering_metrics().temporal_coherence
    assert 0.3 < found < 0.99
    assert clusterer.get_clustering_metrics().temporal_coherence == found


def test_archetypes_are_found_as_k_means_finds_them():
    rng = np.random.default_rng(1)
    centers = np.array([(80, 10, 10, 20), (15, 75, 15, 20), (20, 15, 80, 15), (10, 20, 20, 85)])
    truth = np.repeat(np.arange(4), 25)
    table = pd.DataFrame(centers[truth] + rng.normal(0, 4, (100, 4)), columns=ENERGIES)
    for method in M:
        labels = NeuromorphicClusterer(method=method, n_clusters=4).fit(table).labels_
        pairs = set(zip(truth.tolist(), labels.tolist(), strict=True))
        assert len(pairs) == 4


def test_numpy_keeps_its_own_random_numbers(energies):
    np.random.seed(3)  # noqa: NPY002 (the state that older code disturbed)
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    NeuromorphicClusterer(n_clusters=4).fit(energies)
    assert np.random.random() == expected  # noqa: NPY002


def test_errors_carry_the_correlation_id(energies):
    def call():
        set_correlation_id("job-17")
        assert get_correlation_id() == "job-17"
        with pytest.raises(NeuromorphicException) as refused:
            NeuromorphicClusterer(n_clusters=4).fit(energies.iloc[:2])
        assert refused.value.correlation_id == "job-17"

    copy_context().run(call)
