import numpy as np
import pytest
from numpy.testing import assert_allclose

from holdfast.clustering import _scores
from holdfast.errors import InvalidDataError

metrics = pytest.importorskip("sklearn.metrics")
RNG = np.random.default_rng(0)
SETS = {
    "random": (RNG.normal(size=(700, 4)), RNG.integers(0, 5, 700)),
    "singletons": (RNG.normal(size=(8, 2)), np.array([0, 1, 2, 3, 4, 4, 4, 4])),
    "equal rows": (np.zeros((9, 2)), np.arange(9) % 2),
    "names": (RNG.normal(size=(30, 3)), np.array(list("abc") * 10)),
}


@pytest.mark.parametrize(
    "score", ["silhouette_score", "calinski_harabasz_score", "davies_bouldin_score"]
)
@pytest.mark.parametrize("name", SETS)
def test_scores_of_one_clustering_are_those_of_scikit_learn(score, name):
    X, labels = SETS[name]
    expected = getattr(metrics, score)(X, labels)
    assert_allclose(getattr(_scores, score)(X, labels), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("score", ["silhouette_score", "davies_bouldin_score"])
def test_an_offset_far_from_zero_costs_no_accuracy(score):
    X, labels = SETS["random"]
    offset = getattr(_scores, score)(X + 2.0**20, labels)
    assert_allclose(offset, getattr(metrics, score)(X, labels), rtol=1e-7)


@pytest.mark.parametrize("score", ["adjusted_rand_score", "normalized_mutual_info_score"])
@pytest.mark.parametrize(
    ("a", "b"),
    [
        (RNG.integers(0, 4, 90), RNG.integers(-3, 2, 90)),
        ([0, 0, 0], [0, 0, 0]),
        ([0, 1, 2], [0, 1, 2]),
        ([0, 0, 0], [0, 1, 2]),
        (["x", "y", "x"], [1, 1, 2]),
    ],
    ids=str,
)
def test_scores_of_two_clusterings_are_those_of_scikit_learn(score, a, b):
    expected = getattr(metrics, score)(a, b)
    assert_allclose(getattr(_scores, score)(a, b), expected, rtol=1e-9, atol=1e-12)


def test_a_large_silhouette_is_sampled_by_seed():
    X, labels = RNG.normal(size=(10_500, 2)), RNG.integers(0, 3, 10_500)
    sampled = _scores.silhouette_score(X, labels)
    assert sampled == _scores.silhouette_score(X, labels)
    assert sampled != _scores.silhouette_score(X, labels, random_state=1)


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]], ids=str)
def test_one_cluster_or_none_but_singletons_has_no_silhouette(labels):
    with pytest.raises(InvalidDataError, match="2 to n_samples - 1 = 2 clusters"):
        _scores.silhouette_score(np.eye(3), labels)
