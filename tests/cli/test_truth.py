"""What was not measured is neither a success nor a number."""

import pytest

from holdfast.cli import main
from holdfast.edge import (
    EdgeProfiler,
    InsufficientDataError,
    ProfileResults,
    ProfilingConfig,
    load_records,
)
from holdfast.errors import InvalidParameterError


def test_nothing_timed_is_a_failure(capsys):
    assert main(["profile", "--tokens", "2", "--prompt", "x y " * 2000]) == 1
    assert "latency was not measured" in capsys.readouterr().err


def test_files_that_cannot_be_compared_are_no_slowdown(tmp_path, capsys):
    assert main(["compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")]) == 2
    assert "a.json" in capsys.readouterr().err


def test_a_port_out_of_range_is_a_bad_device(capsys):
    assert main(["profile", "-p", "rpi_zero", "-d", "tcp://127.0.0.1:99999"]) == 1
    assert "port of 1 to 65535" in capsys.readouterr().err


def test_text_that_is_none_is_refused_by_name():
    refused = pytest.raises(InvalidParameterError, match="test_prompts must be valid Unicode")
    with EdgeProfiler("sim-rv32") as profiler, refused:
        profiler.profile_model(None, ["\ud800"])


def test_a_digest_is_never_taken_without_the_records(tmp_path):
    with EdgeProfiler("sim-rv32", config=ProfilingConfig(max_new_tokens=2)) as profiler:
        results = profiler.profile_model(None, ["Hi"])
    results.export_json(tmp_path / "r.json")
    results.save_records(tmp_path / "r")
    again = ProfileResults.from_json(tmp_path / "r.json")
    with pytest.raises(InsufficientDataError, match="content_hash"):
        again.content_hash()
    again.records = load_records(tmp_path / "r")
    assert again.content_hash() == results.content_hash()


def test_a_source_of_energy_asks_for_energy():
    config = ProfilingConfig(max_new_tokens=2, energy="/nowhere/trace.csv")
    with EdgeProfiler("host", config=config) as profiler:
        results = profiler.profile_model(None, ["Hi"])
    assert "power" in results.session_metadata["causes"]
