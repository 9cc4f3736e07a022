"""Tests a user of the older clusterer may have; only their import lines name Holdfast."""

# ruff: noqa: NPY002 (older code seeds NumPy's state and replaces private methods)

import threading
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from holdfast.compat.insights_clustering.clustering import KMeansClusterer
from holdfast.compat.insights_clustering.neuromorphic_clustering import (
    CircuitBreakerConfig,
    CircuitBreakerState,
    EchoStateNetwork,
    NeuromorphicClusterer,
    NeuromorphicClusteringMethod,
    NeuromorphicErrorType,
    NeuromorphicException,
    SpikingNeuralCluster,
    get_correlation_id,
    set_correlation_id,
)

ENERGIES = ["red_energy", "blue_energy", "green_energy", "yellow_energy"]


@pytest.fixture
def sample_data():
    np.random.seed(42)
    return pd.DataFrame({name: np.random.uniform(0, 100, 50) for name in ENERGIES})


def exception(**changed):
    facts = {
        "error_type": NeuromorphicErrorType.MEMORY_ERROR,
        "correlation_id": "c1",
        "context": {"rows": 1},
        "recoverable": False,
    }
    return NeuromorphicException("boom", **{**facts, **changed})


class TestEchoStateNetwork:
    def test_spectral_radius(self):
        esn = EchoStateNetwork(reservoir_size=50, spectral_radius=0.9, sparsity=0.2)
        assert np.max(np.abs(np.linalg.eigvals(esn.W_res))) <= 0.9 + 1e-6
        assert np.all(esn.state == 0)

    def test_states_stay_within_one(self):
        state = EchoStateNetwork(reservoir_size=30).update_state(np.array([0.5, 0.3, 0.2, 0.8]))
        assert np.all(np.abs(state) <= 1)
        assert not np.allclose(state, 0)


class TestSpikingNeuralCluster:
    def test_silence_is_no_error(self):
        snn = SpikingNeuralCluster(n_neurons=20)
        trains = snn.encode_input(np.zeros(4))
        assert len(trains) == 4
        assert snn.simulate_dynamics(trains).sum() == 0


class TestNeuromorphicClusterer:
    @pytest.mark.parametrize("method", NeuromorphicClusteringMethod, ids=str)
    def test_fit_and_everything_after(self, method, sample_data):
        clusterer = NeuromorphicClusterer(method=method, n_clusters=3, random_state=42)
        assert clusterer.fit(sample_data) is clusterer
        labels = clusterer.get_cluster_assignments()
        assert len(labels) == 50
        assert set(labels) <= {0, 1, 2}
        metrics = clusterer.get_clustering_metrics()
        assert -1 <= metrics.silhouette_score <= 1
        assert metrics.calinski_harabasz_score >= 0
        assert 0 <= metrics.cluster_stability <= 1
        assert 0 <= metrics.interpretability_score <= 1
        assert 0 <= metrics.computational_efficiency <= 1
        for traits in clusterer.get_cluster_interpretation().values():
            assert all(0 <= value <= 1 for value in traits.values())
        assert len(clusterer.predict(sample_data.iloc[:5])) == 5

    def test_same_seed_same_labels(self, sample_data):
        fits = [NeuromorphicClusterer(random_state=1).fit(sample_data) for _ in range(2)]
        assert np.array_equal(*[fit.get_cluster_assignments() for fit in fits])

    def test_order_of_rows(self, sample_data):
        order = np.random.permutation(50)
        labels = NeuromorphicClusterer().fit(sample_data).get_cluster_assignments()
        shuffled = NeuromorphicClusterer().fit(sample_data.iloc[order])
        assert np.array_equal(shuffled.get_cluster_assignments(), labels[order])

    def test_before_fit(self, sample_data):
        clusterer = NeuromorphicClusterer()
        with pytest.raises(ValueError, match="fit"):
            clusterer.predict(sample_data)
        with pytest.raises(ValueError, match="fit"):
            clusterer.get_cluster_assignments()
        with pytest.raises(ValueError, match="fit"):
            clusterer.get_clustering_metrics()
        with pytest.raises(ValueError, match="fit"):
            clusterer.get_cluster_interpretation()

    def test_empty_table(self):
        with pytest.raises(NeuromorphicException) as refused:
            NeuromorphicClusterer().fit(pd.DataFrame())
        assert refused.value.error_type == NeuromorphicErrorType.DIMENSION_ERROR
        assert refused.value.context["features_shape"] == (0, 0)

    def test_fallback_keeps_the_error(self, sample_data):
        clusterer = NeuromorphicClusterer(n_clusters=3, enable_fallback=True)
        with mock.patch.object(
            clusterer, "_extract_neuromorphic_features_safe", side_effect=exception()
        ):
            clusterer.fit(sample_data)
        assert clusterer.trained
        assert clusterer.fallback_used
        assert clusterer.last_error.error_type == NeuromorphicErrorType.MEMORY_ERROR
        assert (clusterer.last_error.correlation_id, clusterer.last_error.context) == (
            "c1",
            {"rows": 1},
        )
        assert len(clusterer.predict(sample_data)) == 50

    def test_without_fallback(self, sample_data):
        clusterer = NeuromorphicClusterer(n_clusters=3, enable_fallback=False)
        failing = mock.patch.object(
            clusterer, "_extract_neuromorphic_features_safe", side_effect=exception()
        )
        with failing, pytest.raises(NeuromorphicException, match="memory_error: boom"):
            clusterer.fit(sample_data)

    def test_breaker_opens_and_the_fallback_comes_at_once(self, sample_data):
        config = CircuitBreakerConfig(
            failure_threshold=2, recovery_timeout=60, expected_exception=NeuromorphicException
        )
        clusterer = NeuromorphicClusterer(n_clusters=3, circuit_breaker_config=config)
        with mock.patch.object(
            clusterer, "_extract_neuromorphic_features_safe", side_effect=exception()
        ) as extract:
            for _ in range(3):
                assert clusterer.fit(sample_data).fallback_used
        assert extract.call_count == 2
        assert clusterer.circuit_breaker.state == CircuitBreakerState.OPEN
        assert clusterer.fit(sample_data).fallback_used
        assert "Circuit breaker is open" in str(clusterer.last_error)
        assert clusterer.last_error.context["failure_count"] == 2

    def test_few_and_many_gaps(self, sample_data):
        sample_data.iloc[:5, 0] = np.nan
        with pytest.warns(UserWarning, match="missing"):
            assert not NeuromorphicClusterer(n_clusters=3).fit(sample_data).fallback_used
        sample_data.iloc[:40, 0] = np.nan
        with pytest.raises(NeuromorphicException, match="80%"):
            NeuromorphicClusterer(n_clusters=3).fit(sample_data)

    def test_threads_have_ids_of_their_own(self, sample_data):
        seen = []

        def work(name):
            set_correlation_id(name)
            labels = NeuromorphicClusterer(n_clusters=3).fit(sample_data).labels_
            seen.append((get_correlation_id(), len(set(labels))))

        threads = [threading.Thread(target=work, args=(f"t{i}",)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(seen) == [(f"t{i}", 3) for i in range(4)]

    def test_settings_are_stored(self, sample_data):
        clusterer = NeuromorphicClusterer(
            n_clusters=3,
            enable_gpu=False,
            enable_caching=True,
            cache_ttl=100,
            optimization_level="aggressive",
        )
        assert clusterer.enable_gpu is False
        assert (clusterer.cache_ttl, clusterer.optimization_level) == (100, "aggressive")
        assert clusterer.fit(sample_data).trained


class TestKMeansClusterer:
    def test_everything(self, sample_data):
        clusterer = KMeansClusterer(n_clusters=4, random_state=42).fit(sample_data)
        assert clusterer.get_cluster_assignments().dtype == np.int32
        centroids = clusterer.get_cluster_centroids()
        assert list(centroids.columns) == ENERGIES
        assert list(centroids.index) == [f"Cluster_{i}" for i in range(4)]
        assert set(clusterer.get_cluster_quality_metrics()) == {
            "silhouette_score",
            "calinski_harabasz_score",
            "inertia",
            "cluster_size_std",
        }
        assert ("red_energy", "mean") in clusterer.get_cluster_summary().columns
        labels = clusterer.predict(sample_data)
        assert list(clusterer.find_optimal_clusters(sample_data, max_clusters=5)) == [
            2,
            3,
            4,
            5,
        ]
        assert np.array_equal(clusterer.predict(sample_data), labels)

    def test_more_candidates_than_rows(self, sample_data):
        found = KMeansClusterer().find_optimal_clusters(sample_data.iloc[:5], max_clusters=10)
        assert list(found) == [2, 3, 4]

    def test_errors(self, sample_data):
        with pytest.raises(ValueError, match="at least 60 rows"):
            KMeansClusterer(n_clusters=60).fit(sample_data)
        with pytest.raises(ValueError, match="team"):
            KMeansClusterer().fit(sample_data.assign(team="a"))
        with pytest.raises(ValueError, match="fit"):
            KMeansClusterer().predict(sample_data)
