import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn.cluster
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.utils import estimator_checks

from holdfast import _core
from holdfast.clustering import DBSCAN
from holdfast.errors import InvalidDataError, InvalidParameterError


def groups(n, d, k=5, spread=4.0, seed=0):
    rng = np.random.default_rng(seed)
    means = spread * rng.normal(size=(k, d))
    return means[rng.integers(k, size=n)] + rng.normal(size=(n, d))


def grid(size, share, seed=0):
    """Points of an integer grid: many distances are exactly 1."""
    points = np.stack(np.meshgrid(*[np.arange(float(size))] * 2), axis=-1).reshape(-1, 2)
    return points[np.random.default_rng(seed).random(len(points)) < share]


def moons(n, seed=0):
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, np.pi, n)
    side = rng.integers(0, 2, n)
    x = np.column_stack([np.cos(angle), np.sin(angle)]) * (1 - 2 * side)[:, None]
    return x + side[:, None] * [1.0, 0.5] + 0.05 * rng.normal(size=(n, 2))


def same_as_scikit_learn(X, weights=None, **parameters):
    ours = DBSCAN(**parameters).fit(X, sample_weight=weights)
    theirs = sklearn.cluster.DBSCAN(**parameters, algorithm="kd_tree")
    theirs.fit(X, sample_weight=weights)
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    np.testing.assert_array_equal(ours.core_sample_indices_, theirs.core_sample_indices_)
    np.testing.assert_array_equal(ours.components_, theirs.components_)
    return ours


@pytest.fixture(params=_core.simd_levels())
def simd_level(request):
    _core.force_simd_level(request.param)
    yield request.param
    _core.force_simd_level(None)


@pytest.mark.parametrize(
    ("X", "eps", "min_samples"),
    [
        (groups(3000, 2), 0.15, 5),
        (groups(2000, 3), 0.4, 10),
        (groups(1000, 20), 4.5, 5),
        (grid(60, 0.5), 1.0, 4),
        (moons(2000), 0.12, 5),
        (groups(500, 2), 1e-9, 1),
        (groups(500, 2), 100.0, 500),
        (groups(500, 2), 100.0, 501),
        (np.zeros((200, 3)), 0.1, 200),
        (groups(1, 2), 0.5, 1),
    ],
    ids=[
        "plane",
        "space",
        "twenty",
        "grid",
        "moons",
        "alone",
        "all",
        "none",
        "equal",
        "one",
    ],
)
def test_labels_are_those_of_scikit_learn(X, eps, min_samples, simd_level):
    same_as_scikit_learn(X, eps=eps, min_samples=min_samples)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    n=st.integers(1, 200),
    d=st.integers(1, 4),
    steps=st.integers(2, 30),
    eps=st.sampled_from([0.5, 1.0, 1.5, 2.0]),
    min_samples=st.integers(1, 8),
)
def test_labels_are_those_of_scikit_learn_with_ties(seed, n, d, steps, eps, min_samples):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, steps, (n, d)).astype(float)
    same_as_scikit_learn(X, eps=eps, min_samples=min_samples)
    weights = rng.integers(-1, 4, n).astype(float)
    weights[0] = 1.0
    same_as_scikit_learn(X, weights, eps=eps, min_samples=min_samples)


def test_two_moons_are_two_clusters():
    X = moons(1000)
    labels = DBSCAN(eps=0.15).fit_predict(X)
    assert set(labels) - {-1} == {0, 1}
    assert (labels == -1).mean() < 0.01


def test_float32_gives_the_labels_of_the_same_values_in_float64():
    X = groups(1000, 3).astype(np.float32)
    single, double = (DBSCAN(eps=0.5).fit(x) for x in (X, X.astype(np.float64)))
    np.testing.assert_array_equal(single.labels_, double.labels_)
    assert single.components_.dtype == np.float32


def test_threads_cannot_be_seen():
    X = groups(20_000, 4)
    one, four = (DBSCAN(eps=0.6, n_jobs=n).fit(X) for n in (1, 4))
    np.testing.assert_array_equal(one.labels_, four.labels_)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"eps": 0.0}, "eps must be a finite number > 0, got 0.0"),
        ({"eps": np.inf}, "eps must be a finite number > 0, got inf"),
        ({"eps": "wide"}, "eps must be a finite number > 0, got 'wide'"),
        ({"min_samples": 0}, "min_samples must be a finite number > 0, got 0"),
        ({"n_jobs": 0}, "n_jobs must be None or not 0, got 0"),
    ],
    ids=str,
)
def test_refuses_parameters_outside_their_domain(parameters, message):
    with pytest.raises(InvalidParameterError) as caught:
        DBSCAN(**parameters).fit(groups(8, 2))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0], "sample_weight must be finite with shape"),
        ([np.nan] * 8, "sample_weight must be finite with shape"),
        ([0.0] * 8, "sample_weight must contain at least one non-zero number"),
    ],
    ids=["shape", "NaN", "zeros"],
)
def test_refuses_weights_that_weigh_nothing(weights, message):
    with pytest.raises(InvalidDataError, match=message):
        DBSCAN().fit(groups(8, 2), sample_weight=weights)


@pytest.mark.parametrize("X", [[[np.nan]], [[np.inf]], [], [[]], [1.0]], ids=str)
def test_refuses_data_it_cannot_use(X):
    with pytest.raises(InvalidDataError):
        DBSCAN().fit(X)


def test_keeps_the_names_of_columns_clones_and_pickles():
    frame = pd.DataFrame(groups(100, 2), columns=["a", "b"])
    dbscan = clone(DBSCAN(eps=0.7)).fit(frame)
    assert dbscan.feature_names_in_.tolist() == ["a", "b"]
    assert repr(dbscan) == "DBSCAN(eps=0.7)"
    again = pickle.loads(pickle.dumps(dbscan))
    np.testing.assert_array_equal(again.labels_, dbscan.labels_)


@pytest.mark.filterwarnings("ignore:Estimator DBSCAN does not inherit")
def test_passes_all_checks_of_scikit_learn():
    results = estimator_checks.check_estimator(DBSCAN(), on_fail=None, on_skip=None)
    open_ends = {r["check_name"] for r in results if r["status"] != "passed"}
    # Runs only where SciPy was told to expect other kinds of arrays.
    assert open_ends <= {"check_array_api_input"}
