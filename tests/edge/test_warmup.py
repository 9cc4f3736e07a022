import random

import pytest

from holdfast.edge import StopRule, warm_up_length


def noise(n, seed, mean=100.0):
    rng = random.Random(seed)
    return [rng.gauss(mean, 2) for _ in range(n)]


@pytest.mark.parametrize("slow", [1, 2, 4])
def test_slow_first_requests_are_found(slow):
    values = [150.0 + i for i in range(slow)] + noise(30, 1)
    assert warm_up_length(values) == slow


def test_a_shift_in_the_first_half_is_found():
    values = noise(20, 2, 106) + noise(40, 3)
    assert 17 <= warm_up_length(values) <= 23


def test_steady_requests_are_kept():
    dropped = [warm_up_length(noise(40, seed)) for seed in range(200)]
    assert sum(count > 0 for count in dropped) <= 10


def test_never_more_than_half_and_at_least_what_is_declared():
    assert warm_up_length([1.0] * 5, minimum=3) == 3
    assert warm_up_length(noise(20, 4) + noise(20, 5, 200)) <= 20


def test_stop_rules_end_at_precision_requests_or_time():
    rule = StopRule(requests=100, seconds=10, target=0.02)
    steady, rough = noise(40, 6), [abs(v) for v in noise(40, 7, 5)]
    assert rule.decide({"tpot_ms": steady}, 40, 1) == "converged"
    assert rule.decide({"tpot_ms": steady, "ttft_ms": rough}, 40, 1) is None
    assert rule.decide({"tpot_ms": steady[:29]}, 29, 1) is None
    assert rule.decide({"tpot_ms": rough}, 100, 1) == "budget"
    assert rule.decide({}, 0, 11) == "timeout"
    assert StopRule(100, 10, target=None).decide({"tpot_ms": steady}, 40, 1) is None
