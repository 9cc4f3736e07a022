"""A warning names the user's line."""

import warnings

import numpy as np
import pandas as pd
import pytest

from holdfast import KMeans, NeuromorphicClusterer

ROWS = np.random.default_rng(0).normal(size=(12, 3))
HOLED = np.where(np.arange(36).reshape(12, 3) == 4, np.nan, ROWS)
NAMED = pd.DataFrame(ROWS, columns=["a", "b", "c"])

CASES = {
    "gaps in a table": lambda: NeuromorphicClusterer(n_clusters=2).fit(HOLED),
    "gaps in series": lambda: NeuromorphicClusterer(n_clusters=2).fit(list(HOLED.T)),
    "gaps to predict": lambda: NeuromorphicClusterer(n_clusters=2).fit(ROWS).predict(HOLED),
    "fewer clusters": lambda: NeuromorphicClusterer(n_clusters=2).fit(np.ones((4, 2))),
    "fewer clusters by fit_predict": lambda: KMeans(2).fit_predict(np.ones((4, 2))),
    "no names": lambda: NeuromorphicClusterer(n_clusters=2).fit(NAMED).predict(ROWS),
    "names": lambda: KMeans(2).fit(ROWS).predict(NAMED),
    "a parameter without effect": lambda: NeuromorphicClusterer(
        n_clusters=2, esn_params={"input_size": 4}
    ).fit(ROWS),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_warning_names_the_line_that_called(case):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        case()
    assert [warning.filename for warning in told] == [__file__]
