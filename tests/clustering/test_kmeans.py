import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn.cluster
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks

from holdfast import _core
from holdfast.clustering import KMeans
from holdfast.errors import (
    FewerClustersWarning,
    InvalidDataError,
    InvalidParameterError,
    NotFittedError,
)


def groups(n, d, k, spread=1.0, *, dtype=np.float64):
    """Rows around `k` means."""
    rng = np.random.default_rng(0)
    means = spread * rng.normal(size=(k, d))
    return (means[rng.integers(k, size=n)] + rng.normal(size=(n, d))).astype(dtype)


@pytest.fixture(params=_core.simd_levels())
def simd_level(request):
    _core.force_simd_level(request.param)
    yield request.param
    _core.force_simd_level(None)


@pytest.fixture(params=[np.float32, np.float64], ids=["float32", "float64"])
def dtype(request):
    return request.param


# --- scikit-learn as the oracle ---


@pytest.mark.parametrize("shape", [(300, 2, 3, 5), (2000, 20, 16, 1), (500, 70, 5, 0)], ids=str)
def test_gives_what_scikit_learn_gives_from_the_same_start(shape, dtype, simd_level):
    X = groups(*shape, dtype=dtype)
    k = shape[2]
    same = {"n_clusters": k, "init": X[:k], "n_init": 1, "tol": 0.0}
    ours, theirs = KMeans(**same).fit(X), sklearn.cluster.KMeans(**same).fit(X)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-6)
    assert (ours.labels_ == theirs.labels_).all()
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(
        ours.cluster_centers_,
        theirs.cluster_centers_,
        atol=10 * np.finfo(dtype).eps ** 0.75,
    )


@pytest.mark.parametrize("tol", [1e-4, 1e-2])
def test_stops_at_the_same_tolerance_as_scikit_learn(tol):
    X = groups(3000, 8, 6)
    same = {"n_clusters": 6, "init": X[:6], "n_init": 1, "tol": tol}
    assert KMeans(**same).fit(X).n_iter_ == sklearn.cluster.KMeans(**same).fit(X).n_iter_


def test_seeds_as_well_as_scikit_learn():
    X = groups(600, 5, 20, 8)
    ours = [KMeans(20, random_state=s).fit(X).inertia_ for s in range(20)]
    theirs = [
        sklearn.cluster.KMeans(20, n_init=1, random_state=s).fit(X).inertia_ for s in range(20)
    ]
    assert np.median(ours) < 1.1 * np.median(theirs)


@pytest.mark.filterwarnings("ignore::holdfast.errors.FewerClustersWarning")
def test_greedy_seeding_beats_plain_and_plain_beats_random():
    X = groups(600, 5, 20, 8)
    k_means = {"max_iter": 1, "n_init": 1}
    inertia = {
        init: np.mean(
            [
                KMeans(20, init=init, random_state=s, **k_means).fit(X).inertia_
                for s in range(20)
            ]
        )
        for init in ("k-means++", "plain-k-means++", "random")
    }
    assert inertia["k-means++"] < inertia["plain-k-means++"] < inertia["random"]


# --- what K-means is ---


def test_every_row_is_with_its_nearest_centre_and_centres_are_means(dtype, simd_level):
    X = groups(1000, 9, 7, dtype=dtype)
    kmeans = KMeans(7, tol=0.0, random_state=0).fit(X)
    squares = ((X[:, None].astype(float) - kmeans.cluster_centers_) ** 2).sum(axis=2)
    own = squares[np.arange(len(X)), kmeans.labels_]
    assert (own <= squares.min(axis=1) * (1 + 1e-5)).all()
    assert kmeans.inertia_ == pytest.approx(own.sum(), rel=1e-5)
    for c in range(7):
        mean = X[kmeans.labels_ == c].mean(axis=0, dtype=float)
        np.testing.assert_allclose(kmeans.cluster_centers_[c], mean, atol=1e-6)


def test_inertia_never_rises():
    X = groups(2000, 6, 12)
    steps = [KMeans(12, init=X[:12], tol=0.0, max_iter=i).fit(X).inertia_ for i in range(1, 25)]
    assert (np.diff(steps) <= 1e-9 * steps[0]).all()


def test_is_precise_far_from_the_origin(dtype):
    X = groups(500, 3, 3, 10)
    far = (X + 1000).astype(dtype)
    near = (far.astype(float) - 1000).astype(dtype)
    a, b = (KMeans(3, init=x[:3]).fit(x) for x in (far, near))
    assert (a.labels_ == b.labels_).all()
    assert a.inertia_ == pytest.approx(b.inertia_, rel=1e-3)


@pytest.mark.parametrize("init", ["k-means++", "plain-k-means++", "random"])
def test_predict_of_the_training_data_is_labels(init, dtype, simd_level):
    X = groups(3000, 10, 6, dtype=dtype)
    kmeans = KMeans(20, init=init, n_init=1, random_state=0).fit(X)
    assert (kmeans.predict(X) == kmeans.labels_).all()


def test_a_row_is_predicted_and_transformed_the_same_alone_and_among_others(dtype):
    X = groups(200, 10, 6, dtype=dtype)
    kmeans = KMeans(6, random_state=0).fit(X)
    labels, distances = kmeans.predict(X), kmeans.transform(X)
    for i in (0, 63, 64, 199):
        assert kmeans.predict(X[i : i + 1]) == labels[i]
        assert (kmeans.transform(X[i : i + 1])[0] == distances[i]).all()
    assert (kmeans.predict(X[::-1]) == labels[::-1]).all()


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads(dtype):
    X = groups(20_000, 12, 9, dtype=dtype)
    one, four = (KMeans(9, random_state=0, n_jobs=n).fit(X) for n in (1, 4))
    assert (one.labels_ == four.labels_).all()
    assert one.inertia_ == four.inertia_
    assert (one.cluster_centers_ == four.cluster_centers_).all()


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    n=st.integers(5, 80),
    d=st.integers(1, 5),
    k=st.integers(1, 5),
)
@example(seed=116939, n=36, d=1, k=5)  # two candidates of a seeding are equally good
def test_weights_are_repetitions_and_order_does_not_matter(seed, n, d, k):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    weights = rng.integers(0, 4, size=n)
    weights[:k] = 1
    order = rng.permutation(weights.sum())
    repeated = np.repeat(X, weights, axis=0)[order]
    a = KMeans(k, random_state=0).fit(X, sample_weight=weights)
    b = KMeans(k, random_state=0).fit(repeated)
    assert a.inertia_ == pytest.approx(b.inertia_, rel=1e-9, abs=1e-12)
    np.testing.assert_allclose(a.cluster_centers_, b.cluster_centers_, atol=1e-9)


# --- edges ---


def test_one_cluster_is_the_mean():
    X = groups(100, 3, 2)
    kmeans = KMeans(1).fit(X)
    np.testing.assert_allclose(kmeans.cluster_centers_[0], X.mean(axis=0))
    assert kmeans.inertia_ == pytest.approx(X.var(axis=0).sum() * 100)


def test_as_many_clusters_as_rows_leave_no_inertia(dtype):
    X = groups(30, 3, 2, dtype=dtype)
    kmeans = KMeans(30, random_state=0).fit(X)
    assert kmeans.inertia_ == pytest.approx(0, abs=1e-9)
    assert len(set(kmeans.labels_)) == 30


@pytest.mark.parametrize("init", ["k-means++", "plain-k-means++", "random"])
def test_too_few_different_rows_give_fewer_clusters_and_a_warning(init, dtype):
    X = np.repeat(np.eye(3, dtype=dtype), 5, axis=0)
    with pytest.warns(FewerClustersWarning, match="found 3 clusters, fewer than n_cl.*=5"):
        kmeans = KMeans(5, init=init, random_state=0).fit(X)
    assert kmeans.inertia_ == pytest.approx(0, abs=1e-12)
    assert np.isfinite(kmeans.cluster_centers_).all()
    assert (kmeans.labels_.reshape(3, 5) == kmeans.labels_[::5, None]).all()


def test_an_empty_cluster_gets_the_farthest_row_as_in_scikit_learn():
    X = np.array([[0.0], [0.1], [0.2], [9.0]])
    same = {"n_clusters": 3, "init": [[0.0], [0.1], [100.0]], "n_init": 1}
    ours, theirs = KMeans(**same).fit(X), sklearn.cluster.KMeans(**same).fit(X)
    assert ours.inertia_ == pytest.approx(theirs.inertia_)
    assert (ours.labels_ == theirs.labels_).all()


@pytest.mark.parametrize(
    "change",
    [
        np.asfortranarray,
        lambda X: np.repeat(X, 2, axis=1)[:, ::2],
        lambda X: X[::-1][::-1],
        lambda X: X.astype(X.dtype.newbyteorder()),
        lambda X: X.tolist(),
        lambda X: X.astype(object),
        pd.DataFrame,
        pl.DataFrame,
    ],
    ids=[
        "fortran",
        "strided",
        "reversed",
        "big-endian",
        "list",
        "object",
        "pandas",
        "polars",
    ],
)
def test_the_layout_of_the_data_changes_nothing(change):
    X = groups(200, 4, 3)
    expected = KMeans(3, random_state=0).fit(X)
    kmeans = KMeans(3, random_state=0).fit(change(X))
    assert (kmeans.labels_ == expected.labels_).all()
    assert kmeans.inertia_ == expected.inertia_


def test_reads_read_only_data_and_writes_none():
    X = groups(200, 4, 3)
    X.flags.writeable = False
    before = X.copy()
    KMeans(3).fit(X).predict(X)
    assert (before == X).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_clusters": 0}, "n_clusters must be an integer >= 1, got 0"),
        ({"n_clusters": 2.5}, "n_clusters must be an integer >= 1, got 2.5"),
        ({"n_clusters": 9}, "n_samples=8 should be >= n_clusters=9."),
        ({"max_iter": 0}, "max_iter must be an integer >= 1, got 0"),
        ({"tol": -1.0}, "tol must be a number >= 0, got -1"),
        ({"tol": "small"}, "tol must be a number >= 0, got 'small'"),
        ({"n_init": 0}, "n_init must be an integer >= 1, got 0"),
        ({"n_init": "many"}, "n_init must be 'auto' or an integer >= 1, got 'many'"),
        ({"init": "best"}, "init must be 'k-means++', 'plain-k-means++', 'random' or"),
        ({"init": [[0.0]]}, "init has shape (1, 1), expected"),
        ({"init": [[np.nan]]}, "init must be a name or a finite array"),
        ({"random_state": -1}, "random_state must be None, an integer from 0"),
        ({"n_jobs": 0}, "n_jobs must be None or not 0, got 0"),
    ],
    ids=str,
)
def test_refuses_parameters_outside_their_domain(parameters, message):
    kmeans = KMeans(**{"n_clusters": 2} | parameters)
    with pytest.raises(ValueError) as caught:
        kmeans.fit(groups(8, 2, 2))
    assert message in str(caught.value)
    assert isinstance(caught.value, InvalidParameterError | InvalidDataError)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0], "sample_weight must have shape (8,), got (1,)"),
        ([0.0] * 8, "sample_weight must contain at least one non-zero number"),
        ([-1.0] + [1.0] * 7, "sample_weight must be finite and not negative"),
        ([np.nan] + [1.0] * 7, "sample_weight must be finite and not negative"),
    ],
    ids=["shape", "zeros", "negative", "NaN"],
)
def test_refuses_weights_that_weigh_nothing(weights, message):
    with pytest.raises(InvalidDataError) as caught:
        KMeans(2).fit(groups(8, 2, 2), sample_weight=weights)
    assert str(caught.value) == message


# --- conventions ---


@pytest.mark.filterwarnings("ignore:Estimator KMeans does not inherit")
@pytest.mark.filterwarnings("ignore::holdfast.errors.FewerClustersWarning")
def test_passes_all_checks_of_scikit_learn():
    results = estimator_checks.check_estimator(
        KMeans(random_state=0), on_fail=None, on_skip=None
    )
    open_ends = {r["check_name"] for r in results if r["status"] != "passed"}
    # Runs only where SciPy was told to expect other kinds of arrays.
    assert open_ends <= {"check_array_api_input"}


@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_clustering,
        estimator_checks.check_clusterer_compute_labels_predict,
        estimator_checks.check_dataframe_column_names_consistency,
    ],
    ids=lambda check: check.__name__,
)
def test_passes_the_checks_for_clusterers(check):
    check("KMeans", KMeans(random_state=0))


def test_clones_pickles_and_works_in_a_pipeline():
    X = groups(200, 4, 3)
    kmeans = clone(KMeans(3, random_state=0, tol=1e-3))
    assert repr(kmeans) == "KMeans(n_clusters=3, tol=0.001, random_state=0)"
    pipeline = make_pipeline(StandardScaler(), kmeans).fit(X)
    again = pickle.loads(pickle.dumps(pipeline))
    assert (again.predict(X) == kmeans.labels_).all()
    assert pipeline.transform(X).shape == (200, 3)
    assert kmeans.get_feature_names_out().tolist() == ["kmeans0", "kmeans1", "kmeans2"]


def test_score_is_the_negative_inertia():
    X = groups(200, 4, 3)
    weights = np.arange(200.0)
    kmeans = KMeans(3, random_state=0).fit(X, sample_weight=weights)
    assert kmeans.score(X, sample_weight=weights) == pytest.approx(-kmeans.inertia_)


def test_transform_is_the_distance(dtype):
    X = groups(200, 21, 3, dtype=dtype)
    kmeans = KMeans(3, random_state=0)
    distances = kmeans.fit_transform(X)
    theirs = np.linalg.norm(X[:, None] - kmeans.cluster_centers_, axis=2)
    assert distances.dtype == dtype
    np.testing.assert_allclose(distances, theirs, rtol=1e-5)


def test_an_unfitted_estimator_says_so():
    with pytest.raises(NotFittedError, match="This KMeans instance is not fitted yet"):
        KMeans().predict([[0.0]])


def test_an_unknown_parameter_is_named():
    with pytest.raises(InvalidParameterError, match="Invalid parameter 'k' for estimator"):
        KMeans().set_params(k=3)


def test_of_several_starts_the_best_is_kept():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 2)) / 20 + rng.uniform(size=(12, 2)).repeat(25, axis=0)

    def fitted(seed, n_init):
        return KMeans(12, init="random", n_init=n_init, random_state=seed).fit(rows)

    singles = [fitted(seed, 1).inertia_ for seed in range(10)]
    for seed in range(10):
        more = [fitted(seed, n_init).inertia_ for n_init in (1, 2, 5, 20)]
        assert more == sorted(more, reverse=True)
    assert fitted(0, 20).inertia_ < np.median(singles)
    best = fitted(0, 20)
    labels = best.predict(rows)
    np.testing.assert_array_equal(best.labels_, labels)
    assert best.inertia_ == pytest.approx(((rows - best.cluster_centers_[labels]) ** 2).sum())


def test_a_long_fit_shows_its_progress(capsys, monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr("holdfast.clustering._progress._BAR_AFTER", 0.0)
    rows = np.random.default_rng(0).normal(size=(4000, 8))
    KMeans(40, n_init=9, tol=0.0, random_state=0, progress=True).fit(rows)
    assert "step" in capsys.readouterr().err
    KMeans(40, n_init=9, tol=0.0, random_state=0, progress=False).fit(rows)
    assert capsys.readouterr().err == ""
