"""Two whole results: what is worse, what cannot be said, what else differs."""

import json

import pytest

from holdfast.edge import Measurement, ProfileResults, compare, compare_profiles
from holdfast.edge._measurement.summary import fill
from holdfast.errors import InvalidParameterError


@pytest.fixture
def profile(make_generation):
    def make(
        itl_ms=5.0, *, ram=200_000, flash=400_000, energy=None, n=2, method="exact", **more
    ):
        one = ProfileResults("sim-rv32", "tiny", 0.3, "8bit")
        settings = {"deterministic": True, "prompts": ["Hello"]} | more
        one.test_configuration = settings
        jitter = [1 + 0.02 * (i * 7 % 5) for i in range(n)]
        one.records = [
            make_generation(i, itl_ms=itl_ms * (1 if settings["deterministic"] else jitter[i]))
            for i in range(n)
        ]
        fill(one)
        one.measurements["ram_peak"] = Measurement("ram_peak", ram, "B", method=method)
        one.measurements["flash"] = Measurement("flash", flash, "B", method="exact")
        if energy is not None:
            one.measurements["energy_per_token"] = Measurement("energy_per_token", energy, "mJ")
            one.raw_measurements["energy_per_token_mj"] = [
                energy * (1 if settings["deterministic"] else jitter[i]) for i in range(n)
            ]
        return one

    return make


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ({}, {}, []),
        ({}, {"itl_ms": 5.01}, ["tpot_ms"]),
        ({}, {"ram": 200_100}, ["ram_peak"]),
        ({}, {"flash": 400_100}, ["flash"]),
        ({}, {"ram": 199_000, "itl_ms": 4.0}, []),
        ({"energy": 2.0}, {"energy": 2.1}, ["energy_per_token"]),
        ({"energy": 2.0}, {"energy": 1.9}, []),
    ],
)
def test_a_deterministic_device_is_compared_exactly(profile, before, after, worse):
    found = compare_profiles(profile(**before), profile(**after))
    assert [one.metric for one in found.comparisons if one.is_worse] == worse
    assert found.exit_code == (1 if worse else 0)
    assert all(one.method == "exact" for one in found.comparisons)


def test_measured_energy_is_compared_by_rank():
    a, b = ProfileResults("esp32", "m"), ProfileResults("esp32", "m")
    a.raw_measurements["energy_per_token_mj"] = [1 + 0.02 * (i * 7 % 5) for i in range(30)]
    b.raw_measurements["energy_per_token_mj"] = [1.1 + 0.02 * (i * 3 % 5) for i in range(30)]
    found = compare(a, b, "energy_per_token")
    assert (found.verdict, found.method) == ("more", "unpaired")
    assert found.p_worse < 0.01
    assert found.low < 1.1 < found.high


def test_energy_of_the_whole_run_only_is_not_comparable(profile):
    a, b = profile(energy=1.0), profile(energy=1.0)
    del b.raw_measurements["energy_per_token_mj"]
    found = compare(a, b, "energy_per_token")
    assert found.exit_code == 2
    assert "b has energy_per_token of the whole run only" in found.reason


def test_the_memory_of_a_process_scatters_by_pages(profile):
    a, b, c = (profile(ram=ram, method="VmHWM") for ram in (1_000_000, 1_020_000, 1_200_000))
    assert (compare(a, b, "ram_peak").verdict, compare(a, c, "ram_peak").verdict) == (
        "same",
        "more",
    )
    assert compare(a, b, "ram_peak").method == "reading"


def test_memory_found_in_two_ways_says_so(profile):
    found = compare(profile(), profile(method="painted stack"), "ram_peak")
    assert found.reason == "found in two ways: exact, and painted stack"


def test_what_only_one_of_both_measured_cannot_be_gated(profile):
    found = compare_profiles(profile(energy=1.0), profile())
    assert found.exit_code == 2
    assert found.verdict == "not comparable"
    assert found.comparisons[-1].reason == "b has no energy_per_token"


def test_worse_weighs_more_than_not_comparable(profile):
    assert compare_profiles(profile(energy=1.0), profile(itl_ms=6.0)).exit_code == 1


def test_nothing_measured_is_nothing_compared():
    found = compare_profiles(ProfileResults("a", "m"), ProfileResults("b", "m"))
    assert found.exit_code == 2


def test_whole_answers_stand_in_where_tokens_cannot_be_told_apart(profile):
    a, b = profile(), profile()
    for one in (a, b):
        del one.raw_measurements["tpot_ms"]
    assert compare_profiles(a, b).comparisons[0].metric == "e2e_ms"


def test_false_alarms_of_all_metrics_together_stay_at_alpha():
    import numpy as np

    rng = np.random.default_rng(3)
    names = ("tpot_ms", "ttft_ms", "e2e_ms", "itl_ms")
    alarms = 0
    for _ in range(200):
        a, b = ProfileResults("x", "m"), ProfileResults("x", "m")
        for name in names:
            for one in (a, b):
                one.raw_measurements[name] = np.exp(0.05 * rng.standard_normal(40)).tolist()
        alarms += compare_profiles(a, b, names).exit_code == 1
    assert alarms / 200 <= 0.05 + 0.04


def test_holm_is_less_strict_for_the_second():
    from dataclasses import replace

    from holdfast.edge._comparison.gate import _step_down

    one = compare([1.0] * 6, [1.1] * 6)
    first, second, third = (
        replace(one, verdict="slower", p_worse=p) for p in (0.01, 0.02, 0.06)
    )
    assert [c.verdict for c in _step_down([third, first, second], 0.05)] == [
        "same",
        "slower",
        "slower",
    ]
    assert [c.verdict for c in _step_down([second, second, second], 0.05)] == ["same"] * 3


def test_other_devices_models_and_settings_are_said(profile):
    a, b = profile(), profile(max_new_tokens=8)
    b.platform, b.model_name, b.quantization = "esp32", "other", "4bit"
    b.environment_info = {"device": {"board": "esp32", "clock": "device"}}
    b.session_metadata = {"requests": {"ok": 1, "failed": 1}}
    said = [one.what for one in compare_profiles(a, b).differences]
    assert said == [
        "platform", "model_name", "quantization", "device board", "device clock",
        "max_new_tokens", "requests failed",
    ]  # fmt: skip
    assert compare_profiles(a, profile()).differences == ()


def test_other_answers_to_the_same_prompt_are_said(profile):
    a, b = profile(), profile()
    a.raw_measurements["digest"], b.raw_measurements["digest"] = ["x", "y"], ["x", "z"]
    assert str(compare_profiles(a, b).differences[0]) == "output digests (request 1): y -> z"


def test_the_table_is_read_by_people_and_the_dictionary_by_programs(profile):
    found = compare_profiles(profile(), profile(ram=300_000, itl_ms=5.5))
    lines = str(found).splitlines()
    assert lines[0].split() == [
        "metric",
        "before",
        "after",
        "change",
        "95",
        "%",
        "verdict",
        "method",
    ]
    assert "+50.00 %" in lines[3]
    assert lines[-1] == "verdict: worse"
    said = json.loads(json.dumps(found.to_dict()))
    assert (said["verdict"], said["exit_code"]) == ("worse", 1)
    assert said["comparisons"][2]["after"] == 300_000
    assert "<td>ram_peak</td>" in found._repr_html_()
    b = profile()
    del b.measurements["flash"]
    lacking = compare_profiles(profile(), b)
    assert "<li>flash: b has no flash</li>" in lacking._repr_html_()
    both = compare_profiles(b, b, ["flash"])
    assert both.comparisons[0].reason == "a and b have no flash"


def test_metrics_are_named_once_and_known(profile):
    with pytest.raises(InvalidParameterError, match="metrics must be named once"):
        compare_profiles(profile(), profile(), ["flash", "flash"])
    with pytest.raises(InvalidParameterError, match="metric must be one of"):
        compare_profiles(profile(), profile(), ["speed"])
    with pytest.raises(InvalidParameterError, match="tolerance"):
        compare_profiles(profile(), profile(), tolerance=-1)


def test_two_runs_of_a_clock_that_drifts_say_so(profile):
    a, b = (profile(deterministic=False, n=12) for _ in range(2))
    b.session_metadata = {"marks": {"contention": 7}}
    found = compare_profiles(a, b, ["tpot_ms", "ttft_ms"])
    lines = str(found).splitlines()
    assert "tpot_ms, ttft_ms: two runs: what changed between them is in the difference" in lines
    assert "differs: requests marked contention: 0 -> 7" in lines
