"""What would not fit is refused, and what is kept is bounded."""

import numpy as np
import pytest

from holdfast import KMeans, NeuromorphicClusterer, _limits
from holdfast.clustering import (
    DBSCAN,
    EchoStateNetwork,
    GaussianMixture,
    LIFNetwork,
    LiquidStateMachine,
    SpikingNeuralCluster,
    adjusted_rand_score,
)
from holdfast.clustering._data.arrays import Rows, Sequences
from holdfast.clustering._data.kept import keep, places_of
from holdfast.errors import MemoryBudgetError

SILENT = [[], [], [], []]
TOO_LARGE = {
    "recurrent weights": (lambda: EchoStateNetwork(10**7).W_res, "W_res", "GiB"),
    "input weights": (lambda: EchoStateNetwork(10**6, 10**9).W_in, "W_in of shape (1000000,"),
    "a liquid": (lambda: LiquidStateMachine(10**7).W_liquid, "W_liquid", "(10000000,"),
    "spiking weights": (lambda: SpikingNeuralCluster(10**7).lateral_weights, "the weights"),
    "spikes": (
        lambda: SpikingNeuralCluster(10_000).simulate_dynamics(SILENT, 1e9),
        "the spikes of shape (10000, 1000000000) would need 18,626.5 GiB",
        "this process may use",
    ),
    "a batch of spikes": (
        lambda: SpikingNeuralCluster(1000).simulate_batch([SILENT] * 1000, 1e9),
        "the spikes of shape (1000, 1000, 1000000000)",
    ),
    "features of spikes": (
        lambda: SpikingNeuralCluster(10_000, n_jobs=1).transform(np.zeros((2, 4)), 1e9),
        "the spikes of all threads of shape (1, 10000, 1000000000)",
    ),
    "a layer's weights": (lambda: LIFNetwork(10**7).W_rec, "the weights of shape (10000000,"),
    "learning": (
        lambda: SpikingNeuralCluster(10_000).learn(SILENT, 1e9),
        "the spikes of shape (10000,",
    ),
}


@pytest.mark.parametrize("case", TOO_LARGE.values(), ids=TOO_LARGE)
def test_what_would_not_fit_is_refused_with_its_size(case):
    call, *parts = case
    with pytest.raises(MemoryBudgetError) as refused:
        call()
    for part in parts:
        assert part in str(refused.value)
    assert isinstance(refused.value, MemoryError)


SMALL = {
    "states": (lambda _: EchoStateNetwork(9, 1).process_sequence(np.zeros(999)), "the states"),
    "batches": (lambda _: EchoStateNetwork(9, 1).process_batch([np.zeros(999)]), "the states"),
    "features": (
        lambda _: EchoStateNetwork(9, 1).transform(np.zeros((400, 9))),
        "the features",
    ),
    "a layer's spikes": (lambda _: LIFNetwork(90, 1).simulate([np.zeros(999)]), "the spikes"),
    "a tree": (lambda _: DBSCAN().fit(np.zeros((9000, 2))), "the tree of the rows"),
    "covariances": (lambda _: GaussianMixture(9).fit(np.zeros((90, 40))), "the covariances"),
    "sums": (lambda _: KMeans(90).fit(np.zeros((90, 40))), "the sums of the clusters"),
    "distances": (lambda kmeans: kmeans.transform(np.zeros((900, 2))), "the distances"),
}


def fitted_kmeans():
    return KMeans(9, random_state=0).fit(np.random.default_rng(0).normal(size=(90, 2)))


@pytest.mark.parametrize(("call", "message"), SMALL.values(), ids=SMALL)
def test_a_bound_on_the_process_is_respected(call, message, monkeypatch):
    kmeans = fitted_kmeans()
    monkeypatch.setattr(_limits, "memory", lambda: 30_000.0)
    with pytest.raises(MemoryBudgetError, match=message):
        call(kmeans)


def test_features_that_would_not_fit_end_in_the_fallback(waves, monkeypatch):
    monkeypatch.setattr(_limits, "memory", lambda: 10_000.0)
    clusterer = NeuromorphicClusterer(n_clusters=3).fit(waves)
    assert clusterer.fallback_used
    assert clusterer.last_error.error_type.value == "memory_error"


def test_a_machine_has_memory():
    assert _limits.memory() > 2**20


def test_a_small_table_is_kept_whole_as_a_copy(energies):
    values = energies.to_numpy().copy()
    clusterer = NeuromorphicClusterer().fit(values)
    before = clusterer.get_clustering_metrics().silhouette_raw
    values[:] = 0.0
    assert clusterer.get_clustering_metrics().silhouette_raw == before


def test_of_a_large_table_no_more_than_a_sample_is_kept():
    rng = np.random.default_rng(0)
    truth = np.arange(30_000) % 3
    rows = rng.normal(size=(30_000, 4)) + 9 * truth[:, None]
    clusterer = NeuromorphicClusterer(n_clusters=3).fit(rows)
    assert clusterer.feature_data.shape == (10_000, 4)
    assert not np.shares_memory(clusterer.feature_data, rows)
    assert adjusted_rand_score(truth, clusterer.labels_) == 1.0
    described = clusterer.get_cluster_interpretation()
    assert sum(facts["size"] for facts in described.values()) == 30_000
    means = sorted(facts["mean"]["x0"] for facts in described.values())
    exact = sorted(rows[truth == c, 0].mean() for c in range(3))
    np.testing.assert_allclose(means, exact)
    metrics = clusterer.get_clustering_metrics()
    assert metrics.silhouette_score > 0.5
    assert metrics.cluster_stability == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("n", "length", "count"), [(5, 9, 5), (20_000, 2, 10_000), (500, 40_000, 100)]
)
def test_kept_samples_are_bounded_and_where_they_are_said_to_be(n, length, count):
    values = np.broadcast_to(np.arange(n)[:, None], (n, length))
    series = Sequences(values.reshape(-1, 1).astype(float), np.full(n, length))
    for data in (Rows(values.astype(float), []), series):
        kept = keep(data)
        assert len(kept) == count
        first = kept.values.reshape(count, length)[:, 0]
        np.testing.assert_array_equal(first, places_of(n, count))
    assert len(set(places_of(n, count).tolist())) == count
