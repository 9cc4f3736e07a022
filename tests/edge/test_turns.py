"""Two devices in turns: the same request of the same round is a pair."""

import pytest

from holdfast.edge import EdgeProfiler, ProfilingConfig, compare_profiles, profile_in_turns
from holdfast.errors import InvalidParameterError

CONFIG = ProfilingConfig(max_new_tokens=6, warmup_iterations=1, measurement_iterations=50)


def hosts():
    return {name: EdgeProfiler("host", config=CONFIG) for name in ("old", "new")}


def test_rounds_are_joined_and_compared_in_pairs(tiny_model):
    told = []
    found = profile_in_turns(
        hosts(), dict.fromkeys(("old", "new"), tiny_model), ["abc", "xyz"], rounds=4,
        progress=lambda name: lambda done, planned, last: told.append((name, done, planned)),
    )  # fmt: skip
    assert told[:4] == [("old", 1, 4), ("new", 1, 4), ("new", 2, 4), ("old", 2, 4)]
    for one in found.values():
        kept = [record for record in one.records if not record.warm_up]
        assert [record.repetition for record in kept] == [0, 0, 1, 1, 2, 2, 3, 3]
        assert one.session_metadata["requests"]["ok"] == len(kept) == 8
        assert one.session_metadata["warm_up_requests"] == 1
        assert one.measurements["tpot_ms"].n == 8
        assert one.measurements["ram_peak"].value > 0
        assert [record.request for record in one.records] == list(range(9))
    verdict = compare_profiles(found["old"], found["new"], ["tpot_ms"])
    assert verdict.comparisons[0].method == "paired"
    assert verdict.comparisons[0].reason is None
    assert verdict.comparisons[0].n == 8


def test_pairs_survive_a_file(tiny_model, tmp_path):
    from holdfast.edge import ProfileResults

    found = profile_in_turns(
        hosts(), dict.fromkeys(("old", "new"), tiny_model), ["abc"], rounds=6
    )
    for name, one in found.items():
        one.export_json(tmp_path / f"{name}.json")
    a, b = (ProfileResults.from_json(tmp_path / f"{name}.json") for name in found)
    assert compare_profiles(a, b, ["ttft_ms"]).comparisons[0].reason is None


def test_a_deterministic_device_is_asked_once_and_its_bar_knows(tiny_model):
    told = []
    devices = {
        "sim": EdgeProfiler("sim-rv32", config=CONFIG),
        "host": EdgeProfiler("host", config=CONFIG),
    }
    found = profile_in_turns(
        devices, dict.fromkeys(devices, tiny_model), ["Hi"], rounds=3,
        progress=lambda name: lambda done, planned, last: told.append((name, done, planned)),
    )  # fmt: skip
    assert len(found["sim"].records) == 1
    assert told == [("sim", 1, 1), ("host", 1, 3), ("host", 2, 3), ("host", 3, 3)]


def test_a_round_without_a_request_shows_nothing_and_costs_the_others_nothing(
    tiny_model, monkeypatch
):
    from holdfast.edge._measurement.loop import Measuring
    from holdfast.errors import RejectedError

    asked = []
    request = Measuring.request

    def refuse_the_second_round(self, *arguments):
        asked.append(arguments)
        if len(asked) == 3:
            raise RejectedError("no more")
        return request(self, *arguments)

    monkeypatch.setattr(Measuring, "request", refuse_the_second_round)
    told = []
    found = profile_in_turns(
        {"one": EdgeProfiler("host", config=CONFIG)}, {"one": tiny_model}, ["abc"],
        ["latency", "memory"], rounds=3,
        progress=lambda name: lambda done, planned, last: told.append((done, planned)),
    )["one"]  # fmt: skip
    assert told == [(1, 3), (3, 3)]
    assert [one.repetition for one in found.records if not one.warm_up] == [0, 2]
    assert found.session_metadata["stopped"] == "breaker"
    assert found.session_metadata["successful_metrics"] == ["latency", "memory"]
    assert found.session_metadata["causes"] == {}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (({},), "no profiler"), ((None, {"other": None}), "other"),
        ((None, None, ["a"], ["power"]), "power"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_in_turns_is_refused(arguments, said):
    given = [hosts() if arguments[0] is None else arguments[0], *arguments[1:]]
    with pytest.raises(InvalidParameterError, match=said):
        profile_in_turns(*given)
    with pytest.raises(InvalidParameterError, match="rounds"):
        profile_in_turns(hosts(), rounds=0)
