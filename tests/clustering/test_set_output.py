"""DataFrames instead of arrays, as scikit-learn's transformers give them."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks

from holdfast import KMeans, NeuromorphicClusterer
from holdfast.errors import InvalidParameterError

ESTIMATORS = [NeuromorphicClusterer(n_clusters=3), KMeans(3, random_state=0)]
CHECKS = [name for name in dir(estimator_checks) if "set_output_transform" in name]

each = pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)


@pytest.mark.filterwarnings("ignore:X .* feature names")  # the checks mix them
@each
@pytest.mark.parametrize("check", [name for name in CHECKS if name.startswith("check_")])
def test_passes_the_checks_of_scikit_learn(estimator, check):
    getattr(estimator_checks, check)(type(estimator).__name__, clone(estimator))


@each
def test_frames_have_the_names_and_the_index(estimator, energies):
    table = energies.set_index(pd.Index([f"row {i}" for i in range(len(energies))]))
    plain = clone(estimator).fit(table)
    framed = clone(estimator).set_output(transform="pandas").fit(table)
    found = framed.transform(table)
    np.testing.assert_array_equal(found.to_numpy(), plain.transform(table))
    assert found.columns.tolist() == plain.get_feature_names_out().tolist()
    assert found.index.tolist() == table.index.tolist()
    pd.testing.assert_frame_equal(clone(framed).fit_transform(table), found)


@each
def test_polars_gives_and_takes(estimator, energies):
    table = pl.from_pandas(energies)
    framed = clone(estimator).set_output(transform="polars").fit(table)
    found = framed.transform(table)
    assert found.columns == framed.get_feature_names_out().tolist()
    assert_frame_equal(found, clone(framed).fit_transform(table))


@each
def test_what_is_said_here_outweighs_the_configuration(estimator, energies):
    fitted = clone(estimator).fit(energies)
    with config_context(transform_output="pandas"):
        assert isinstance(fitted.transform(energies), pd.DataFrame)
        fitted.set_output(transform="default")
        assert isinstance(fitted.transform(energies), np.ndarray)
    assert fitted.set_output() is fitted


def test_a_pipeline_passes_it_on(energies):
    pipeline = make_pipeline(StandardScaler(), NeuromorphicClusterer(n_clusters=3))
    found = pipeline.set_output(transform="pandas").fit_transform(energies)
    assert found.columns[0] == "red_energy_field0"


def test_features_of_series_can_be_a_frame(waves):
    found = NeuromorphicClusterer(n_clusters=3).set_output(transform="pandas")
    assert found.fit_transform(waves).shape[0] == len(waves)


def test_another_kind_is_refused():
    with pytest.raises(InvalidParameterError, match=r"transform must be one of .* 'xarray'"):
        NeuromorphicClusterer().set_output(transform="xarray")
