"""The order of the samples decides nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from holdfast import NeuromorphicClusterer, _core
from holdfast.clustering._data.arrays import Rows, Sequences
from holdfast.clustering._data.order import canonical_order, restored

METHODS = ["esn", "snn", "lsm", "hybrid"]
RNG = np.random.default_rng(5)
NOISE = RNG.normal(size=(60, 5))  # no groups: whatever could differ, would
SERIES = [RNG.normal(size=(n, 2)).cumsum(axis=0) for n in RNG.integers(20, 40, 30)]


def fitted(data, **parameters):
    return NeuromorphicClusterer(**{"n_clusters": 4, **parameters}).fit(data)


@pytest.mark.parametrize("method", METHODS)
def test_shuffled_series_have_the_same_labels(method):
    order = np.random.default_rng(1).permutation(len(SERIES))
    expected = fitted(SERIES, method=method)
    found = fitted([SERIES[i] for i in order], method=method)
    np.testing.assert_array_equal(found.labels_, expected.labels_[order])
    np.testing.assert_array_equal(found.cluster_centers_, expected.cluster_centers_)


@pytest.mark.parametrize("n_clusters", [2, 7, None])
def test_shuffled_rows_have_the_same_labels(n_clusters):
    order = np.random.default_rng(1).permutation(len(NOISE))
    expected = fitted(NOISE, n_clusters=n_clusters)
    found = fitted(NOISE[order], n_clusters=n_clusters)
    np.testing.assert_array_equal(found.labels_, expected.labels_[order])
    assert found.n_clusters_ == expected.n_clusters_


def test_shuffled_rows_fall_back_to_the_same_labels(monkeypatch):
    def fail(*args, **kwargs):
        raise MemoryError("no room")

    monkeypatch.setattr(_core, "encode_population", fail)
    expected = fitted(NOISE)
    assert expected.fallback_used
    np.testing.assert_array_equal(fitted(NOISE[::-1]).labels_, expected.labels_[::-1])


def test_features_of_ones_own_see_the_rows_as_they_came():
    seen = []
    clusterer = NeuromorphicClusterer(n_clusters=2)
    clusterer._extract_neuromorphic_features_safe = lambda rows: seen.append(rows) or rows  # noqa: SLF001
    clusterer.fit(NOISE)
    expected = (NOISE - NOISE.mean(axis=0)) / NOISE.std(axis=0)
    np.testing.assert_allclose(seen[0], expected, atol=1e-6)


tables = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 20), st.integers(1, 3)),
    elements=st.sampled_from([-1.0, 0.0, 0.5, 3.0, 1e6]),
)


@settings(deadline=None, max_examples=200)
@given(tables, st.randoms(use_true_random=False))
def test_sorted_samples_are_the_same_whatever_their_order(values, random):
    shuffled = list(range(len(values)))
    random.shuffle(shuffled)
    names = [f"x{j}" for j in range(values.shape[1])]
    one = values[canonical_order(Rows(values, names))]
    other = values[shuffled]
    np.testing.assert_array_equal(one, other[canonical_order(Rows(other, names))])


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.lists(st.sampled_from([-1.0, 0.0, 2.5]), min_size=1, max_size=6), min_size=1),
    st.randoms(use_true_random=False),
)
def test_sorted_series_are_the_same_whatever_their_order(series, random):
    def in_order(given):
        lengths = np.array([len(one) for one in given])
        data = Sequences(np.concatenate(given)[:, None], lengths)
        return [given[i] for i in canonical_order(data)]

    shuffled = random.sample(series, len(series))
    assert in_order(series) == in_order(shuffled)


@given(st.permutations(range(9)))
def test_labels_find_their_way_back(order):
    order = np.array(order)
    np.testing.assert_array_equal(restored(order * 10, order), np.arange(9) * 10)
