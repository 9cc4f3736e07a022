"""Deployments are ranked pair by pair, on what both of a pair measured."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.edge import (
    ComparativeAnalyzer,
    LatencyProfile,
    MemoryProfile,
    PowerProfile,
    ProfileResults,
)
from holdfast.edge._comparison.ranking import score_pairs, scores


def deployment(rate=None, memory=None, energy=None):
    one = ProfileResults("esp32", "tiny")
    if rate is not None:
        one.add_latency_profile(LatencyProfile(tokens_per_second=rate))
    if memory is not None:
        one.add_memory_profile(MemoryProfile(peak_memory_kb=memory))
    if energy is not None:
        one.add_power_profile(PowerProfile(energy_per_token_mj=energy))
    return one


def ranked(*results):
    analyzer = ComparativeAnalyzer()
    analyzer.compare([(f"m{i}", "esp32", one) for i, one in enumerate(results)])
    return analyzer


positive = st.floats(1e-3, 1e3)


@given(st.lists(st.tuples(positive, positive, positive), min_size=2, max_size=6))
def test_when_all_measured_all_it_is_the_geometric_mean(rows):
    found = scores(len(rows), score_pairs([deployment(*row) for row in rows]))
    means = [(rate / memory / energy) ** (1 / 3) for rate, memory, energy in rows]
    assert found == pytest.approx([mean / max(means) for mean in means], rel=1e-6)


def test_a_deployment_without_energy_does_not_cost_the_others_theirs():
    found = ranked(deployment(10, 100, 1.0), deployment(10, 100, 4.0), deployment(10, 100))
    by_name = {one.model_name: one for one in found.comparisons}
    assert by_name["m0"].relative_performance == 1
    assert by_name["m1"].relative_performance < by_name["m2"].relative_performance < 1
    assert (by_name["m2"].measured, by_name["m2"].missing) == (("rate", "memory"), ("energy",))


def test_every_pair_says_what_it_rests_on():
    pair = ranked(deployment(20, None, 1.0), deployment(10, 100, None)).pairs[0]
    assert (pair.on, pair.missing) == (("rate",), ("memory", "energy"))
    assert pair.ratio == pytest.approx(2)


def test_two_that_share_nothing_have_no_score():
    found = ranked(deployment(rate=10), deployment(memory=100))
    assert [one.relative_performance for one in found.comparisons] == [None, None]
    assert found.pairs[0].ratio is None


def test_a_chain_of_pairs_connects_what_shares_nothing():
    found = ranked(deployment(rate=20), deployment(rate=10, memory=50), deployment(memory=100))
    by_name = {one.model_name: one.relative_performance for one in found.comparisons}
    assert by_name == pytest.approx({"m0": 1, "m1": 0.5, "m2": 0.25})


def test_one_apart_from_the_rest_comes_last_without_a_score():
    found = ranked(deployment(energy=1.0), deployment(rate=10), deployment(rate=20)).comparisons
    assert [one.model_name for one in found] == ["m2", "m1", "m0"]
    assert found[-1].relative_performance is None


def test_one_alone_is_the_best_of_what_it_measured():
    assert ranked(deployment(rate=3)).comparisons[0].relative_performance == 1
    assert ranked(deployment()).comparisons[0].relative_performance is None
    assert ComparativeAnalyzer().compare([]) == []


def test_nothing_becomes_infinite_when_a_number_is_zero():
    found = ranked(deployment(rate=0, memory=10), deployment(rate=5, memory=10))
    assert all(math.isfinite(one.relative_performance) for one in found.comparisons)


def test_bars_say_what_was_not_measured(tmp_path):
    analyzer = ComparativeAnalyzer()
    results = [("a", "esp32", deployment(10, 100)), ("b <i>", "esp32", deployment(20, 200, 3))]
    picture = analyzer.plot_comparison(results, ["memory", "energy"], str(tmp_path / "c.svg"))
    assert picture.count("not measured") == 1
    assert "b &lt;i&gt; on esp32" in picture
    assert (tmp_path / "c.svg").read_text() == picture
    with pytest.raises(ValueError, match="metrics must be among"):
        analyzer.plot_comparison(results, ["speed"])
