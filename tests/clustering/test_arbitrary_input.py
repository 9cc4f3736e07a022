"""Whatever is given to it, the clusterer answers with clusters or with its own error."""

import datetime as dt
import warnings
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from holdfast import KMeans, NeuromorphicClusterer
from holdfast.errors import InvalidDataError

CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.decimals().filter(lambda number: not number.is_snan()),  # pandas chokes on it
    st.fractions(),
    st.dates(),
    st.just(pd.NA),
    st.just(pd.NaT),
    st.just(np.ma.masked),
    st.just(object()),
)
NESTED = st.recursive(
    CELLS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=2), inner, max_size=2),
    ),
    max_leaves=12,
)
DTYPES = st.one_of(
    arrays.boolean_dtypes(),
    arrays.integer_dtypes(),
    arrays.floating_dtypes(),
    arrays.complex_number_dtypes(),
    arrays.datetime64_dtypes(),
    arrays.unicode_string_dtypes(max_len=3),
    arrays.byte_string_dtypes(max_len=3),
)
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
ARRAYS = arrays.arrays(DTYPES, SHAPES)
MASKED = st.builds(
    lambda array, odd: np.ma.masked_array(array, mask=np.full(array.shape, odd)),
    ARRAYS,
    st.booleans(),
)
FRAMES = st.builds(
    lambda columns: pd.DataFrame({str(i): pd.Series(c) for i, c in enumerate(columns)}),
    st.lists(st.lists(CELLS.filter(lambda v: v is not np.ma.masked), max_size=4), max_size=3),
)
LISTS = st.lists(ARRAYS, min_size=1, max_size=4)


@pytest.mark.parametrize(
    "estimator",
    [
        # Without the fallback, which would answer what should have been refused.
        NeuromorphicClusterer(
            n_clusters=2, snn_params={"n_neurons": 8, "sample": 50}, enable_fallback=False
        ),
        KMeans(2, random_state=0),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.one_of(NESTED, ARRAYS, MASKED, FRAMES, LISTS))
@example(data=pd.DataFrame({"a": pd.Series([pd.NA, "x", 2], dtype=object)}))
@example(data=[[dt.date(2020, 1, 1)]] * 3)
@example(data=pd.DataFrame({"a": pd.Series(["x", "y"], dtype="category"), "b": [1, 2]}))
@example(data=pd.DataFrame({"a": [1.0, 2.0]}, index=pd.date_range("2020", periods=2)))
@example(data=pd.DataFrame({"a": pd.arrays.SparseArray([0.0, 1.0, 2.0])}))
@example(data=np.array([[1, 2], [3, 4]], dtype=object).view(np.ndarray))
def test_any_object_is_clustered_or_refused(estimator, data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with suppress(InvalidDataError):
            assert set(estimator.fit(data).labels_.tolist()) <= {0, 1}
