"""Whatever stands in a saved result, it is read or refused by name."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from fuzzing import EDITS, altered, budget, damaged
from hypothesis import given
from hypothesis import strategies as st

from holdfast.edge import Generation, ProfileResults, load_records, save_records
from holdfast.errors import InvalidDataError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


def records():
    out = []
    for index in range(2):
        one = Generation(index, "Hello", clock="device", tick_hz=1e6, start_host_ns=10**9)
        for i in range(3):
            one.add(10**9 + i * 10**6, ticks=1000 * i, token_id=i, piece=f"t{i}")
        one.start_ticks, one.end_ticks, one.end_host_ns = 0, 2000, 10**9 + 3 * 10**6
        out.append(one)
    return out


def read(path):
    try:
        found = load_records(path)
    except InvalidDataError:
        return
    assert all(isinstance(one, Generation) for one in found)


@budget(200)
@given(edits=EDITS, suffix=st.sampled_from([".jsonl", ".npz"]))
def test_damaged_records_are_read_or_refused(folder, edits, suffix):
    path = folder / f"r{suffix}"
    save_records(records(), folder / "r")
    path.write_bytes(damaged(path.read_bytes(), edits))
    read(path)


@budget(200)
@given(
    line=altered(json.loads(json.dumps(asdict(records()[0])))),
    about=altered({"schema": "holdfast.edge.records/1"}),
)
def test_lines_of_anything_are_read_or_refused(folder, line, about):
    path = folder / "x.jsonl"
    path.write_text(f"{json.dumps(about)}\n{json.dumps(line)}\n")
    read(path)


@budget(100)
@given(requests=altered([{"request": 0}]), ends=st.lists(st.integers(-2, 9), max_size=4))
def test_columns_of_anything_are_read_or_refused(folder, requests, ends):
    table = {
        "schema": np.array("holdfast.edge.records/1"),
        "requests": np.array(json.dumps(requests)),
    }
    for name in ("host_ns", "ticks", "token_ids", "counts"):
        table |= {name: np.arange(3), f"{name}_offsets": np.array(ends, dtype=np.int64)}
    np.savez_compressed(folder / "c.npz", **table)
    read(folder / "c.npz")


@budget(200)
@given(data=st.data())
def test_a_saved_result_of_anything_is_read_or_refused(folder, data):
    whole = ProfileResults("sim-rv32", "tiny", 0.3, "8bit", session_id="0" * 32)
    whole.export_json(folder / "whole.json")
    content = data.draw(altered(json.loads((folder / "whole.json").read_text())))
    path = folder / "r.json"
    path.write_text(json.dumps(content))
    try:
        ProfileResults.from_json(path)
    except InvalidDataError:
        return
