import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.edge import Ping, fit_clock, unwrap
from holdfast.errors import InvalidDataError


@given(st.lists(st.integers(0, 2**20 - 1), min_size=1, max_size=50), st.integers(20, 32))
def test_a_counter_that_starts_over_is_made_to_grow(steps, bits):
    true = [sum(steps[: i + 1]) for i in range(len(steps))]
    found = unwrap([value % 2**bits for value in true], bits)
    assert [value - found[0] for value in found] == [value - true[0] for value in true]


def test_gaps_of_several_turns_need_the_hosts_clock():
    true = [0, 5 * 2**16 + 100, 5 * 2**16 + 200]
    host = [round(value / 1e6 * 1e9) + 300 for value in true]
    wrapped = [value % 2**16 for value in true]
    assert unwrap(wrapped, 16) == [0, 100, 200]
    assert unwrap(wrapped, 16, host, 1e6) == true


def test_a_tick_that_does_not_fit_is_refused():
    with pytest.raises(InvalidDataError, match="16 bits"):
        unwrap([70_000], 16)


@pytest.mark.parametrize("drift_ppm", [-200.0, 0.0, 50.0, 1000.0])
def test_offset_drift_and_error_bound_of_a_jittery_link(drift_ppm):
    noise = random.Random(1)
    hz, offset = 1e6, 123_456_789_000
    true_ns_per_tick = 1e9 / hz / (1 + drift_ppm * 1e-6)
    pings = []
    for i in range(200):
        ticks = 1000 + i * 50_000
        at = offset + ticks * true_ns_per_tick
        there, back = (200_000 + 5e6 * noise.random() ** 4 for _ in "ab")
        pings.append(Ping(round(at - there), ticks, ticks, round(at + back)))
    fit = fit_clock(pings, hz)
    assert fit.drift_ppm == pytest.approx(drift_ppm, abs=20)
    for ticks in (1000, 5_000_000, 10_000_000):
        assert (
            abs(fit.offset_ns + ticks * fit.ns_per_tick - (offset + ticks * true_ns_per_tick))
            <= fit.error_ns
        )
    assert fit.error_ns < 1e6


def test_one_ping_gives_an_offset_with_its_bound_but_no_drift():
    fit = fit_clock([Ping(1000, 5, 5, 3000)], 1e6)
    assert (fit.drift_ppm, fit.error_ns, fit.n) == (None, 1000, 1)


def test_no_ping_gives_no_clock():
    with pytest.raises(InvalidDataError):
        fit_clock([], 1e6)
