import numpy as np
import pytest

from holdfast.datasets import load_japanese_vowels, load_wine


def test_the_vowels_are_the_published_ones():
    vowels = load_japanese_vowels()
    lengths = [len(series) for series in vowels.X]
    assert (len(lengths), min(lengths), max(lengths), sum(lengths)) == (
        640,
        7,
        29,
        9961,
    )
    assert {series.shape[1] for series in vowels.X} == {len(vowels.names)} == {12}
    assert np.bincount(vowels.y).tolist() == [61, 65, 118, 74, 59, 54, 70, 80, 59]
    assert vowels.X[0][0, :2].tolist() == [1.860936, -0.207383]


def test_the_wines_are_those_of_scikit_learn():
    reference = pytest.importorskip("sklearn.datasets").load_wine()
    wine = load_wine()
    np.testing.assert_array_equal(wine.X, reference.data)
    np.testing.assert_array_equal(wine.y, reference.target)
    assert len(wine.names) == wine.X.shape[1]


@pytest.mark.parametrize("load", [load_japanese_vowels, load_wine])
def test_every_set_names_its_source_and_licence(load):
    data = load()
    assert "doi.org" in data.source
    assert data.licence.startswith("CC BY 4.0")
    assert len(data.X) == len(data.y)
