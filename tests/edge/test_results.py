import csv
import json
import pickle

import pytest

from holdfast.edge import (
    LatencyProfile,
    Measurement,
    MemoryProfile,
    PowerProfile,
    ProfileResults,
    load_records,
    recompute,
    save_records,
)
from holdfast.edge._measurement.summary import fill
from holdfast.errors import InvalidDataError


def test_what_was_not_measured_is_none():
    results = ProfileResults("esp32", "tiny")
    assert results.tokens_per_second is None
    assert results.peak_memory_kb is None
    assert results.energy_per_token_mj is None
    assert results.calculate_efficiency_score() is None
    assert LatencyProfile().percentile_99_ms is None


def test_a_rate_follows_from_the_time_per_token():
    assert LatencyProfile(10, 20, 300).tokens_per_second == 50
    assert LatencyProfile(10, 0, 300).tokens_per_second is None


def test_current_follows_from_power_and_voltage():
    assert PowerProfile(active_power_mw=33, voltage_v=3.3).average_current_ma == pytest.approx(
        10
    )
    assert PowerProfile(active_power_mw=33).average_current_ma is None


def test_the_summary_names_only_what_was_measured():
    results = ProfileResults("esp32", "tiny", 0.3, "4bit")
    results.add_latency_profile(LatencyProfile(100, 20, 500))
    summary = results.get_summary()
    assert summary["latency"]["tokens_per_second"] == 50
    assert "memory" not in summary
    assert results.throughput_profile.tokens_per_second == 50


def test_json_gives_back_everything_it_was_given(results, tmp_path):
    fill(results, planned=40)
    results.add_memory_profile(MemoryProfile(10.0, 30.0, 20.0, method="exact"))
    results.session_metadata = {"failed_metrics": ["power"]}
    results.export_json(tmp_path / "r.json")
    back = ProfileResults.from_json(tmp_path / "r.json")
    assert back.measurements == results.measurements
    assert back.memory_profile == results.memory_profile
    assert back.latency_profile == results.latency_profile
    assert back.session_metadata == results.session_metadata
    assert (back.session_id, back.timestamp, back.start_time) == (
        results.session_id, results.timestamp, results.start_time,
    )  # fmt: skip
    assert json.loads((tmp_path / "r.json").read_text())["schema"] == "holdfast.edge.results/1"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"metadata": {}}', '{"metadata": 3}'])
def test_another_file_is_not_a_result(tmp_path, text):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(InvalidDataError, match="not a saved result"):
        ProfileResults.from_json(tmp_path / "r.json")


def test_a_failed_export_leaves_the_old_file(tmp_path):
    target = tmp_path / "r.json"
    target.write_text("old")
    results = ProfileResults("esp32", "tiny")
    results.raw_measurements = {("no", "key"): []}
    with pytest.raises(TypeError):
        results.export_json(target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_csv_is_one_row_with_joined_names(results, tmp_path):
    fill(results)
    results.export_csv(tmp_path / "r.csv")
    with (tmp_path / "r.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1
    assert float(rows[0]["latency_tokens_per_second"]) == pytest.approx(200, rel=0.02)
    assert rows[0]["ttft_p99_ms"] == ""


@pytest.mark.parametrize("suffix", ["jsonl", "npz"])
def test_numbers_can_be_computed_again_from_saved_records(results, tmp_path, suffix):
    fill(results, planned=40)
    results.test_configuration["planned_requests"] = 40
    save_records(results.records, tmp_path / "run")
    results.export_json(tmp_path / "r.json")
    records = load_records(tmp_path / f"run.{suffix}")
    assert records == results.records
    again = recompute(ProfileResults.from_json(tmp_path / "r.json"), records)
    assert again.measurements == results.measurements
    assert again.content_hash() == results.content_hash()


@pytest.mark.parametrize("name", ["x.npz", "x.jsonl"])
def test_a_foreign_record_file_is_refused(tmp_path, name):
    import numpy as np

    if name.endswith("npz"):
        np.savez(tmp_path / name, a=np.zeros(2))
    else:
        (tmp_path / name).write_text('{"a": 1}\n')
    with pytest.raises(InvalidDataError, match="token records"):
        load_records(tmp_path / name)


def test_the_hash_ignores_the_hosts_clock_and_ids_but_no_token(results, make_generation):
    def hashed(**changes):
        one = ProfileResults("sim-rv32", "tiny", session_id=str(changes))
        one.records = [make_generation(clock="virtual", **changes)]
        fill(one)
        return one.content_hash()

    assert hashed(link_ms=1.0) == hashed(link_ms=50.0)
    assert hashed(itl_ms=5.0) != hashed(itl_ms=5.001)


def test_ratios_above_one_mean_better():
    fast, slow = (ProfileResults("esp32", "tiny") for _ in "ab")
    fast.add_latency_profile(LatencyProfile(50, 10, 200))
    slow.add_latency_profile(LatencyProfile(100, 20, 400))
    slow.add_memory_profile(MemoryProfile(peak_memory_kb=0))
    assert fast.compare_with(slow) == {
        "tokens_per_second_ratio": 2, "latency_improvement": 2,
    }  # fmt: skip


def test_recommendations_name_what_crossed_a_threshold():
    results = ProfileResults("esp32", "tiny")
    results.add_latency_profile(LatencyProfile(300, 500, 5000))
    results.add_memory_profile(MemoryProfile(peak_memory_kb=500))
    results.add_power_profile(PowerProfile(active_power_mw=200, energy_per_token_mj=9))
    said = " ".join(results.get_recommendations())
    for word in ("quantization", "first token", "PSRAM", "mW", "mJ per token"):
        assert word in said
    assert ProfileResults("esp32", "tiny").get_recommendations() == []


def test_repr_shows_the_headlines():
    results = ProfileResults("esp32", "tiny", 0.3, "4bit")
    results.add_latency_profile(LatencyProfile(100, 20, 500))
    assert "ProfileResults(tiny on esp32)" in repr(results)
    assert "50.0 tok/s, 100ms first token" in repr(results)


def test_a_measurement_survives_pickling():
    one = Measurement("ttft_ms", 1.0, "ms", "device")
    assert pickle.loads(pickle.dumps(one)) == one


def test_records_keep_a_name_with_dots(results, tmp_path):
    save_records(results.records, tmp_path / "run-10.0.0.7_80")
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "run-10.0.0.7_80.jsonl",
        "run-10.0.0.7_80.npz",
    ]
    assert load_records(tmp_path / "run-10.0.0.7_80") == results.records
