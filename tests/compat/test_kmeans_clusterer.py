import logging

import numpy as np
import pandas as pd
import pytest

from holdfast.clustering import adjusted_rand_score
from holdfast.compat import KMeansClusterer
from holdfast.errors import InvalidParameterError, MissingValuesWarning

TRUTH = np.repeat(range(4), 20)


def test_labels_are_the_clusters_and_what_predict_says(energies):
    clusterer = KMeansClusterer(n_clusters=4, random_state=42)
    assert clusterer.fit(energies) is clusterer
    labels = clusterer.get_cluster_assignments()
    assert labels.dtype == np.int32
    assert adjusted_rand_score(TRUTH, labels) == 1.0
    np.testing.assert_array_equal(clusterer.predict(energies), labels)
    np.testing.assert_array_equal(clusterer.cluster_labels, labels)
    assert clusterer.feature_data is energies
    assert clusterer.scaled_data.std(axis=0) == pytest.approx(1.0)


def test_centroids_are_the_means_in_the_units_of_the_data(energies):
    clusterer = KMeansClusterer().fit(energies)
    centroids = clusterer.get_cluster_centroids()
    assert list(centroids.index) == [f"Cluster_{c}" for c in range(4)]
    assert list(centroids.columns) == list(energies.columns)
    means = energies.groupby(clusterer.cluster_labels).mean()
    np.testing.assert_allclose(centroids.to_numpy(), means.to_numpy())


def test_quality_metrics_and_summary_have_their_keys(energies):
    clusterer = KMeansClusterer().fit(energies)
    metrics = clusterer.get_cluster_quality_metrics()
    assert set(metrics) == {
        "silhouette_score",
        "calinski_harabasz_score",
        "inertia",
        "cluster_size_std",
    }
    assert metrics["cluster_size_std"] == 0.0
    same = clusterer.get_clustering_metrics().silhouette_score
    assert same == metrics["silhouette_score"] > 0.5
    summary = clusterer.get_cluster_summary()
    assert summary[("red_energy", "count")].tolist() == [20] * 4
    assert list(summary.columns.levels[1]) == ["mean", "std", "count"]
    one = KMeansClusterer(1).fit(energies).get_cluster_quality_metrics()
    assert set(one) == {"inertia", "cluster_size_std"}


@pytest.mark.parametrize("search", ["find_optimal_clusters", "find_optimal_clusters_parallel"])
def test_the_search_for_a_number_scores_all_and_changes_nothing(search, energies):
    clusterer = KMeansClusterer().fit(energies)
    before = clusterer.predict(energies)
    scored = getattr(clusterer, search)(energies * 2 + 1, max_clusters=6)
    assert list(scored) == [2, 3, 4, 5, 6]
    assert max(scored, key=lambda k: scored[k]["silhouette_score"]) == 4
    assert set(scored[2]) == {"inertia", "silhouette_score", "calinski_harabasz_score"}
    np.testing.assert_array_equal(clusterer.predict(energies), before)
    assert list(getattr(clusterer, search)(energies.iloc[:4], max_clusters=9)) == [2, 3]


def test_many_frames_are_fitted_at_a_time(energies):
    fitted = KMeansClusterer().batch_fit([energies, energies.iloc[:40]], [4, 2])
    assert [len(set(c.get_cluster_assignments().tolist())) for c in fitted] == [4, 2]
    with pytest.raises(InvalidParameterError, match="n_clusters_list must have one number"):
        KMeansClusterer().batch_fit([energies], [1, 2])


def test_batches_move_the_centres_to_where_a_whole_fit_puts_them(energies):
    mixed = energies.iloc[np.random.default_rng(0).permutation(80)]
    batched = KMeansClusterer().incremental_fit(mixed, batch_size=20)
    whole = KMeansClusterer().fit(mixed)
    assert adjusted_rand_score(batched.cluster_labels, whole.cluster_labels) == 1.0
    found = np.sort(batched.get_cluster_centroids().to_numpy(), axis=0)
    expected = np.sort(whole.get_cluster_centroids().to_numpy(), axis=0)
    np.testing.assert_allclose(found, expected, atol=1.0)


def test_single_precision_gives_the_same_clusters(energies):
    small = KMeansClusterer(memory_efficient=True).fit(energies)
    assert small.scaled_data.dtype == np.float32
    large = KMeansClusterer().fit(energies)
    assert adjusted_rand_score(small.cluster_labels, large.cluster_labels) == 1.0


@pytest.mark.parametrize(
    ("value", "message"),
    [(np.nan, "1 missing values were set to the mean"), (np.inf, "1 infinite values were set")],
)
def test_gaps_and_infinities_are_filled_with_a_warning(value, message, energies):
    table = energies.copy()
    table.iloc[3, 1] = value
    with pytest.warns(MissingValuesWarning, match=message):
        clusterer = KMeansClusterer().fit(table)
    assert adjusted_rand_score(TRUTH, clusterer.cluster_labels) > 0.9


BAD = {
    "None": (None, "features must be a pandas DataFrame, got NoneType"),
    "empty": (pd.DataFrame(), "features must not be empty"),
    "too few rows": (pd.DataFrame({"a": [1.0]}), "at least 4 rows, got 1"),
    "text": (
        pd.DataFrame({"a": range(5), "b": list("vwxyz"), "c": list("12345")}),
        r"numeric, got other columns: \['b', 'c'\]",
    ),
    "no value": (pd.DataFrame({"a": range(5), "b": [np.nan] * 5}), "column 'b' must have"),
}


@pytest.mark.parametrize(("data", "message"), BAD.values(), ids=BAD)
def test_frames_that_cannot_be_used_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        KMeansClusterer().fit(data)


def test_using_it_before_fit_is_an_error(energies):
    clusterer = KMeansClusterer()
    for use in (lambda: clusterer.predict(energies), clusterer.get_cluster_assignments):
        with pytest.raises(ValueError, match="KMeansClusterer instance is not fitted yet"):
            use()
    with pytest.raises(InvalidParameterError, match=r"batch_size must be .* got 0"):
        clusterer.incremental_fit(energies, batch_size=0)


def test_another_number_of_columns_is_refused(energies):
    with pytest.raises(ValueError, match="must have 4 columns, got 3"):
        KMeansClusterer().fit(energies).predict(energies.iloc[:, :3])


def test_poor_clusters_are_logged(caplog):
    rows = pd.DataFrame(np.random.default_rng(0).uniform(size=(60, 6)))
    with caplog.at_level(logging.WARNING, logger="holdfast.compat"):
        KMeansClusterer(3).fit(rows)
    assert "poorly separated" in caplog.text
