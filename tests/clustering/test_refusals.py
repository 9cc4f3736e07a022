"""What is refused, one line per case: who refuses it, and what the message must name."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from holdfast import KMeans, NeuromorphicClusterer
from holdfast.clustering import (
    EchoStateNetwork,
    LiquidStateMachine,
    SpikingNeuralCluster,
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_score,
)
from holdfast.errors import (
    InvalidClusteringInputError,
    InvalidClusteringParameterError,
    InvalidDataError,
    InvalidParameterError,
    NotFittedError,
    TimeBudgetError,
)

ROWS = np.random.default_rng(0).normal(size=(12, 3))
SERIES = np.random.default_rng(1).normal(size=(6, 40, 2))
TEXT = ROWS.astype(str)


def with_value(value, row=2, column=1):
    rows = ROWS.astype(np.result_type(ROWS, value) if isinstance(value, complex) else object)
    rows[row, column] = value
    return rows


def frame(values, *names):
    return pd.DataFrame(values, columns=list(names))


def energies(**changed):
    table = frame(
        50 + 10 * np.random.default_rng(2).normal(size=(9, 4)),
        "red_energy",
        "blue_energy",
        "green_energy",
        "yellow_energy",
    )
    return table.assign(**changed)


GAPS = np.where(np.arange(12)[:, None] > 2, np.nan, ROWS)
MASKED = np.ma.masked_array(ROWS, mask=np.arange(36).reshape(12, 3) > 8)

DATA = {
    # no data
    "none": (None, "X is None", "data is required"),
    "text": ("data.csv", "X must be a DataFrame, an array or a list", "got str"),
    "a dict": ({"a": [1]}, "X must be a DataFrame", "got dict"),
    "a generator": ((row for row in ROWS), "X must be", "got generator", "list(X)"),
    "a number": (5.0, "X must be a 2D array", "0D array"),
    "a query": (pl.DataFrame(ROWS).lazy(), "got the query LazyFrame", "X.collect()"),
    "an empty list": ([], "X must be a 2D array", "shape (0,)"),
    "no row": (np.zeros((0, 3)), "0 sample(s) (shape=(0, 3))", "minimum of 1"),
    "no column": (np.zeros((5, 0)), "0 feature(s) (shape=(5, 0))", "minimum of 1"),
    "an empty frame": (pd.DataFrame(), "X has no numeric column, got []"),
    # shape
    "one dimension": (np.arange(5.0), "X must be a 2D array", "shape (5,)", "reshape"),
    "four dimensions": (np.zeros((2, 2, 2, 2)), "X must be a 2D array", "shape (2, 2, 2, 2)"),
    "numbers and rows": ([1.0, [2.0, 3.0]], "X must be numeric and regular"),
    "three samples": (ROWS[:3], "n_samples=3 should be >= n_clusters=4"),
    # type
    "complex": (ROWS + 1j, "Complex data not supported", "X must be real", "complex128"),
    "one complex": (with_value(1j).astype(object), "Complex data not supported", "complex"),
    "dates": (np.zeros((5, 2), "datetime64[s]"), "X must be numeric", "datetime64[s]"),
    "records": (np.zeros(5, "f8,i4")[:, None], "X must be numeric", "got dtype"),
    "text cells": (TEXT, "X must be numeric, got text", repr(str(TEXT[0, 0])), "astype(float)"),
    "bytes": (TEXT.astype("S"), "X must be numeric, got text"),
    "a list of text": (TEXT.tolist(), "X must be numeric, got text"),
    "one text cell": (with_value("7"), "X must be numeric, got text '7' at [2, 1]"),
    "a dict in a cell": (with_value({}), "X must be numeric", "not 'dict'"),
    "too long an integer": (with_value(10**400), "X must be numeric", "too large"),
    "an energy as text": (
        energies(blue_energy=["50.5"] * 9),
        "column 'blue_energy' must be numeric, got text '50.5' at [0]",
    ),
    "an energy as text in polars": (
        pl.DataFrame(energies().to_dict("list") | {"red_energy": ["1"] * 9}),
        "column 'red_energy' must be numeric, got text '1'",
    ),
    "no numeric column": (frame([["1"], ["2"]], "a"), "no numeric column, got ['a']"),
    # value
    "infinity": (with_value(np.inf), "X contains infinity", "row 2, column 'x1'"),
    "infinity in a frame": (
        frame(with_value(-np.inf).astype(float), "a", "b", "c"),
        "X contains infinity",
        "row 2, column 'b'",
    ),
    "a huge number": (with_value(1.5e308), "at most 1e+300", "1.5e+308 at row 2, column 'x1'"),
    "a huge negative": (with_value(-1e301), "at most 1e+300", "-1e+301", "divide"),
    "mostly missing": (GAPS, "column 'x0'", "75% of the values are missing", "at most 50%"),
    "mostly masked": (MASKED, "column 'x0'", "75% of the values are missing"),
    "an empty column": (frame(ROWS, "a", "b", "c").assign(b=np.nan), "column 'b'", "100%"),
    # names
    "an energy missing": (
        energies().drop(columns="yellow_energy"),
        "Missing required columns: ['yellow_energy']",
    ),
    "a name twice": (frame(ROWS, "a", "a", "b"), "names must be unique, got twice: ['a']"),
    "a name that is missing": (
        pd.DataFrame(ROWS, columns=[np.nan, "a", "b"]),
        "column names must be text, all of them or none, got float and str",
        "X.columns.astype(str)",
    ),
    # series
    "an empty series": ([np.zeros(3), np.zeros(0)], "series 1 is empty", "(0, 1)"),
    "no step": (np.zeros((3, 0, 2)), "series 0 is empty", "(0, 2)"),
    "no series": (np.zeros((0, 5, 2)), "X has 0 series", "at least 1"),
    "too many axes": ([np.zeros((2, 3, 4))] * 5, "(time,) or (time, channels)", "(2, 3, 4)"),
    "other channels": (
        [np.zeros((5, 2)), np.zeros((5, 3))],
        "X has 3 features, but 2 features are expected",
        "series 1 has 3 channels",
    ),
    "channels first": (
        np.zeros((6, 1, 40)),
        "every series of X has 1 time step and 40 channels",
        "layout='nct'",
    ),
    "channels first in a list": ([np.zeros((1, 30))] * 6, "1 time step", "layout='nct'"),
    "an infinite step": (
        [np.zeros(4), np.array([1.0, np.inf, 2.0])],
        "X contains infinity",
        "series 1, step 1, channel 0",
    ),
    "a huge step": (SERIES * 1e301, "at most 1e+300", "series 0, step", "channel"),
    "text in a series": ([np.array(["1", "2"])] * 5, "series 0 must be numeric, got text '1'"),
    "a series of gaps": (
        [np.array([1.0, np.nan, np.nan])],
        "series 0, channel 0",
        "67% of the values are missing",
    ),
}


@pytest.mark.parametrize("case", DATA.values(), ids=DATA)
def test_data_that_cannot_be_used_is_refused_by_name(case):
    data, *parts = case
    with pytest.raises(InvalidClusteringInputError) as refused:
        NeuromorphicClusterer().fit(data)
    for part in parts:
        assert part in str(refused.value)
    assert isinstance(refused.value, ValueError)
    assert refused.value.error_type.value == "dimension_error"


PARAMETERS = {
    "an unknown method": ({"method": "magic"}, "method must be one of", "'magic'"),
    "a method of no type": ({"method": ["esn"]}, "method must be one of", "['esn']"),
    "no cluster": ({"n_clusters": 0}, "n_clusters", "an integer >= 1, got 0"),
    "half a cluster": ({"n_clusters": 2.5}, "n_clusters", "integer", "2.5"),
    "a true cluster": ({"n_clusters": True}, "n_clusters", "integer", "True"),
    "a negative seed": ({"random_state": -1}, "random_state", "-1"),
    "a seed in words": ({"random_state": "x"}, "random_state", "'x'"),
    "no thread": ({"n_jobs": 0}, "n_jobs must be None or not 0, got 0"),
    "half a thread": ({"n_jobs": 0.5}, "n_jobs", "0.5"),
    "no time": ({"max_seconds": 0}, "max_seconds must be a number > 0, got 0"),
    "NaN seconds": ({"max_seconds": float("nan")}, "max_seconds", "nan"),
    "seconds in words": ({"max_seconds": "9"}, "max_seconds", "'9'"),
    "another layout": ({"layout": "tnc"}, "layout must be one of ntc, nct", "'tnc'"),
    "another level": ({"optimization_level": "max"}, "optimization_level", "'max'"),
    "too much forgetting": (
        {"forgetting": 1.5},
        "forgetting must be a finite number >= 0 and <= 1",
    ),
    "no yes and no no": ({"enable_fallback": "no"}, "enable_fallback", "True or False", "'no'"),
    "parameters as a list": ({"esn_params": [1]}, "esn_params must be None or a dict", "[1]"),
    "an unknown key": ({"esn_params": {"size": 3}}, "no parameter 'size'; known: ['degree'"),
    "a seed for one": ({"snn_params": {"random_state": 1}}, "no parameter 'random_state'"),
    "no neuron": ({"snn_params": {"n_neurons": 0}}, "snn_params['n_neurons']", "got 0"),
    "too many units": (
        {"esn_params": {"reservoir_size": 10**9}},
        "esn_params['reservoir_size'] must be an integer >= 1 and <= 20000",
    ),
    "units in words": (
        {"lsm_params": {"liquid_size": "9"}},
        "lsm_params['liquid_size']",
        "'9'",
    ),
    "too fast a leak": ({"esn_params": {"leaking_rate": 1.5}}, "leaking_rate", "(0, 1]"),
    "a leak of three": ({"esn_params": {"leaking_rate": (0.1, 0.2, 0.3)}}, "a pair of them"),
    "a leak backwards": ({"esn_params": {"leaking_rate": (0.9, 0.1)}}, "ascending"),
    "a negative radius": ({"esn_params": {"spectral_radius": -0.5}}, "spectral_radius", "-0.5"),
    "NaN input": ({"esn_params": {"input_scaling": float("nan")}}, "input_scaling", "nan"),
    "a share above 1": ({"esn_params": {"sparsity": 1.5}}, "sparsity", ">= 0 and <= 1", "1.5"),
    "degree twice": (
        {"lsm_params": {"connection_prob": 0.1, "degree": 3}},
        "'degree' or 'connection_prob', got both",
    ),
}


@pytest.mark.parametrize("case", PARAMETERS.values(), ids=PARAMETERS)
def test_parameters_outside_their_domain_are_refused_by_fit(case):
    parameters, *parts = case
    clusterer = NeuromorphicClusterer(**{"n_clusters": 2, **parameters})
    with pytest.raises(InvalidParameterError) as refused:
        clusterer.fit(SERIES)
    for part in parts:
        assert part in str(refused.value)
    assert not clusterer.trained


def test_refused_data_is_described():
    table = energies().drop(columns="red_energy")
    with pytest.raises(InvalidClusteringInputError) as refused:
        NeuromorphicClusterer().fit(table)
    assert refused.value.context == {
        "features_shape": (9, 3),
        "features_columns": ["blue_energy", "green_energy", "yellow_energy"],
    }
    with pytest.raises(InvalidClusteringInputError) as refused:
        NeuromorphicClusterer().fit(ROWS[:3])
    assert refused.value.context["features_shape"] == (3, 3)
    assert refused.value.context["features_columns"] is None


def test_refused_parameters_of_features_are_all_told():
    given = {"esn_params": {"degree": 3}, "snn_params": {"size": 1}}
    with pytest.raises(InvalidClusteringParameterError) as refused:
        NeuromorphicClusterer(n_clusters=2, **given).fit(SERIES)
    assert refused.value.error_type.value == "resource_error"
    components = {**given, "lsm_params": None}
    expected = {"method": "hybrid_reservoir", "component_params": components}
    assert refused.value.context == expected


@pytest.fixture(scope="module")
def of_rows():
    return NeuromorphicClusterer(n_clusters=2).fit(ROWS)


@pytest.fixture(scope="module")
def of_series():
    return NeuromorphicClusterer(n_clusters=2).fit(SERIES)


@pytest.fixture(scope="module")
def of_energies():
    return NeuromorphicClusterer(n_clusters=2).fit(energies())


LATER = {
    "a column less": ("of_rows", ROWS[:, :2], "X has 2 features", "expecting 3 features"),
    "a column more": ("of_rows", np.ones((2, 4)), "X has 4 features", "expecting 3 features"),
    "series for a table": ("of_rows", SERIES, "X is series, but", "fitted on a table"),
    "a table for series": ("of_series", ROWS, "X is a table, but", "fitted on series"),
    "a channel more": ("of_series", np.ones((2, 9, 3)), "X has 3 features", "2 features"),
    "channels first": ("of_series", SERIES.transpose(0, 2, 1), "layout='nct'"),
    "a column away": (
        "of_energies",
        energies().drop(columns="red_energy"),
        "names should match",
        "- red_energy",
    ),
    "another order": ("of_energies", energies().iloc[:, ::-1], "must be in the same order"),
    "text": ("of_rows", ROWS.astype(str), "X must be numeric, got text"),
    "infinity": ("of_rows", with_value(np.inf), "X contains infinity", "row 2"),
    "nothing": ("of_rows", None, "X is None"),
    "no sample": ("of_rows", [], "X has 0 samples, at least 1 is required"),
    "no series": ("of_series", [], "X has 0 samples, at least 1 is required"),
}


@pytest.mark.parametrize("use", ["predict", "transform", "score", "partial_fit"])
@pytest.mark.parametrize("case", LATER.values(), ids=LATER)
def test_data_unlike_that_of_the_fit_is_refused(case, use, request):
    fitted, data, *parts = case
    clusterer = request.getfixturevalue(fitted)
    before = clusterer.labels_.copy()
    with pytest.raises(InvalidDataError) as refused:
        getattr(clusterer, use)(data)
    for part in parts:
        assert part in str(refused.value)
    np.testing.assert_array_equal(clusterer.labels_, before)


UNFITTED = {
    "predict": lambda c: c.predict(ROWS),
    "transform": lambda c: c.transform(ROWS),
    "score": lambda c: c.score(ROWS),
    "get_cluster_assignments": lambda c: c.get_cluster_assignments(),
    "get_clustering_metrics": lambda c: c.get_clustering_metrics(),
    "get_cluster_interpretation": lambda c: c.get_cluster_interpretation(),
    "get_feature_names_out": lambda c: c.get_feature_names_out(),
    "plot": lambda c: c.plot(),
    "save": lambda c: c.save("never-written"),
    "labels_": lambda c: c.labels_,
    "device_": lambda c: c.device_,
}


@pytest.mark.parametrize("use", UNFITTED.values(), ids=UNFITTED)
def test_using_it_before_fit_is_an_error(use):
    with pytest.raises(NotFittedError, match="NeuromorphicClusterer instance is not fitted"):
        use(NeuromorphicClusterer())


def test_a_fit_that_fails_leaves_the_earlier_one():
    for estimator in (NeuromorphicClusterer(n_clusters=2), KMeans(2, random_state=0)):
        labels = estimator.fit(ROWS).labels_.copy()
        for wrong in (np.full((5, 7), np.inf), TEXT, None):
            with pytest.raises(ValueError, match="X"):
                estimator.fit(wrong)
        estimator.n_clusters = 99
        with pytest.raises(ValueError, match="n_clusters"):
            estimator.fit(np.ones((4, 2)))
        np.testing.assert_array_equal(estimator.predict(ROWS), labels)
        assert estimator.n_features_in_ == 3


def test_a_k_means_whose_first_fit_failed_is_not_fitted():
    kmeans = KMeans(99)
    with pytest.raises(InvalidDataError, match="n_clusters"):
        kmeans.fit(ROWS)
    with pytest.raises(NotFittedError, match="KMeans instance is not fitted yet"):
        kmeans.predict(ROWS)


ELSEWHERE = {
    "masked rows": (lambda: KMeans(2).fit(MASKED), "NaN", "masked values count as NaN"),
    "text for K-means": (lambda: KMeans(2).fit(TEXT), "X must be numeric, got text"),
    "infinite K-means": (lambda: KMeans(2).fit(with_value(np.inf)), "row 2, column 1"),
    "no time": (lambda: KMeans(2, max_seconds=-1).fit(ROWS), "max_seconds", "got -1"),
    "names and numbers": (
        lambda: KMeans(2).fit(pd.DataFrame(ROWS, columns=["a", 1, 2])),
        "column names must be text, all of them or none, got int and str",
    ),
    "text to score": (lambda: silhouette_score(TEXT, np.arange(12) % 2), "got text"),
    "masked to score": (lambda: silhouette_score(MASKED, np.arange(12) % 2), "masked"),
    "text as weight": (
        lambda: KMeans(2).fit(ROWS, sample_weight=["1"] * 12),
        "sample_weight must be numeric, got text '1'",
    ),
    "masked labels": (
        lambda: silhouette_score(ROWS, np.ma.masked_less(np.arange(12) % 3, 1)),
        "labels must name a cluster for every sample, got masked",
    ),
    "masked labels to compare": (
        lambda: adjusted_rand_score([0, 1], np.ma.masked_less([0, 1], 1)),
        "labels_pred must name a cluster",
    ),
    "text to a reservoir": (
        lambda: EchoStateNetwork(9, 1).process_sequence(["1", "2"]),
        "seq must be numeric, got text '1'",
    ),
    "masked input": (
        lambda: LiquidStateMachine(9, 3).process_temporal_sequence(MASKED),
        "seq must be finite, got",
        "step 3",
    ),
    "text as energy": (
        lambda: SpikingNeuralCluster(5).encode_input(["1", "1", "1", "1"]),
        "energy must be numeric, got text '1'",
    ),
}


@pytest.mark.parametrize("case", ELSEWHERE.values(), ids=ELSEWHERE)
def test_the_other_estimators_refuse_the_same(case):
    call, *parts = case
    with pytest.raises((InvalidDataError, InvalidParameterError)) as refused:
        call()
    for part in parts:
        assert part in str(refused.value)


def test_a_used_up_budget_stops_k_means_and_changes_nothing():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20_000, 16))
    kmeans = KMeans(100, n_init=1000, tol=0.0, random_state=0, max_seconds=0.05)
    with pytest.raises(TimeBudgetError, match="time budget was used up"):
        kmeans.fit(rows)
    assert not hasattr(kmeans, "labels_")


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e299])
def test_scores_do_not_overflow(scale):
    labels = np.arange(12) % 3
    for score in (calinski_harabasz_score, davies_bouldin_score, silhouette_score):
        expected = score(ROWS, labels)
        assert score(ROWS * scale, labels) == pytest.approx(expected)
        if 1e-30 < scale < 1e30:
            continue
        in_single = np.float32(ROWS) * np.float32(1e30 if scale > 1 else 1e-30)
        assert score(in_single, labels) == pytest.approx(expected, rel=1e-5)
