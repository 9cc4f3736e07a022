"""The bar counts requests, is off where nobody looks, and ends its line."""

import io
import sys

import pytest

from holdfast.edge import EdgeProfiler, ProfilingConfig, ProgressBar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_profile_shows_its_requests():
    seen = Terminal()
    config = ProfilingConfig(max_new_tokens=2)
    with EdgeProfiler("sim-rv32", config=config) as profiler:
        profiler.profile_model(None, ["a", "b"], progress=ProgressBar("sim", file=seen))
    assert "sim: 100%" in seen.getvalue()
    assert "2/2" in seen.getvalue()
    assert seen.getvalue().endswith("\n")


def test_nothing_is_shown_where_nobody_looks(make_generation):
    seen = io.StringIO()
    with ProgressBar(file=seen) as bar:
        bar(1, 3, make_generation())
    assert seen.getvalue() == ""


def test_a_run_that_stops_early_still_ends_its_line(make_generation):
    seen = Terminal()
    with ProgressBar(file=seen) as bar:
        bar(1, 3, make_generation())
    assert seen.getvalue().endswith("\n")
    bar.close()


def test_without_tqdm_the_way_out_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ImportError, match=r"holdfast\[progress\]"):
        ProgressBar()
