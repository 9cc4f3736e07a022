import json
import zipfile

import numpy as np
import pytest

from holdfast import NeuromorphicClusterer
from holdfast.errors import InvalidDataError, InvalidParameterError


@pytest.fixture
def saved(waves, tmp_path):
    clusterer = NeuromorphicClusterer(n_clusters=3, n_jobs=1).fit(waves)
    path = tmp_path / "waves.holdfast"
    clusterer.save(path)
    return clusterer, path


def test_a_loaded_clusterer_is_the_saved_one(saved, waves, energies, tmp_path):
    clusterer, path = saved
    again = NeuromorphicClusterer.load(path)
    np.testing.assert_array_equal(again.transform(waves), clusterer.transform(waves))
    np.testing.assert_array_equal(again.predict(waves), clusterer.labels_)
    assert again.get_params() == clusterer.get_params()
    table = NeuromorphicClusterer().fit(energies)
    table.save(tmp_path / "table")
    np.testing.assert_array_equal(
        NeuromorphicClusterer.load(tmp_path / "table").predict(energies), table.labels_
    )


def test_the_format_is_open(saved):
    with zipfile.ZipFile(saved[1]) as archive:
        page = json.loads(archive.read("holdfast.json"))
        assert page["format"] == "holdfast-clusterer"
        with archive.open("model.centers.npy") as member:
            centers = np.load(member, allow_pickle=False)
    np.testing.assert_array_equal(centers, saved[0].cluster_centers_)


def test_a_truncated_file_is_refused(saved):
    body = saved[1].read_bytes()
    for size in (0, 10, len(body) // 2, len(body) - 1):
        saved[1].write_bytes(body[:size])
        with pytest.raises(InvalidDataError):
            NeuromorphicClusterer.load(saved[1])


def test_a_flipped_bit_in_the_content_is_refused(saved):
    body = saved[1].read_bytes()
    with zipfile.ZipFile(saved[1]) as archive:
        places = [
            info.header_offset + len(info.filename) + 30 + info.file_size // 2
            for info in archive.infolist()
        ]
    for place in places:
        damaged = bytearray(body)
        damaged[place] ^= 4
        saved[1].write_bytes(damaged)
        with pytest.raises(InvalidDataError, match="damaged"):
            NeuromorphicClusterer.load(saved[1])


def test_what_is_not_a_plain_value_cannot_be_saved(waves, tmp_path):
    clusterer = NeuromorphicClusterer(n_clusters=3, cache_ttl=object()).fit(waves)
    with pytest.raises(InvalidParameterError, match="cache_ttl cannot be saved"):
        clusterer.save(tmp_path / "x")
