import numpy as np
import pandas as pd
import polars as pl
import pytest

from holdfast import NeuromorphicClusterer
from holdfast.clustering import adjusted_rand_score
from holdfast.errors import InvalidClusteringInputError, MissingValuesWarning

ROWS = np.random.default_rng(0).normal(size=(12, 3))


def frame(values, *names):
    return pd.DataFrame(values, columns=list(names))


HOSTILE = {
    "none": (None, "X is None; data is required"),
    "one dimension": (np.arange(5.0), "X must be a 2D array"),
    "four dimensions": (np.zeros((2, 2, 2, 2)), "X must be a 2D array"),
    "no row": (np.zeros((0, 3)), r"Found array with 0 sample\(s\) \(shape=\(0, 3\)\)"),
    "no column": (np.zeros((5, 0)), r"Found array with 0 feature\(s\)"),
    "infinity": (np.where(ROWS[2, 1] == ROWS, np.inf, ROWS), "first at row 2, column 1"),
    "complex": (ROWS + 1j, "Complex data not supported"),
    "strings": (np.array([["a", "b"]] * 5), "X must be numeric"),
    "dates": (np.zeros((5, 2), "datetime64[s]"), "X must be numeric, got dtype datetime64"),
    "mostly missing": (
        np.where(np.arange(12)[:, None] > 2, np.nan, ROWS),
        "column 'x0': 75% of the values are missing",
    ),
    "three samples": (ROWS[:3], r"n_samples=3 should be >= n_clusters=4\."),
    "an energy missing": (
        frame(ROWS, "red_energy", "blue_energy", "green_energy"),
        r"Missing required columns: \['yellow_energy'\]",
    ),
    "a name twice": (
        frame(ROWS, "a", "a", "b"),
        r"column names must be unique, got twice: \['a'",
    ),
    "no numeric column": (frame([["x"], ["y"]], "a"), r"X has no numeric column, got \['a'\]"),
    "no series": ([], "minimum|2D array"),
    "empty series": ([np.zeros(3), np.zeros(0)], "series 1 is empty"),
    "other channels": (
        [np.zeros((5, 2)), np.zeros((5, 3))],
        "series 1 has 3 channels",
    ),
    "infinite series": ([np.array([1.0, np.inf, 2.0])], "contains infinity"),
    "missing series": (
        [np.array([1.0, np.nan, np.nan])],
        "series 0, channel 0: 67% of the values are missing",
    ),
}


@pytest.mark.parametrize(("data", "message"), HOSTILE.values(), ids=HOSTILE)
def test_data_that_cannot_be_used_is_refused_by_name(data, message):
    with pytest.raises(InvalidClusteringInputError, match=message) as refused:
        NeuromorphicClusterer().fit(data)
    assert isinstance(refused.value, ValueError)
    assert refused.value.error_type.value == "dimension_error"


SAME = {
    "fortran": np.asfortranarray(ROWS),
    "strided": np.repeat(ROWS, 2, axis=0)[::2],
    "big endian": ROWS.astype(">f8"),
    "list": ROWS.tolist(),
    "objects": ROWS.astype(object),
    "pandas": frame(ROWS, "x0", "x1", "x2"),
    "polars": pl.DataFrame(ROWS, schema=["x0", "x1", "x2"]),
}


@pytest.mark.parametrize("data", SAME.values(), ids=SAME)
def test_the_form_of_a_table_does_not_matter(data):
    expected = NeuromorphicClusterer().fit(ROWS).labels_
    np.testing.assert_array_equal(NeuromorphicClusterer().fit(data).labels_, expected)


def test_a_read_only_table_is_left_alone():
    rows = ROWS.copy()
    rows.flags.writeable = False
    NeuromorphicClusterer().fit(rows)
    np.testing.assert_array_equal(rows, ROWS)


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
def test_scale_does_not_matter(scale):
    expected = NeuromorphicClusterer().fit(ROWS).labels_
    np.testing.assert_array_equal(NeuromorphicClusterer().fit(ROWS * scale).labels_, expected)


def test_constant_columns_change_no_group(energies):
    values = energies.to_numpy()
    wider = np.column_stack([values, np.full(len(values), 7.0)])
    labels = [NeuromorphicClusterer().fit(X).labels_ for X in (values, wider)]
    assert adjusted_rand_score(*labels) == 1.0


def test_few_missing_values_are_filled_in_and_counted():
    rows = ROWS.copy()
    rows[4, 1] = np.nan
    with pytest.warns(MissingValuesWarning, match="1 missing values were set to the median"):
        clusterer = NeuromorphicClusterer().fit(rows)
    assert clusterer.imputed_ == 1
    assert np.isnan(rows[4, 1])


def test_gaps_in_series_are_interpolated(waves):
    holed = [wave.copy() for wave in waves]
    holed[0][10] = np.nan
    with pytest.warns(MissingValuesWarning, match="interpolated in time"):
        clusterer = NeuromorphicClusterer(n_clusters=3).fit(holed)
    assert clusterer.imputed_ == 1


def test_energies_are_used_and_the_rest_is_reported(energies):
    wider = energies.assign(name="x", age=np.arange(len(energies)))
    clusterer = NeuromorphicClusterer().fit(wider)
    assert clusterer.ignored_columns_ == ["name", "age"]
    expected = NeuromorphicClusterer().fit(energies).labels_
    np.testing.assert_array_equal(clusterer.labels_, expected)
    np.testing.assert_array_equal(clusterer.predict(energies), expected)


def test_columns_that_are_not_numbers_are_reported():
    table = frame(ROWS, "a", "b", "c").assign(city="Oslo")
    assert NeuromorphicClusterer().fit(table).ignored_columns_ == ["city"]


def test_a_table_fitted_is_not_asked_about_series(waves):
    clusterer = NeuromorphicClusterer().fit(ROWS)
    with pytest.raises(InvalidClusteringInputError, match=r"X is series, but .* a table"):
        clusterer.predict(waves)
