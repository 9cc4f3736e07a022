"""The bar of a long fit."""

import pytest

pytest.importorskip("tqdm")
from holdfast import NeuromorphicClusterer
from holdfast.clustering import _progress
from holdfast.clustering._progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """Time that moves when told."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(_progress, "time", clock)
    return clock


def test_a_short_fit_shows_nothing(clock, capsys):
    with Progress(wanted=True) as show:
        for done in range(100):
            clock.now += 0.009
            show(done, 100)
    assert capsys.readouterr().err == ""


def test_a_long_fit_shows_a_share_now_and_then(clock, capsys):
    with Progress(wanted=True) as show:
        for done in range(1000):
            clock.now += 0.01
            show(done, 1000)
    lines = capsys.readouterr().err.split("\r")
    assert any("50%" in line for line in lines)
    assert len(lines) < 120


def test_a_step_that_announces_nothing_leaves_the_bar(clock, capsys):
    with Progress(wanted=True) as show:
        clock.now += 5
        show(7, 0)
    assert capsys.readouterr().err == ""


def test_who_does_not_look_costs_nothing(waves, capsys):
    with Progress(wanted=False) as show:
        assert show is None
    NeuromorphicClusterer(n_clusters=3, progress=None).fit(waves)
    assert capsys.readouterr().err == ""
