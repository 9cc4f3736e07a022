"""Series of different lengths: slower ones, or ones of more of the same."""

import numpy as np
import pytest

from holdfast import NeuromorphicClusterer
from holdfast.clustering import adjusted_rand_score
from holdfast.clustering._data.arrays import Sequences
from holdfast.clustering._data.resampling import resampled

TRUTH = np.arange(60) % 3
LENGTHS = np.random.default_rng(3).integers(60, 180, 60)


def gesture(kind, length, rng):
    """A movement at any speed: what it is, its course says."""
    t = np.linspace(0, 1, length)
    two, three = np.sin(4 * np.pi * t), np.sin(6 * np.pi * t)
    course = (two, three, np.sign(two) * np.abs(three))[kind]
    return course + 0.2 * rng.normal(size=length)


def rotation(kind, length, rng):
    """A machine watched for any time: what it is, its period says."""
    period = (10.0, 12.0, 14.4)[kind]
    phase = rng.uniform(0, 2 * np.pi)
    return np.sin(2 * np.pi * np.arange(length) / period + phase) + 0.2 * rng.normal(
        size=length
    )


def drawn(make):
    rng = np.random.default_rng(0)
    return [make(kind, length, rng) for kind, length in zip(TRUTH, LENGTHS, strict=True)]


@pytest.mark.parametrize("make", [gesture, rotation], ids=lambda make: make.__name__)
def test_both_kinds_of_different_lengths_are_told_apart(make):
    series = drawn(make)
    clusterer = NeuromorphicClusterer(n_clusters=3).fit(series)
    assert adjusted_rand_score(TRUTH, clusterer.labels_) > 0.8
    np.testing.assert_array_equal(clusterer.predict(series), clusterer.labels_)


@pytest.mark.parametrize("method", ["esn", "snn", "lsm", "hybrid"])
def test_features_are_there_in_both_kinds_of_time(method, tmp_path):
    series = drawn(gesture)[:12]
    clusterer = NeuromorphicClusterer(method, n_clusters=2).fit(series)
    names = clusterer.get_feature_names_out().tolist()
    plain = [name for name in names if not name.startswith("relative_")]
    assert names == plain + [f"relative_{name}" for name in plain]
    assert clusterer.transform(series).shape == (12, len(names))

    clusterer.save(tmp_path / "gestures")
    again = NeuromorphicClusterer.load(tmp_path / "gestures")
    np.testing.assert_array_equal(again.transform(series), clusterer.transform(series))
    np.testing.assert_array_equal(again.predict(series), clusterer.labels_)


def test_of_series_of_one_length_there_is_one_kind():
    values = np.random.default_rng(0).normal(size=(12, 40, 1))
    clusterer = NeuromorphicClusterer(n_clusters=2).fit(values)
    assert not any("relative" in name for name in clusterer.get_feature_names_out())


def test_resampling_keeps_ends_and_straight_lines():
    lengths = np.array([5, 9, 1])
    lines = np.concatenate([np.linspace(0, 1, n) for n in lengths])
    data = Sequences(np.column_stack([lines, 2 * lines]), lengths)
    found = resampled(data, 7).values.reshape(3, 7, 2)
    np.testing.assert_allclose(found[:2, :, 0], [np.linspace(0, 1, 7)] * 2, atol=1e-12)
    np.testing.assert_allclose(found[..., 1], 2 * found[..., 0])
    assert not found[2].any()
