import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from holdfast import NeuromorphicClusterer


def test_passes_every_check_scikit_learn_has():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks warn of what they skip themselves
        results = check_estimator(NeuromorphicClusterer(), on_fail=None, on_skip=None)
    failed = [r["check_name"] for r in results if r["status"] not in {"passed", "skipped"}]
    skipped = {r["check_name"] for r in results if r["status"] == "skipped"}
    assert failed == []
    assert skipped <= {"check_array_api_input"}  # needs SCIPY_ARRAY_API=1


def test_works_in_a_pipeline_and_a_grid_search(energies):
    values = energies.to_numpy()
    pipeline = make_pipeline(StandardScaler(), NeuromorphicClusterer(n_clusters=4))
    assert len(set(pipeline.fit_predict(values).tolist())) == 4
    search = GridSearchCV(NeuromorphicClusterer(), {"n_clusters": [2, 4]}, cv=2)
    mixed = values[np.random.default_rng(0).permutation(len(values))]
    assert search.fit(mixed).best_params_ == {"n_clusters": 4}


def test_a_clone_has_the_parameters_and_no_fit(energies):
    original = NeuromorphicClusterer(n_clusters=2, esn_params={"degree": 5}).fit(energies)
    copy = clone(original)
    assert copy.get_params() == original.get_params()
    assert not copy.trained


def test_feature_names_follow_the_columns(energies):
    clusterer = NeuromorphicClusterer(n_clusters=4).fit(energies)
    names = clusterer.get_feature_names_out()
    assert names[0] == "red_energy_field0"
    assert len(names) == clusterer.transform(energies).shape[1]
