"""What counts for itself is read as one, whoever shares its name, however long it lives."""

import gc

import pytest

from holdfast import _sources
from holdfast._sources import Sample
from holdfast.resilience import CircuitBreaker
from holdfast.telemetry import expose


class Counting:
    def __init__(self, total, level=0.0, name="x"):
        self.total, self.level, self.name = total, level, name
        _sources.register(self)

    def samples(self):
        labels = {"name": self.name}
        yield Sample("test_calls_total", "counter", "Calls", labels, self.total)
        yield Sample("test_level", "gauge", "Level", labels, self.level)


def read(name="x"):
    return {
        sample.name: sample.value
        for sample in _sources.samples()
        if sample.labels == {"name": name}
    }


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setattr(_sources, "_living", {})
    monkeypatch.setattr(_sources, "_gone", {})


def test_sources_of_one_name_add_up_and_the_highest_level_is_shown():
    held = [Counting(3, 1.0), Counting(4, 2.0), Counting(5, name="y")]
    assert read() == {"test_calls_total": 7, "test_level": 2.0}
    assert read("y") == {"test_calls_total": 5, "test_level": 0.0}
    assert len(_sources.samples()) == 4
    assert held


def test_a_total_never_goes_back():
    one, other = Counting(3), Counting(4)
    assert read()["test_calls_total"] == 7
    del one
    gc.collect()
    assert read()["test_calls_total"] == 7
    other.total = 6
    assert read()["test_calls_total"] == 9
    del other
    gc.collect()
    assert read() == {"test_calls_total": 9}


def test_what_is_kept_of_the_gone_is_bounded(monkeypatch):
    monkeypatch.setattr(_sources, "_MOST", 2)
    for name in "abc":
        source = Counting(1, name=name)
        _sources.samples()
        del source
    gc.collect()
    assert (read("a"), read("c")) == ({}, {"test_calls_total": 1})


def test_a_source_that_raises_is_left_out(caplog):
    class Broken(Counting):
        def samples(self):
            yield from super().samples()
            raise RuntimeError("x")

    held = [Broken(3), Counting(4)]
    assert read()["test_calls_total"] == 4
    assert "a source failed" in caplog.text
    assert held


def test_an_open_breaker_is_seen_beside_a_closed_one_of_its_name():
    one, other = CircuitBreaker("shared name"), CircuitBreaker("shared name")
    one.force_open()
    line = b'holdfast_breaker_state{name="shared name"} 2\n'
    assert line in expose()
    assert expose().count(b'holdfast_breaker_state{name="shared name"}') == 1
    assert other.state == "closed"


def test_a_source_that_dies_while_all_are_read_counts_once():
    held = [Counting(3)]

    class Last(Counting):
        def samples(self):
            held.clear()
            gc.collect()
            return super().samples()

    last = Last(4)
    assert [read()["test_calls_total"] for _ in range(2)] == [7, 7]
    assert last.total == 4
