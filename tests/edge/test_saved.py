"""Damaged files are refused by name, place, rule and what is there instead."""

import json
import re

import numpy as np
import pytest

from holdfast.edge import ProfileResults, compare, load_records
from holdfast.errors import InvalidDataError


@pytest.fixture
def saved(results, tmp_path):
    """A saved result, and its records as JSONL and npz."""
    results.raw_measurements = {"tpot_ms": [5.0, 5.1], "digest": ["a", "b"]}
    results.export_json(tmp_path / "r.json")
    results.save_records(tmp_path / "r")
    return tmp_path


def damaged(content, path, value):
    *above, last = path
    for name in above:
        content = content[name]
    if value is ...:
        del content[last]
    else:
        content[last] = value


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["metadata"], ..., "metadata is missing"),
        (["metadata"], 3, "metadata must be an object, got 3"),
        (["metadata", "platform"], ..., "metadata.platform is missing"),
        (["metadata", "platform"], None, "metadata.platform must be text, got None"),
        (["metadata", "model_size_mb"], "big", "model_size_mb must be a number or null, got 'big'"),
        (["metadata", "timestamp"], 5, "metadata.timestamp must be text, got 5"),
        (["metadata", "timestamp"], "noon", "as ISO 8601 writes them, got 'noon'"),
        (["metadata", "session_metadata"], [1], "session_metadata must be an object, got [1]"),
        (["raw_measurements"], [1], "raw_measurements must be an object, got [1]"),
        (["raw_measurements", "tpot_ms"], 5, "raw_measurements.tpot_ms must be a list, got 5"),
        (["measurements", "x"], {"value": 3, "unit": "ms"}, "measurements.x.name is missing"),
        (["measurements", "x"], {"name": "x", "value": "fast", "unit": "ms"},
         "measurements.x.value must be a number or null, got 'fast'"),
        (["profiles", "latency"], {"sample_count": True},
         "profiles.latency.sample_count must be a whole number, got True"),
        (["profiles", "accuracy"], {"rouge_score": {"1": "x"}},
         "profiles.accuracy.rouge_score[1] must be a number, got 'x'"),
        (["schema"], "other/9", "schema must be 'holdfast.edge.results/1', got 'other/9'"),
    ],
)  # fmt: skip
def test_an_entry_that_is_not_what_it_must_be_is_named(saved, path, value, said):
    content = json.loads((saved / "r.json").read_text())
    damaged(content, path, value)
    (saved / "bad.json").write_text(json.dumps(content))
    with pytest.raises(InvalidDataError, match=rf"bad\.json is not .*{re.escape(said)}"):
        ProfileResults.from_json(saved / "bad.json")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "must be JSON: Expecting value in line 1, column 1"),
        (b"\xff\xfe\0", "must be UTF-8 text, got the byte 0xff"),
        (b"[]", "the whole must be an object, got []"),
        (b'{"metadata": ', "must be JSON: Expecting value in line 1, column 14"),
        (b'{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_result_at_all_says_what_it_is(tmp_path, content, said):
    (tmp_path / "bad.json").write_bytes(content)
    with pytest.raises(InvalidDataError, match=re.escape(said)):
        ProfileResults.from_json(tmp_path / "bad.json")


def test_files_of_a_newer_release_and_of_older_systems_are_read(saved, results):
    content = json.loads((saved / "r.json").read_text())
    content["metadata"]["colour"] = content["profiles"]["latency"] = {"colour": "red"}
    del content["schema"], content["metadata"]["session_id"]
    (saved / "r.json").write_text(json.dumps(content))
    assert ProfileResults.from_json(saved / "r.json").platform == results.platform


def test_values_that_are_no_numbers_are_not_compared(saved):
    one = ProfileResults.from_json(saved / "r.json")
    one.raw_measurements["tpot_ms"] = ["fast", "slow"]
    with pytest.raises(InvalidDataError, match="tpot_ms must hold numbers, got 'fast'"):
        compare(one, one, "tpot_ms")


def lines(saved):
    return (saved / "r.jsonl").read_text().splitlines()


def with_entry(saved, name, value):
    made = lines(saved)
    made[2] = json.dumps(json.loads(made[2]) | {name: value})
    return "\n".join(made).encode()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda saved: b"", "first line must name the schema"),
        (lambda saved: b"[1]", "first line must name the schema"),
        (lambda saved: b'{"schema": "x"}', "schema must be 'holdfast.edge.records/1', got 'x'"),
        (lambda saved: b"\xff", "must be UTF-8 text, got the byte 0xff"),
        (lambda saved: "\n".join(lines(saved))[:-9].encode(), "line 41: it must be JSON"),
        (lambda saved: with_entry(saved, "ticks", "abc"), "line 3.ticks must be a list, got 'abc'"),
        (lambda saved: with_entry(saved, "ticks", [1, "x"]),
         "line 3.ticks[1] must be a whole number, got 'x'"),
        (lambda saved: with_entry(saved, "pieces", ["a"]), "line 3: host_ns, pieces and counts"),
        (lambda saved: (lines(saved)[0] + "\n{}").encode(), "line 2.request is missing"),
    ],
)  # fmt: skip
def test_lines_that_are_no_records_are_named(saved, make, said):
    (saved / "bad.jsonl").write_bytes(make(saved))
    with pytest.raises(InvalidDataError, match=rf"(?s)bad\.jsonl does.*{re.escape(said)}"):
        load_records(saved / "bad.jsonl")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema": None}, "array schema must be"),
        ({"schema": np.array("x")}, "schema must be 'holdfast.edge.records/1', got 'x'"),
        ({"requests": None}, "the array requests is missing"),
        ({"requests": np.array("[")}, "it must be JSON"),
        ({"requests": np.array("[1]")}, "requests[0] must be an object, got 1"),
        ({"ticks": None}, "the array ticks is missing"),
        ({"ticks": np.zeros((2, 2), np.int64)}, "ticks must be one column of whole numbers"),
        ({"ticks": np.zeros(640)}, "ticks must be one column of whole numbers, got float64"),
        ({"ticks_offsets": np.array([0, 5])}, "ticks_offsets must say where each of 40"),
        ({"ticks_offsets": np.arange(41)}, "from 0 to 640"),
        ({"ticks": np.array([{}], dtype=object)}, "cannot be read"),
    ],
)
def test_columns_that_are_no_records_are_named(saved, changes, said):
    with np.load(saved / "r.npz") as table:
        made = dict(table) | changes
    np.savez(saved / "bad.npz", **{k: v for k, v in made.items() if v is not None})
    with pytest.raises(InvalidDataError, match=rf"bad\.npz does.*{re.escape(said)}"):
        load_records(saved / "bad.npz")


def found_in(path):
    try:
        return load_records(path)
    except InvalidDataError as error:
        return str(error)


def test_no_damage_to_an_archive_is_taken_for_records_or_for_a_pickle(saved):
    whole, bad = (saved / "r.npz").read_bytes(), saved / "bad.npz"
    expected = load_records(saved / "r.npz")
    for at in range(0, len(whole), 37):
        for content in (whole[:at], whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]):
            bad.write_bytes(content)
            found = found_in(bad)
            # Some bytes mean nothing: dates and the like.
            assert found == expected or (str(bad) in found and "trust" not in found), at
