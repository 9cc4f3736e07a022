import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from holdfast.edge import median_interval, percentile, supporting_samples
from holdfast.edge._measurement.statistics import lag_one, student_chance, student_quantile
from holdfast.errors import InvalidParameterError


@pytest.mark.parametrize("freedom", [2, 2.7, 4, 5, 9.3, 30, 200])
def test_student_quantiles_are_those_of_scipy(freedom):
    for level in (0.5, 0.1, 0.05, 0.01):
        expected = stats.t.ppf(1 - level / 2, freedom)
        assert student_quantile(level, freedom) == pytest.approx(expected, rel=4e-3)


@pytest.mark.parametrize("freedom", [2, 3.5, 10, 59])
def test_student_tails_are_those_of_scipy(freedom):
    for t in (0.0, 0.01, 0.7, 2.0, 5.0):
        expected = 2 * stats.t.sf(t, freedom)
        assert student_chance(t, freedom) == pytest.approx(expected, rel=0.02, abs=0.004)


@pytest.mark.parametrize(("at", "n"), [(50, 11), (90, 64), (95, 130), (99, 662)])
def test_percentiles_need_as_many_samples_as_loadgen_asks_for(at, n):
    assert supporting_samples(at) == n
    short = percentile([[float(i)] for i in range(n - 1)], at)
    assert (short.value, short.need) == (None, 1)
    enough = percentile([[float(i)] for i in range(n)], at)
    assert enough.value is not None
    assert enough.bound == n - 1


def test_percentiles_are_samples_never_interpolations():
    values = [float(i * i) for i in range(1, 101)]
    found = percentile([[value] for value in values], 90)
    assert found.value == 90.0**2
    # P[Binom(100, 0.1) <= 3] = 0.0078 and <= 4 would be 0.024: the third from the top.
    assert found.bound == 98.0**2


def test_tokens_of_one_request_count_less_than_tokens_of_many():
    rng = np.random.default_rng(0)
    alike = [[float(level)] * 50 for level in rng.normal(size=10)]
    mixed = rng.normal(size=(10, 50)).tolist()
    assert percentile(alike, 90).value is None
    assert percentile(alike, 90).effective < 15
    assert percentile(mixed, 90).value is not None


def autoregressive(rng, n, rho, shape):
    noise = rng.standard_normal(n + 50)
    x = np.empty(n + 50)
    x[0] = noise[0]
    for t in range(1, n + 50):
        x[t] = rho * x[t - 1] + np.sqrt(1 - rho * rho) * noise[t]
    x = x[50:]
    return np.exp(0.5 * x) - 1 if shape == "skewed" else x


@pytest.mark.parametrize("shape", ["normal", "skewed"])
@pytest.mark.parametrize(("n", "rho"), [(30, 0), (30, 0.4), (60, 0.5), (100, 0.3), (100, 0.6)])
def test_95_of_100_intervals_hold_the_median_of_correlated_requests(n, rho, shape):
    rng = np.random.default_rng([n, int(100 * rho)])
    runs = 800
    hits = 0
    for _ in range(runs):
        found = median_interval(autoregressive(rng, n, rho, shape).tolist())
        hits += found.low <= 0 <= found.high
    # 93 to 97 plus three standard errors of 800 runs.
    assert 0.93 - 0.024 <= hits / runs <= 0.97 + 0.016


@pytest.mark.parametrize(("n", "rho"), [(8, 0), (15, 0.3), (30, 0.85)])
def test_small_or_strongly_correlated_samples_are_wider_and_say_so(n, rho):
    rng = np.random.default_rng(5)
    noted = hits = 0
    for _ in range(400):
        found = median_interval(autoregressive(rng, n, rho, "normal").tolist())
        noted += found.note is not None
        hits += found.low <= 0 <= found.high
    assert noted / 400 > (0.99 if n < 30 else 0.6)
    assert hits / 400 > 0.90


def test_fewer_than_six_values_have_no_interval():
    found = median_interval([1.0, 2.0, 3.0])
    assert (found.value, found.low, found.high) == (2.0, None, None)
    assert found.note == "3 more values needed"


def test_equal_values_have_an_interval_of_no_width():
    found = median_interval([4.0] * 10)
    assert (found.low, found.high, found.half_width) == (4.0, 4.0, 0.0)


@pytest.mark.parametrize(("values", "confidence"), [([], 0.95), ([1.0], 0.0), ([1.0], 1.0)])
def test_statistics_refuse_what_makes_no_sense(values, confidence):
    with pytest.raises(InvalidParameterError):
        median_interval(values, confidence)


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=6, max_size=80),
    st.floats(0.1, 10),
    st.floats(-5, 5),
)
def test_the_interval_holds_the_median_and_moves_with_the_scale(values, scale, shift):
    found = median_interval(values)
    assert found.low <= found.value <= found.high
    assert found.value == pytest.approx(float(np.median(values)))
    moved = median_interval([scale * value + shift for value in values])
    assert moved.value == pytest.approx(scale * found.value + shift, abs=1e-6, rel=1e-6)


def test_correlation_of_neighbours_is_nearly_unbiased():
    rng = np.random.default_rng(2)
    found = [lag_one(autoregressive(rng, 40, 0.5, "skewed").tolist()) for _ in range(400)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.04)


def test_prompts_that_differ_do_not_widen_the_interval():
    rng = random.Random(4)
    held = plain = 0
    for _ in range(400):
        prompts = [prompt for _ in range(6) for prompt in rng.sample(range(5), 5)]
        values = [prompt / 2 - 1 + rng.gauss(0, 1) for prompt in prompts]
        known, unknown = median_interval(values, strata=prompts), median_interval(values)
        held += known.low <= 0 <= known.high
        plain += unknown.low <= 0 <= unknown.high
    assert 0.93 <= held / 400 <= 0.985
    assert plain >= held


def test_a_prompt_that_lies_apart_still_leaves_an_interval():
    rng = random.Random(5)
    prompts = [0, 1] * 20
    values = [10 * prompt + rng.gauss(0, 1) for prompt in prompts]
    found = median_interval(values, strata=prompts)
    assert found.low < found.value < found.high
    with pytest.raises(InvalidParameterError, match="strata"):
        median_interval(values, strata=[1])


def test_percentiles_of_many_thousand_tokens_are_computed():
    groups = [
        [float(token + 7 * request % 50) for token in range(100)] for request in range(60)
    ]
    found = percentile(groups, 50)
    assert found.value is not None
    assert found.bound >= found.value
