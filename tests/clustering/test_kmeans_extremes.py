"""Numbers whose squares overflow or vanish, given to K-means."""

import numpy as np
import pytest
import sklearn.cluster

from holdfast import _core
from holdfast.clustering import KMeans, adjusted_rand_score
from holdfast.errors import InvalidDataError


@pytest.fixture(params=_core.simd_levels())
def simd_level(request):
    _core.force_simd_level(request.param)
    yield request.param
    _core.force_simd_level(None)


EXTREMES = [
    (np.float32, 1e-40),
    (np.float32, 1e-30),
    (np.float32, 1e15),
    (np.float32, 1e30),
    (np.float32, 5e36),
    (np.float64, 1e-300),
    (np.float64, 1e-30),
    (np.float64, 1e30),
    (np.float64, 1e38),
    (np.float64, 1e150),
]


@pytest.mark.parametrize(("dtype", "scale"), EXTREMES, ids=str)
@pytest.mark.parametrize("init", ["k-means++", "plain-k-means++", "random", "given"])
def test_numbers_of_any_size_give_the_labels_of_ordinary_ones(dtype, scale, init, simd_level):
    corners = np.vstack([np.zeros(3), 12 * np.eye(3)])[np.arange(400) % 4]
    plain = corners + np.random.default_rng(0).uniform(-2, 2, (400, 3))
    X = (plain * scale).astype(dtype)
    start = X[:4] if init == "given" else init
    ours = KMeans(4, init=start, n_init=20, tol=0.0, random_state=0).fit(X)
    # Its squares would overflow or vanish: scikit-learn gets the same digits.
    digits = (X.astype(np.longdouble) / scale).astype(float)
    start = digits[:4] if init == "given" else "k-means++"
    same = {"init": start, "n_init": 1 if init == "given" else 10, "tol": 0.0}
    theirs = sklearn.cluster.KMeans(4, random_state=0, **same).fit(digits)
    assert adjusted_rand_score(theirs.labels_, ours.labels_) == 1.0
    inertia = float(np.longdouble(theirs.inertia_) * np.longdouble(scale) ** 2)
    assert ours.inertia_ == pytest.approx(inertia, rel=1e-5, abs=0)
    assert ours.score(X) == pytest.approx(-inertia, rel=1e-5, abs=0)
    np.testing.assert_array_equal(ours.predict(X), ours.labels_)
    distances = ours.transform(X)
    np.testing.assert_array_equal(distances.argmin(axis=1), ours.labels_)
    farthest = scale * theirs.transform(digits).max()
    assert distances.max() == pytest.approx(farthest, rel=1e-3, abs=0)


def test_numbers_near_the_largest_are_clustered(simd_level):
    X = np.float32([[3e38], [2.9e38], [-3e38], [-2.9e38], [1e38]])
    kmeans = KMeans(2, random_state=0).fit(X)
    assert adjusted_rand_score(kmeans.labels_, [0, 0, 1, 1, 0]) == 1.0
    np.testing.assert_array_equal(kmeans.predict(X), kmeans.labels_)
    np.testing.assert_array_equal(kmeans.predict(X.astype(float)), kmeans.labels_)


def test_rows_far_from_every_centre_find_the_nearest():
    kmeans = KMeans(2, random_state=0).fit(np.float32([[-1, 0], [-1.5, 0], [1, 0], [1.5, 0]]))
    far = np.float32([[3e38, 0], [-3e38, 1], [1e30, -1e25]])
    expected = kmeans.predict([[5.0, 0.0], [-5.0, 0.0], [5.0, 0.0]])
    np.testing.assert_array_equal(kmeans.predict(far), expected)


def test_an_inertia_beyond_all_numbers_is_refused():
    X = np.array([[1e200], [-1e200], [3e200]])
    message = "X must be small enough for its sum of squared distances .* up to 3e200: scale X"
    with pytest.raises(InvalidDataError, match=message):
        KMeans(2, random_state=0).fit(X)
    kmeans = KMeans(2, random_state=0).fit([[0.0], [1.0], [9.0]])
    with pytest.raises(
        InvalidDataError, match=r"stay below 1.8e308, got numbers up to 3e\+200"
    ):
        kmeans.score(X)


def test_a_distance_beyond_its_precision_is_refused():
    X = np.float32([[3e38, 3e38], [-3e38, -3e38]])
    kmeans = KMeans(1, init=[[-3e38, -3e38]], max_iter=1).fit(np.float32([[-3e38, -3e38]] * 2))
    with pytest.raises(InvalidDataError, match="finite in float32, got numbers up to 3e\\+38"):
        kmeans.transform(X)
