"""Files that are not what `save` wrote, and places where it cannot write."""

import hashlib
import io
import json
import os
import stat
import zipfile

import numpy as np
import pytest

from holdfast import NeuromorphicClusterer
from holdfast.errors import InvalidDataError, NotFittedError

PAGE = "holdfast.json"


@pytest.fixture(scope="module")
def clusterer():
    series = np.random.default_rng(0).normal(size=(12, 40, 2))
    return NeuromorphicClusterer(n_clusters=np.int64(3), n_jobs=1).fit(series)


@pytest.fixture
def path(clusterer, tmp_path):
    clusterer.save(tmp_path / "model.holdfast")
    return tmp_path / "model.holdfast"


def rewritten(path, change, arrays=None, *, sign=True):
    """Write `path` anew with its page changed, and arrays where given, all signed."""
    with zipfile.ZipFile(path) as archive:
        bodies = {info.filename: archive.read(info) for info in archive.infolist()}
    page = json.loads(bodies.pop(PAGE))
    for name, array in (arrays or {}).items():
        body = io.BytesIO()
        np.save(body, array, allow_pickle=array.dtype == object)
        bodies[f"{name}.npy"] = body.getvalue()
        page["sha256"][name] = hashlib.sha256(body.getvalue()).hexdigest()
    page = change(page)
    text = json.dumps(page).encode()
    with zipfile.ZipFile(path, "w") as archive:
        if sign:
            archive.comment = hashlib.sha256(text).hexdigest().encode()
        archive.writestr(PAGE, text)
        for name, body in bodies.items():
            archive.writestr(name, body)


PAGES = {
    "another program's": (
        lambda page: {**page, "format": "x"},
        "'holdfast-clusterer', got 'x'",
    ),
    "of no format": (lambda page: {}, "must hold a 'holdfast-clusterer', got None"),
    "a list": (lambda page: [page], "must hold a 'holdfast-clusterer', got None"),
    "of the future": (lambda page: {**page, "version": 99}, "version 99, this release reads"),
    "of no version": (lambda page: {**page, "version": "1"}, "version '1'"),
    "without parameters": (lambda page: {**page, "parameters": None}, "incomplete"),
    "without a model": (lambda page: {**page, "settings": {}}, "incomplete"),
    "of another parameter": (
        lambda page: {**page, "parameters": {**page["parameters"], "speed": 1}},
        "unexpected keyword argument 'speed'",
    ),
    "of a missing array": (
        lambda page: {**page, "sha256": {**page["sha256"], "model.x": "0"}},
        "model.x",
    ),
    "of another checksum": (
        lambda page: {**page, "sha256": {**page["sha256"], "model.centers": "0" * 64}},
        "damaged: model.centers was changed",
    ),
}


@pytest.mark.parametrize(("change", "message"), PAGES.values(), ids=PAGES)
def test_a_page_that_is_not_ours_is_refused(path, change, message):
    rewritten(path, change)
    with pytest.raises(InvalidDataError, match=message) as refused:
        NeuromorphicClusterer.load(path)
    assert str(path) in str(refused.value)


def test_a_changed_page_without_its_checksum_is_refused(path):
    rewritten(path, lambda page: {**page, "seconds": 1.0}, sign=False)
    with pytest.raises(InvalidDataError, match=f"damaged: {PAGE} was changed"):
        NeuromorphicClusterer.load(path)


def test_objects_are_never_unpickled(path):
    rewritten(path, lambda page: page, {"model.labels": np.array([print], dtype=object)})
    with pytest.raises(InvalidDataError, match="allow_pickle"):
        NeuromorphicClusterer.load(path)


FOREIGN = {
    "nothing": b"",
    "text": b"employee_id,red_energy\n1,50\n",
    "a pickle": b"\x80\x04\x95",
    "half a zip": b"PK\x03\x04" + b"\0" * 40,
}


@pytest.mark.parametrize("body", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_file_is_refused(tmp_path, body):
    (tmp_path / "x").write_bytes(body)
    with pytest.raises(InvalidDataError, match="not a saved clusterer"):
        NeuromorphicClusterer.load(tmp_path / "x")


def test_a_foreign_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("readme", "hello")
    with pytest.raises(InvalidDataError, match=r"not a saved clusterer.*holdfast\.json"):
        NeuromorphicClusterer.load(tmp_path / "x.zip")


def test_what_is_not_there_is_not_found(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        NeuromorphicClusterer.load(tmp_path / "nowhere")


def test_a_directory_is_no_file(clusterer, tmp_path):
    with pytest.raises(IsADirectoryError, match="path must be a file"):
        clusterer.save(tmp_path)
    with pytest.raises(OSError, match="directory"):
        NeuromorphicClusterer.load(tmp_path)


def test_a_directory_that_does_not_exist_is_named(clusterer, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        clusterer.save(tmp_path / "nowhere" / "model")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_may_not_be_written_leaves_the_file(clusterer, path):
    before = path.read_bytes()
    path.parent.chmod(0o500)
    try:
        with pytest.raises(PermissionError):
            clusterer.save(path)
    finally:
        path.parent.chmod(0o700)
    assert path.read_bytes() == before


@pytest.mark.parametrize("broken", ["pathlib.Path.open", "os.fsync", "pathlib.Path.replace"])
def test_a_save_that_fails_leaves_the_file_and_no_other(clusterer, path, monkeypatch, broken):
    before = path.read_bytes()

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(broken, fail)
        with pytest.raises(OSError, match="No space left"):
            clusterer.save(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_saving_needs_a_fit(tmp_path):
    with pytest.raises(NotFittedError):
        NeuromorphicClusterer().save(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_a_saved_file_has_the_permissions_of_any_other(path):
    other = path.with_name("other")
    other.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


def test_a_link_stays_one(clusterer, path, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(path)
    clusterer.save(link)
    assert link.is_symlink()
    np.testing.assert_array_equal(NeuromorphicClusterer.load(link).labels_, clusterer.labels_)


def test_numbers_of_numpy_are_saved_as_numbers(path):
    assert NeuromorphicClusterer.load(path).get_params()["n_clusters"] == 3
