import pytest

from holdfast.errors import InvalidParameterError
from holdfast.resilience import Degradation, Level

LEAN = Level("lean", 0.7, 0.5, frozenset({"previews"}))
BARE = Level("bare", 0.9, 0.8, frozenset({"search"}))


def test_levels_begin_at_once_and_end_step_by_step(clock, events):
    changes = []
    degradation = Degradation(
        LEAN, BARE, hold=10, on_change=lambda *change: changes.append(change), clock=clock
    )
    assert degradation.observe(0.95) == "bare"
    assert not degradation.offers("search")
    assert not degradation.offers("previews")
    assert degradation.observe(0.1) == "bare"
    clock.advance(10)
    assert degradation.observe(0.1) == "lean"
    assert degradation.offers("search")
    degradation.observe(0.1)
    clock.advance(10)
    assert degradation.observe(0.1) == "normal"
    assert degradation.offers("previews")
    assert changes == [("normal", "bare"), ("bare", "lean"), ("lean", "normal")]
    assert [e.attributes["to"] for e in events] == ["bare", "lean", "normal"]


def test_a_hook_that_fails_does_not_reach_the_observer(clock, caplog):
    degradation = Degradation(LEAN, on_change=lambda *_: 1 / 0, clock=clock)
    assert degradation.observe(1.0) == "lean"
    assert "on_change failed" in caplog.text
    assert [s.value for s in degradation.samples()] == [1]


@pytest.mark.parametrize("levels", [(), (BARE, LEAN)], ids=["none", "falling"])
def test_rejects_levels_that_make_no_sense(levels):
    with pytest.raises(InvalidParameterError):
        Degradation(*levels)
