import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn import metrics

from holdfast import clustering as ours
from holdfast.errors import InvalidDataError, InvalidParameterError

GEOMETRIC = [
    "silhouette_samples",
    "silhouette_score",
    "calinski_harabasz_score",
    "davies_bouldin_score",
]
PAIRED = ["adjusted_rand_score", "normalized_mutual_info_score"]

LONE = "all but one alone"
SINGLE = 1e-6  # distances of silhouettes are in single precision


def table(n=300, d=5, k=4, seed=0):
    random = np.random.default_rng(seed)
    labels = np.r_[np.arange(k), random.integers(0, k, n - k)]
    return random.standard_normal((n, d)) + labels[:, None], labels


def defined(X, labels):
    """Silhouettes by their definition, from distances without cancellation."""
    distances, labels = cdist(X, X), np.asarray(labels)
    widths = np.zeros(len(X))
    for i, own in enumerate(labels):
        same = labels == own
        if same.sum() < 2:
            continue
        a = distances[i, same].sum() / (same.sum() - 1)
        b = min(distances[i, labels == c].mean() for c in set(labels) - {own})
        widths[i] = (b - a) / max(a, b) if max(a, b) > 0 else 0.0
    return widths


TABLES = {
    "random": table(),
    "one column": table(d=1),
    "wide": table(d=200),
    LONE: table(n=30, k=29),
    "strings": (table()[0], np.array(["a", "b", "c", "dd"])[table()[1]]),
    "labels with gaps": (table()[0], table()[1] * 10 - 7),
    "lists": (table()[0].tolist(), table()[1].tolist()),
    "identical rows": (np.ones((20, 3)), np.arange(20) % 3),
    "identical rows in clusters": (
        np.repeat(np.eye(3), 10, axis=0),
        np.repeat([0, 1, 2], 10),
    ),
    "a lone row": (table(n=100)[0], np.r_[np.zeros(99), 1]),
}


@pytest.mark.parametrize("score", GEOMETRIC)
@pytest.mark.parametrize("case", TABLES)
def test_scores_of_tables_equal_scikit_learn(score, case):
    X, labels = TABLES[case]
    expected = getattr(metrics, score)(X, labels)
    found = getattr(ours, score)(X, labels)
    within = SINGLE if score.startswith("silhouette") else 1e-9
    if (score, case) == ("davies_bouldin_score", LONE):
        within = 1e-7  # scikit-learn cancels in the distance of a lone row to its own mean
    np.testing.assert_allclose(found, expected, rtol=within, atol=within)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**31), st.integers(5, 150), st.integers(1, 40), st.data())
def test_silhouettes_equal_their_definition(seed, n, d, data):
    X, labels = table(n, d, data.draw(st.integers(2, n - 1)), seed)
    np.testing.assert_allclose(
        ours.silhouette_samples(X, labels), defined(X, labels), atol=SINGLE
    )


@pytest.mark.parametrize("scale", [1e-200, 1e-20, 1.0, 1e100, 1e200])
def test_silhouettes_do_not_depend_on_scale(scale):
    X, labels = table()
    widths = ours.silhouette_samples(X * scale, labels)
    np.testing.assert_allclose(widths, defined(X, labels), atol=SINGLE)


@pytest.mark.parametrize("offset", [1e6, 1e12])
def test_silhouettes_do_not_depend_on_a_huge_offset(offset):
    X, labels = table()
    X = X + offset
    widths = ours.silhouette_samples(X, labels)
    np.testing.assert_allclose(widths, defined(X, labels), atol=SINGLE)


def test_two_tight_clusters_are_told_apart_beside_a_far_one():
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 30)
    X = random.standard_normal((90, 4)) * 1e-4
    X[labels == 1] += 1e-3
    X[labels == 2] += 1e5
    np.testing.assert_allclose(
        ours.silhouette_samples(X, labels), defined(X, labels), atol=SINGLE
    )


@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_other_dtypes_are_scored_as_the_numbers_they_hold(dtype):
    X, labels = table()
    X = (X * 10).astype(dtype)
    widths = ours.silhouette_samples(X, labels)
    np.testing.assert_allclose(widths, defined(X.astype(float), labels), atol=SINGLE)


def test_silhouettes_are_the_same_on_any_number_of_threads():
    X, labels = table(n=1000)
    one, many = (ours.silhouette_samples(X, labels, n_jobs=n) for n in (1, 4))
    np.testing.assert_array_equal(one, many)


@pytest.mark.parametrize("size", [50, 299, 300, 1000])
def test_a_sample_is_the_one_scikit_learn_draws(size):
    X, labels = table()
    found = ours.silhouette_score(X, labels, sample_size=size, random_state=3)
    drawn = min(size, len(X))
    theirs = metrics.silhouette_score(X, labels, sample_size=drawn, random_state=3)
    assert found == pytest.approx(theirs, abs=SINGLE)


def test_more_than_ten_thousand_rows_are_sampled_unless_told_otherwise():
    X, labels = table(n=10_001, d=2)
    auto = ours.silhouette_score(X, labels)
    assert auto == ours.silhouette_score(X, labels, sample_size=10_000)
    exact = ours.silhouette_score(X, labels, sample_size=None)
    assert exact == ours.silhouette_samples(X, labels).mean()
    assert auto != exact


@pytest.mark.parametrize("score", PAIRED)
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([0, 0, 1, 1], [1, 1, 0, 0]),
        ([0, 0, 1, 2], [0, 0, 1, 1]),
        ([0, 0, 0, 0], [0, 1, 2, 3]),
        ([0, 0, 0], [0, 0, 0]),
        ([0, 1, 2], [0, 1, 2]),
        (["a", "b", "a"], ["x", "x", "y"]),
        ([0], [0]),
        ([], []),
    ],
)
def test_scores_of_pairs_equal_scikit_learn(score, first, second):
    expected = getattr(metrics, score)(first, second)
    assert getattr(ours, score)(first, second) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("score", PAIRED)
@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 5)), min_size=1))
def test_scores_of_random_pairs_equal_scikit_learn(score, pairs):
    first, second = zip(*pairs, strict=True)
    expected = getattr(metrics, score)(first, second)
    assert getattr(ours, score)(first, second) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("score", PAIRED)
def test_as_many_labels_as_rows_take_no_square_of_memory(score):
    labels = np.arange(200_000)
    assert getattr(ours, score)(labels, labels[::-1]) == pytest.approx(1.0)


@pytest.mark.parametrize("score", GEOMETRIC)
@pytest.mark.parametrize(
    ("X", "labels", "message"),
    [
        (np.zeros((4, 2)), [0, 0, 0, 0], "got 1"),
        (np.zeros((4, 2)), [0, 1, 2, 3], "got 4"),
        (np.zeros((4, 2)), [0, 1, 0], r"shape \(4,\)"),
        (np.zeros(4), [0, 1, 0, 1], "2D"),
        ([[0.0], [np.nan], [1.0]], [0, 1, 0], "NaN"),
        ([[0.0], [np.inf], [1.0]], [0, 1, 0], "NaN or infinity"),
    ],
)
def test_unusable_tables_are_refused(score, X, labels, message):
    with pytest.raises(InvalidDataError, match=message):
        getattr(ours, score)(X, labels)


@pytest.mark.parametrize("size", [0, -1, 1.5, "all", True])
def test_an_unusable_sample_size_is_refused(size):
    with pytest.raises(InvalidParameterError, match="sample_size"):
        ours.silhouette_score(*table(), sample_size=size)


@pytest.mark.parametrize("score", PAIRED)
def test_labels_of_different_lengths_are_refused(score):
    with pytest.raises(InvalidDataError, match="one length"):
        getattr(ours, score)([0, 1], [0, 1, 1])
