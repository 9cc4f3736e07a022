import pickle
import subprocess
import sys

import numpy as np
import pytest

from holdfast import KMeans, NeuromorphicClusterer, _core
from holdfast.clustering import NeuromorphicClusteringMethod, adjusted_rand_score
from holdfast.clustering._selection import _simplest
from holdfast.errors import (
    FewerClustersWarning,
    NeuromorphicErrorType,
    NeuromorphicException,
)

METHODS = ["esn", "snn", "lsm", "hybrid"]
TRUTH = np.arange(30) % 3


@pytest.fixture
def broken(monkeypatch):
    """A clusterer whose features cannot be computed."""

    def fail(*args, **kwargs):
        raise MemoryError("no room")

    monkeypatch.setattr(_core, "learn_dictionary", fail)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_tells_three_frequencies_apart(method, waves):
    clusterer = NeuromorphicClusterer(method, n_clusters=3).fit(waves)
    assert adjusted_rand_score(TRUTH, clusterer.labels_) > 0.8
    assert not clusterer.fallback_used


@pytest.mark.parametrize("method", METHODS)
def test_prediction_of_the_training_data_is_the_labels(method, waves, energies):
    for data in (waves, energies):
        clusterer = NeuromorphicClusterer(method, n_clusters=3).fit(data)
        np.testing.assert_array_equal(clusterer.predict(data), clusterer.labels_)


def test_a_sample_depends_neither_on_the_batch_nor_on_the_order(waves):
    clusterer = NeuromorphicClusterer(n_clusters=3).fit(waves)
    together = clusterer.transform(waves)
    for i in (0, 7, 29):
        np.testing.assert_array_equal(clusterer.transform([waves[i]])[0], together[i])
    np.testing.assert_array_equal(clusterer.transform(waves[::-1])[::-1], together)


@pytest.mark.parametrize("method", METHODS)
def test_any_number_of_threads_gives_the_same_bits(method, waves):
    fits = [NeuromorphicClusterer(method, 3, n_jobs=n).fit(waves) for n in (1, 2, 5)]
    for other in fits[1:]:
        np.testing.assert_array_equal(fits[0].labels_, other.labels_)
        np.testing.assert_array_equal(fits[0].cluster_centers_, other.cluster_centers_)


def test_float32_and_float64_of_the_same_values_give_the_same_labels(waves):
    single = [wave.astype(np.float32) for wave in waves]
    double = [wave.astype(np.float64) for wave in single]
    labels = [NeuromorphicClusterer(n_clusters=3).fit(x).labels_ for x in (single, double)]
    np.testing.assert_array_equal(*labels)


@pytest.mark.parametrize("level", _core.simd_levels())
def test_every_instruction_set_agrees_on_clear_groups(level, waves):
    _core.force_simd_level(level)
    try:
        labels = NeuromorphicClusterer(n_clusters=3).fit(waves).labels_
    finally:
        _core.force_simd_level(None)
    assert adjusted_rand_score(TRUTH, labels) > 0.8


def test_the_older_interface(energies):
    clusterer = NeuromorphicClusterer(
        method=NeuromorphicClusteringMethod.HYBRID_RESERVOIR, n_clusters=4
    )
    assert not clusterer.trained
    assert clusterer.cluster_labels is None
    assert clusterer.fit(energies) is clusterer
    assert clusterer.trained
    assert clusterer.last_error is None
    assert set(clusterer.get_cluster_assignments().tolist()) == {0, 1, 2, 3}
    assert adjusted_rand_score(np.repeat(range(4), 20), clusterer.cluster_labels) == 1.0
    metrics = clusterer.get_clustering_metrics()
    for name in ("silhouette_score", "cluster_stability", "interpretability_score"):
        assert 0 <= getattr(metrics, name) <= 1
    assert metrics.temporal_coherence is None
    assert 0 < metrics.computational_efficiency < 1
    for described in clusterer.get_cluster_interpretation().values():
        assert all(0 <= value <= 1 for value in described.values())
        assert {"assertiveness", "complexity", "stability"} <= set(described)


def test_metrics_of_series_measure_coherence(waves):
    metrics = NeuromorphicClusterer(n_clusters=3).fit(waves).get_clustering_metrics()
    assert metrics.temporal_coherence > 0.5
    assert metrics.interpretability_score is None


def test_the_fallback_is_k_means_on_the_raw_data_and_keeps_the_error(broken, waves):
    clusterer = NeuromorphicClusterer(n_clusters=3).fit(waves)
    assert clusterer.fallback_used
    assert clusterer.last_error.error_type is NeuromorphicErrorType.MEMORY_ERROR
    assert isinstance(clusterer.last_error.__cause__, MemoryError)
    np.testing.assert_array_equal(clusterer.predict(waves), clusterer.labels_)


def test_a_later_success_clears_the_error(monkeypatch, waves):
    with monkeypatch.context() as patch:
        patch.setattr(_core, "learn_dictionary", lambda *a, **k: 1 / 0)
        clusterer = NeuromorphicClusterer(n_clusters=3).fit(waves)
    assert clusterer.fallback_used
    clusterer.fit(waves)
    assert not clusterer.fallback_used
    assert clusterer.last_error is None


def test_without_the_fallback_the_error_is_raised(broken, waves):
    with pytest.raises(NeuromorphicException, match="memory_error: MemoryError: no room"):
        NeuromorphicClusterer(n_clusters=3, enable_fallback=False).fit(waves)


def test_the_fallback_matches_k_means(broken):
    rng = np.random.default_rng(0)
    series = rng.normal(size=(40, 6, 1)) + np.repeat([0, 5], 20)[:, None, None]
    labels = NeuromorphicClusterer(n_clusters=2).fit(series).labels_
    kmeans = KMeans(2, n_init=10, random_state=0).fit(series[:, :, 0])
    assert adjusted_rand_score(labels, kmeans.labels_) == 1.0


def test_a_used_up_budget_ends_in_the_fallback(waves):
    clusterer = NeuromorphicClusterer(n_clusters=3, max_seconds=1e-9).fit(waves)
    assert clusterer.fallback_used
    assert clusterer.last_error.error_type is NeuromorphicErrorType.TIMEOUT_ERROR


def test_the_number_of_clusters_is_estimated_with_a_confidence(energies):
    clusterer = NeuromorphicClusterer(n_clusters=None).fit(energies)
    assert clusterer.n_clusters_ == 4
    assert clusterer.selection_.n_clusters == 4
    assert 0.5 < clusterer.selection_.confidence <= 1
    assert clusterer.selection_.candidates[0] == 2


def test_of_numbers_as_good_as_the_best_the_smallest_is_taken():
    good = np.tile([0.5, 0.7, 0.6], 40)
    widths = np.array([good - 0.4, good - 0.001, good, good - 0.0001])
    assert _simplest(widths) == 1
    assert _simplest(widths[::-1]) == 0


def test_fewer_distinct_samples_than_clusters_warn():
    rows = np.repeat([[0.0, 1.0], [5.0, 2.0]], 5, axis=0)
    with pytest.warns(FewerClustersWarning, match="found 2 clusters"):
        labels = NeuromorphicClusterer(n_clusters=3).fit(rows).labels_
    assert len(set(labels.tolist())) == 2


def test_one_sample_is_one_cluster():
    assert NeuromorphicClusterer(n_clusters=1).fit([[1.0, 2.0]]).labels_.tolist() == [0]


def test_channels_first_is_a_layout():
    rng = np.random.default_rng(0)
    series = rng.normal(size=(20, 50, 2)) + np.sin(np.arange(50) / 3)[:, None]
    labels = NeuromorphicClusterer(n_clusters=2).fit(series).labels_
    first = NeuromorphicClusterer(n_clusters=2, layout="nct").fit(series.transpose(0, 2, 1))
    np.testing.assert_array_equal(first.labels_, labels)


def test_partial_fit_moves_the_centres_and_forgetting_moves_them_more(energies):
    moved = []
    for forgetting in (0.0, 0.9):
        clusterer = NeuromorphicClusterer(n_clusters=4, forgetting=forgetting)
        before = clusterer.partial_fit(energies).cluster_centers_.copy()
        clusterer.partial_fit(energies + 3)
        moved.append(np.linalg.norm(clusterer.cluster_centers_ - before))
    assert 0 < moved[0] < moved[1]


def test_a_pickled_clusterer_predicts_the_same(waves):
    clusterer = NeuromorphicClusterer(n_clusters=3).fit(waves)
    again = pickle.loads(pickle.dumps(clusterer))
    np.testing.assert_array_equal(again.predict(waves), clusterer.labels_)


def test_the_html_summary_counts_the_clusters(waves):
    html = NeuromorphicClusterer(n_clusters=3, enable_gpu=True).fit(waves)._repr_html_()
    assert html.count("<svg") == 3
    assert "<td>device</td><td>cpu</td>" in html


def test_plot_draws_both_kinds(waves, energies):
    plt = pytest.importorskip("matplotlib.pyplot")
    for data in (waves, energies):
        axes = NeuromorphicClusterer(n_clusters=3).fit(data).plot()
        assert [bool(ax.has_data()) for ax in axes] == [True, True]
    plt.close("all")


@pytest.mark.parametrize("kind", ["embedding", "profiles"])
def test_the_legend_of_a_picture_stands_beside_it(kind, waves, energies):
    plt = pytest.importorskip("matplotlib.pyplot")
    for data in (waves, energies):
        ax = NeuromorphicClusterer(n_clusters=3).fit(data).plot(kind=kind)
        ax.figure.canvas.draw()
        legend = ax.get_legend()
        assert len(legend.get_texts()) == 3
        assert legend.get_window_extent().x0 >= ax.get_window_extent().x1
        assert legend.get_window_extent().x1 <= ax.figure.bbox.x1
    plt.close("all")


def test_a_legend_in_axes_of_ones_own_stays_inside_them(waves):
    plt = pytest.importorskip("matplotlib.pyplot")
    figure, ax = plt.subplots()
    assert NeuromorphicClusterer(n_clusters=3).fit(waves).plot(ax=ax) is ax
    figure.canvas.draw()
    assert ax.get_legend().get_window_extent().x1 <= ax.get_window_extent().x1
    plt.close("all")


FORKED = """
import multiprocessing, sys, numpy as np
from holdfast import NeuromorphicClusterer

def labels(_):
    rows = np.random.default_rng(0).normal(size=(60, 40, 1))
    return NeuromorphicClusterer(n_clusters=3).fit(rows).labels_.tolist()

if __name__ == "__main__":
    mine = labels(0)
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        assert pool.map(labels, range(2)) == [mine, mine]
    print("same")
"""


@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_children_of_a_process_that_has_fitted_agree_with_it(how, tmp_path):
    script = tmp_path / "children.py"
    script.write_text(FORKED)
    done = subprocess.run(
        [sys.executable, str(script), how],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stdout == "same\n", done.stderr
