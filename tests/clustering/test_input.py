from decimal import Decimal
from fractions import Fraction

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


SAME = {
    "fortran": np.asfortranarray(ROWS),
    "strided": np.repeat(ROWS, 2, axis=0)[::2],
    "big endian": ROWS.astype(">f8"),
    "list": ROWS.tolist(),
    "objects": ROWS.astype(object),
    "masked nowhere": np.ma.array(ROWS),
    "long doubles": ROWS.astype(np.longdouble),
    "fractions": [[Fraction(value) for value in row] for row in ROWS],
    "pandas": frame(ROWS, "x0", "x1", "x2"),
    "pandas by number": pd.DataFrame(ROWS),
    "pandas nullable": frame(ROWS, "x0", "x1", "x2").astype("Float64"),
    "pandas decimals": frame(ROWS, "x0", "x1", "x2").map(Decimal),
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


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e299])
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


def missing(kind):
    """`ROWS` without the value at row 4, column 1."""
    if kind == "masked":
        return np.ma.masked_array(ROWS, mask=ROWS[4, 1] == ROWS)
    rows = ROWS.copy()
    rows[4, 1] = np.nan
    if kind == "NaN":
        return rows
    if kind == "masked rows":
        return [np.ma.masked_invalid(row).tolist() for row in rows]
    table = frame(rows, "x0", "x1", "x2")
    if kind == "pd.NA":
        return table.astype("Float64")
    if kind == "None":
        return table.astype(object).where(table.notna(), None)
    return pl.DataFrame(rows, schema=["x0", "x1", "x2"], nan_to_null=True)


@pytest.mark.parametrize("kind", ["masked", "masked rows", "pd.NA", "None", "null"])
def test_every_kind_of_missing_value_is_the_same(kind):
    with pytest.warns(MissingValuesWarning):
        expected = NeuromorphicClusterer().fit(missing("NaN"))
    with pytest.warns(MissingValuesWarning, match="1 missing values"):
        clusterer = NeuromorphicClusterer().fit(missing(kind))
    assert clusterer.imputed_ == 1
    np.testing.assert_array_equal(clusterer.labels_, expected.labels_)


def test_masked_steps_of_series_are_interpolated(waves):
    holed = [np.ma.masked_array(wave, mask=np.arange(len(wave)) == 5) for wave in waves]
    with pytest.warns(MissingValuesWarning, match="30 missing values were interpolated"):
        assert NeuromorphicClusterer(n_clusters=3).fit(holed).imputed_ == 30
    panel = np.ma.masked_greater(np.random.default_rng(0).normal(size=(8, 60, 2)), 2.5)
    with pytest.warns(MissingValuesWarning, match="interpolated"):
        clusterer = NeuromorphicClusterer(n_clusters=2).fit(panel)
    assert clusterer.imputed_ == panel.mask.sum()


def test_integers_with_a_gap_are_a_numeric_column():
    table = frame(ROWS, "a", "b", "c").assign(d=pd.array([1, None, *range(10)], "Int64"))
    with pytest.warns(MissingValuesWarning):
        assert NeuromorphicClusterer().fit(table).ignored_columns_ == []


def test_series_may_be_frames(waves):
    expected = NeuromorphicClusterer(n_clusters=3).fit(waves).labels_
    for kind in (pd.Series, pd.DataFrame):
        given = [kind(wave) for wave in waves]
        found = NeuromorphicClusterer(n_clusters=3).fit(given).labels_
        np.testing.assert_array_equal(found, expected)
    for column in (pd.Series(waves), pl.Series([wave.tolist() for wave in waves])):
        found = NeuromorphicClusterer(n_clusters=3).fit(column).labels_
        np.testing.assert_array_equal(found, expected)


def test_an_array_is_predicted_by_the_place_of_its_columns():
    table = frame(ROWS, "a", "b", "c").assign(city="Oslo")[["a", "city", "b", "c"]]
    named = NeuromorphicClusterer().fit(table)
    values = np.insert(ROWS, 1, 0.0, axis=1)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        np.testing.assert_array_equal(named.predict(values), named.labels_)
    unnamed = NeuromorphicClusterer().fit(ROWS)
    with pytest.warns(UserWarning, match="fitted without feature names"):
        found = unnamed.predict(frame(ROWS, "a", "b", "c"))
    np.testing.assert_array_equal(found, unnamed.labels_)
    np.testing.assert_array_equal(unnamed.predict(pd.DataFrame(ROWS)), unnamed.labels_)
