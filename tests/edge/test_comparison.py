import numpy as np
import pytest

from holdfast.edge import ProfileResults, compare
from holdfast.edge._measurement.summary import fill
from holdfast.errors import InvalidDataError, InvalidParameterError


def pairs(rng, slower, n=60):
    """5 % variation of each, plus a load that both see."""
    load = np.repeat(rng.uniform(1, 2, n // 10), 10)
    a = 100 * load * np.exp(0.05 * rng.standard_normal(n))
    b = 100 * load * slower * np.exp(0.05 * rng.standard_normal(n))
    return a.tolist(), b.tolist()


def verdicts(slower, runs=300):
    rng = np.random.default_rng(7)
    return [compare(*pairs(rng, slower)).verdict for _ in range(runs)]


def test_a_slow_down_of_3_percent_is_found_9_times_of_10():
    assert verdicts(1.03).count("slower") / 300 >= 0.9


def test_no_change_is_called_slower_1_time_of_20():
    assert verdicts(1.0).count("slower") / 300 <= 0.05 + 0.025


@pytest.mark.parametrize("rho", [0.3, 0.6])
def test_correlated_pairs_do_not_raise_false_alarms(rho):
    rng = np.random.default_rng(11)
    alarms = 0
    for _ in range(400):
        noise = 0.07 * rng.standard_normal(90)
        for t in range(1, 90):
            noise[t] = rho * noise[t - 1] + np.sqrt(1 - rho * rho) * noise[t]
        a = 100 * np.exp(0.05 * rng.standard_normal(60))
        alarms += compare(a.tolist(), (a * np.exp(noise[30:])).tolist()).verdict == "slower"
    assert alarms / 400 <= 0.05 + 0.033


def test_equal_pairs_are_the_same():
    found = compare([1.0] * 20, [1.0] * 20)
    assert (found.verdict, found.ratio, found.low, found.high) == ("same", 1.0, 1.0, 1.0)


def test_the_interval_holds_the_true_ratio():
    rng = np.random.default_rng(8)
    held = 0
    for _ in range(200):
        found = compare(*pairs(rng, 1.03))
        held += found.low <= 1.03 <= found.high
    assert held / 200 == pytest.approx(0.95, abs=0.045)


def test_spikes_do_not_hide_a_slow_down():
    rng = np.random.default_rng(9)
    a, b = pairs(rng, 1.05)
    a[3] *= 30
    a[40] *= 10
    assert compare(a, b).verdict == "slower"


def test_rates_count_the_other_way_round():
    fast, slow = [100.0, 101, 99, 100, 102, 98, 100], [50.0, 51, 49, 50, 52, 48, 50]
    found = compare(fast, slow, "decode_tps")
    assert (found.verdict, found.exit_code) == ("slower", 1)
    assert found.ratio == pytest.approx(2, rel=0.03)
    assert compare(slow, fast, "decode_tps").verdict == "faster"


def test_samples_of_different_length_are_compared_without_pairs():
    rng = np.random.default_rng(10)
    a = rng.normal(100, 2, 40).tolist()
    b = rng.normal(105, 2, 50).tolist()
    found = compare(a, b)
    assert (found.method, found.verdict, found.n) == ("unpaired", "slower", 40)
    assert found.low <= 1.05 <= found.high
    assert found.reason


def result(make_generation, itl_ms, n=2, **settings):
    one = ProfileResults("sim-rv32", "tiny")
    one.records = [make_generation(i, itl_ms=itl_ms, clock="virtual") for i in range(n)]
    one.test_configuration = settings
    fill(one)
    return one


def test_deterministic_results_are_compared_exactly(make_generation):
    base = result(make_generation, 5.0, deterministic=True)
    same = compare(base, result(make_generation, 5.0, deterministic=True))
    assert (same.verdict, same.method, same.ratio) == ("same", "exact", 1.0)
    worse = compare(base, result(make_generation, 5.001, deterministic=True))
    assert (worse.verdict, worse.exit_code) == ("slower", 1)


def test_what_cannot_be_compared_says_why_and_exits_with_2(make_generation):
    few = compare([1.0, 2.0], [1.0, 2.0])
    assert (few.verdict, few.exit_code) == ("not comparable", 2)
    empty = compare(ProfileResults("a", "m"), result(make_generation, 5.0))
    assert "a has no tpot_ms" in empty.reason


def test_results_with_the_same_prompts_are_paired(make_generation):
    a, b = (result(make_generation, itl, n=20) for itl in (5.0, 5.5))
    assert compare(a, b).method == "paired"
    b.raw_measurements["prompt_index"][0] = 9
    assert (compare(a, b).method, compare(a, b).n) == ("paired", 19)
    b.raw_measurements["prompt_index"][:5] = [9] * 5
    assert compare(a, b).method == "unpaired"
    a.raw_measurements["repetition"] = [0] * 20
    assert compare(a, b).method == "unpaired"


def test_a_request_that_failed_in_one_of_both_costs_only_its_own_pair(make_generation):
    a, b = (result(make_generation, itl, n=30) for itl in (5.0, 5.5))
    b.records[7].status = "failed"
    fill(b)
    found = compare(a, b)
    assert (found.method, found.n, found.verdict) == ("paired", 29, "slower")


def test_unknown_metrics_levels_and_numbers_are_refused():
    with pytest.raises(InvalidParameterError, match="metric"):
        compare([1.0], [1.0], "speed")
    with pytest.raises(InvalidParameterError, match="alpha"):
        compare([1.0], [1.0], alpha=2)
    with pytest.raises(InvalidDataError, match="b must hold positive"):
        compare([1.0] * 6, [1.0] * 5 + [0.0])
