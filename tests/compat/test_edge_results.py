"""A test-suite for the older profiler's results; only its imports name Holdfast."""

import csv
import dataclasses
import inspect
import json
from datetime import datetime, timezone
from unittest.mock import mock_open, patch

import pytest

from holdfast.compat.tiny_llm_profiler.analyzer import (
    BottleneckInfo,
    ComparativeAnalyzer,
    ComparisonResult,
    MetricsAnalyzer,
)
from holdfast.compat.tiny_llm_profiler.results import (
    AccuracyProfile,
    LatencyProfile,
    MemoryProfile,
    PowerProfile,
    ProfileResults,
    ThroughputProfile,
)

FIELDS = {
    LatencyProfile: "first_token_latency_ms inter_token_latency_ms total_latency_ms "
    "tokens_per_second latency_std_ms percentile_50_ms percentile_90_ms percentile_95_ms "
    "percentile_99_ms sample_count success_rate",
    MemoryProfile: "baseline_memory_kb peak_memory_kb memory_usage_kb "
    "memory_efficiency_tokens_per_kb fragmentation_percent gc_overhead_percent stack_usage_kb "
    "heap_usage_kb sample_count success_rate",
    PowerProfile: "idle_power_mw active_power_mw peak_power_mw energy_per_token_mj "
    "total_energy_mj average_current_ma voltage_v thermal_info avg_voltage_v avg_current_ma "
    "measurement_duration_sec simulated power_std_mw sample_count duration_s",
    AccuracyProfile: "perplexity bleu_score rouge_score semantic_similarity "
    "task_specific_metrics",
    ThroughputProfile: "tokens_per_second requests_per_second batch_processing_efficiency "
    "queue_time_ms processing_time_ms",
    ComparisonResult: "model_name platform profile relative_performance",
    BottleneckInfo: "component impact description recommendation",
}


@pytest.mark.parametrize("kind", FIELDS, ids=lambda kind: kind.__name__)
def test_parts_take_their_fields_in_the_older_order(kind):
    names = FIELDS[kind].split()
    assert [one.name for one in dataclasses.fields(kind)][: len(names)] == names


def test_a_result_is_made_by_position():
    taken = list(inspect.signature(ProfileResults).parameters)
    assert taken[:7] == [
        "platform", "model_name", "model_size_mb", "quantization", "timestamp", "session_id",
        "start_time",
    ]  # fmt: skip
    one = ProfileResults("esp32", "m", 2.5, "4bit", None, "abc", None)
    assert one.timestamp.tzinfo is timezone.utc
    assert isinstance(one.start_time, datetime)
    assert one.session_id == "abc"
    assert one.latency_profile is one.memory_profile is one.power_profile is None
    assert one.test_configuration == one.environment_info == one.raw_measurements == {}


@pytest.fixture
def results():
    one = ProfileResults("esp32", "tinyllama-4bit", 2.5, "4bit")
    one.add_latency_profile(LatencyProfile(150.0, 50.0, 1200.0, 20.0, 25.0))
    one.add_memory_profile(MemoryProfile(100.0, 400.0, 300.0, 0.067))
    one.add_power_profile(PowerProfile(50.0, 150.0, 200.0, 2.5, 125.0))
    one.add_accuracy_profile(AccuracyProfile(15.5, 0.8))
    return one


def test_the_rate_follows_from_the_time_per_token():
    assert LatencyProfile(100.0, 50.0, 1000.0).tokens_per_second == 20.0


def test_the_rate_goes_into_the_throughput_and_requests_are_kept(results):
    assert results.throughput_profile.tokens_per_second == 20.0
    results.throughput_profile.requests_per_second = 3.0
    results.add_latency_profile(LatencyProfile(150.0, 25.0, 1200.0))
    assert results.throughput_profile.tokens_per_second == 40.0
    assert results.throughput_profile.requests_per_second == 3.0


def test_raw_measurements_are_kept_by_name(results):
    results.add_raw_measurements("latency_ms", [1, 2, 3])
    assert results.raw_measurements == {"latency_ms": [1, 2, 3]}


def test_the_summary(results):
    found = results.get_summary()
    assert (found["platform"], found["model_name"]) == ("esp32", "tinyllama-4bit")
    assert datetime.fromisoformat(found["timestamp"]) == results.timestamp
    assert found["latency"] == {
        "first_token_ms": 150.0, "inter_token_ms": 50.0, "tokens_per_second": 20.0,
        "total_latency_ms": 1200.0,
    }  # fmt: skip
    assert found["memory"] == {
        "peak_memory_kb": 400.0, "memory_usage_kb": 300.0, "efficiency_tokens_per_kb": 0.067,
    }  # fmt: skip
    assert found["power"] == {
        "active_power_mw": 150.0, "energy_per_token_mj": 2.5, "total_energy_mj": 125.0,
    }  # fmt: skip
    assert found["accuracy"] == {"perplexity": 15.5, "bleu_score": 0.8}


@pytest.mark.parametrize(
    ("rate", "peak", "active", "score"),
    [
        (20.0, None, None, 100.0), (10.0, None, None, 50.0), (100.0, None, None, 100.0),
        (None, 2048.0, None, 50.0), (None, 8192.0, None, 0.0), (None, None, 200.0, 50.0),
        (10.0, 2048.0, 400.0, 100 / 3),
    ],
)  # fmt: skip
def test_the_efficiency_score(rate, peak, active, score):
    one = ProfileResults("esp32", "m", 1.0, "4bit")
    if rate is not None:
        one.add_latency_profile(LatencyProfile(tokens_per_second=rate))
    if peak is not None:
        one.add_memory_profile(MemoryProfile(peak_memory_kb=peak))
    if active is not None:
        one.add_power_profile(PowerProfile(active_power_mw=active))
    assert one.calculate_efficiency_score() == pytest.approx(score)
    assert type(one.calculate_efficiency_score()) is float


def test_the_score_is_one_mean(results):
    with patch("numpy.mean", return_value=75.5) as mean:
        assert results.calculate_efficiency_score() == 75.5
    mean.assert_called_once()
    assert len(mean.call_args[0][0]) == 3


def test_there_is_no_score_when_the_times_failed(results):
    results.session_metadata["failed_metrics"] = ["latency"]
    assert results.calculate_efficiency_score() is None
    assert "Efficiency Score" not in repr(results)


def test_ratios_above_1_are_better(results):
    other = ProfileResults("stm32f4", "m", 2.5, "4bit")
    other.add_latency_profile(LatencyProfile(300.0, 100.0, 2400.0, 10.0))
    other.add_memory_profile(MemoryProfile(100.0, 200.0, 100.0))
    other.add_power_profile(PowerProfile(50.0, 300.0, 400.0, 5.0, 250.0))
    assert results.compare_with(other) == {
        "tokens_per_second_ratio": 2.0, "latency_improvement": 2.0,
        "memory_efficiency_ratio": 0.5, "power_efficiency_ratio": 2.0,
        "energy_efficiency_ratio": 2.0,
    }  # fmt: skip
    zero = ProfileResults("x", "m", 1.0, "4bit")
    zero.add_latency_profile(LatencyProfile(0.0, 0.0, 0.0, 0.0))
    assert results.compare_with(zero) == zero.compare_with(results) == {}


@pytest.mark.parametrize(
    ("platform", "part", "word"),
    [
        ("esp32", LatencyProfile(tokens_per_second=4.0), "quantization"),
        ("esp32", LatencyProfile(first_token_latency_ms=201.0), "first token"),
        ("rpi_zero", MemoryProfile(peak_memory_kb=1600.0), "MB"),
        ("k210", MemoryProfile(peak_memory_kb=10, fragmentation_percent=21), "fragmented"),
        ("esp32", PowerProfile(active_power_mw=151.0), "mW"),
        ("esp32", PowerProfile(energy_per_token_mj=5.1), "mJ per token"),
        ("esp32s3", MemoryProfile(peak_memory_kb=401.0), "PSRAM"),
        ("stm32f7", MemoryProfile(peak_memory_kb=151.0), "SRAM"),
    ],
)
def test_recommendations(platform, part, word):
    one = ProfileResults(platform, "m", 1.0, "4bit")
    getattr(one, f"add_{type(part).__name__.removesuffix('Profile').lower()}_profile")(part)
    assert [text for text in one.get_recommendations() if word in text]


def test_json_goes_through_open_and_dump(results):
    with (
        patch("builtins.open", new_callable=mock_open) as opened,
        patch("json.dump") as dumped,
    ):
        results.export_json("/nowhere/results.json")
    opened.assert_called_once_with("/nowhere/results.json", "w")
    dumped.assert_called_once()
    content = dumped.call_args[0][0]
    assert set(content) >= {
        "metadata", "profiles", "raw_measurements", "summary", "efficiency_score",
        "recommendations",
    }  # fmt: skip
    assert set(content["metadata"]) >= {
        "platform", "model_name", "model_size_mb", "quantization", "timestamp",
        "test_configuration", "environment_info",
    }  # fmt: skip
    assert content["profiles"]["latency"]["first_token_latency_ms"] == 150.0


def test_json_is_read_through_open_and_load():
    content = {
        "metadata": {
            "platform": "esp32", "model_name": "m", "model_size_mb": 2.5, "quantization": "4bit",
            "timestamp": "2024-01-01T12:00:00", "test_configuration": {}, "environment_info": {},
        },
        "profiles": {"latency": {"first_token_latency_ms": 100.0, "inter_token_latency_ms": 50.0,
                                 "total_latency_ms": 1000.0, "tokens_per_second": 20.0}},
        "raw_measurements": {"a": [1]},
    }  # fmt: skip
    with (
        patch("builtins.open", mock_open(read_data="x")),
        patch("json.load", return_value=content),
    ):
        one = ProfileResults.from_json("r.json")
    assert (one.platform, one.tokens_per_second, one.raw_measurements) == (
        "esp32",
        20.0,
        {"a": [1]},
    )
    assert one.memory_profile is None


def test_csv_goes_through_open_and_a_writer(results):
    with (
        patch("builtins.open", new_callable=mock_open) as opened,
        patch("csv.DictWriter") as made,
    ):
        results.export_csv("/nowhere/results.csv")
    opened.assert_called_once_with("/nowhere/results.csv", "w", newline="")
    made.return_value.writeheader.assert_called_once()
    row = made.return_value.writerow.call_args[0][0]
    assert row["latency_tokens_per_second"] == 20.0
    assert row["memory_peak_memory_kb"] == 400.0
    assert row["num_recommendations"] == len(results.get_recommendations())
    assert row["efficiency_score"] == results.calculate_efficiency_score()


def test_files_give_back_what_they_were_given(results, tmp_path):
    results.session_metadata = {"failed_metrics": []}
    results.export_json(tmp_path / "r.json")
    back = ProfileResults.from_json(str(tmp_path / "r.json"))
    for name in ("latency", "memory", "power", "accuracy", "throughput"):
        assert getattr(back, f"{name}_profile") == getattr(results, f"{name}_profile")
    assert back.timestamp == results.timestamp
    assert json.loads((tmp_path / "r.json").read_text())["summary"] == results.get_summary()
    results.export_csv(tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert float(row["power_energy_per_token_mj"]) == 2.5


def test_a_disk_that_fills_up_leaves_the_old_file(results, tmp_path):
    target = tmp_path / "r.json"
    target.write_text("old")
    real = open

    def full(path, mode="r", **how):
        file = real(path, mode, **how)
        if "w" in mode:
            file.write("half")
            file.close()
            raise OSError(28, "No space left on device")
        return file

    with patch("builtins.open", full), pytest.raises(OSError, match="No space"):
        results.export_json(target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_representation(results):
    lines = repr(results).splitlines()
    assert lines[0] == "ProfileResults(tinyllama-4bit on esp32)"
    assert lines[1].strip() == "2.5MB 4bit quantization"
    assert lines[2].strip() == "20.0 tok/s, 150ms first token"
    assert lines[3].strip() == "400KB peak"
    assert lines[4].strip() == "150mW, 2.5mJ/token"
    assert lines[5].strip().startswith("Efficiency Score: ")
    assert lines[5].endswith("/100")


def test_the_analysis(results):
    found = MetricsAnalyzer().analyze(results)
    assert set(found) == {
        "platform", "model_name", "model_size_mb", "quantization", "latency", "memory", "power",
    }  # fmt: skip
    assert set(found["latency"]) == {
        "first_token_ms", "inter_token_ms", "tokens_per_second", "total_latency_ms",
        "latency_variability",
    }  # fmt: skip
    assert set(found["memory"]) == {
        "peak_memory_kb", "memory_usage_kb", "memory_overhead_kb", "memory_efficiency",
        "tokens_per_kb",
    }  # fmt: skip
    assert set(found["power"]) == {
        "idle_power_mw", "active_power_mw", "peak_power_mw", "energy_per_token_mj",
        "power_efficiency",
    }  # fmt: skip
    assert found["memory"]["memory_overhead_kb"] == 300.0
    assert found["memory"]["tokens_per_kb"] == pytest.approx(20 / 300)
    assert found["power"]["power_efficiency"] == 400.0


@pytest.mark.parametrize(
    ("part", "component", "impact"),
    [
        (LatencyProfile(first_token_latency_ms=201), "First Token Generation", 0.8),
        (LatencyProfile(inter_token_latency_ms=51), "Token Generation Speed", 0.7),
        (LatencyProfile(total_latency_ms=100, latency_std_ms=20), "Latency Consistency", 0.5),
        (MemoryProfile(peak_memory_kb=401), "Memory Usage", 0.9),
        (MemoryProfile(memory_efficiency_tokens_per_kb=0.09), "Memory Efficiency", 0.6),
        (PowerProfile(active_power_mw=201), "Power Consumption", 0.7),
        (PowerProfile(energy_per_token_mj=5.1), "Energy Efficiency", 0.8),
    ],
)
def test_bottlenecks(part, component, impact):
    one = ProfileResults("esp32", "m", 1.0, "4bit")
    getattr(one, f"add_{type(part).__name__.removesuffix('Profile').lower()}_profile")(part)
    (found,) = MetricsAnalyzer().find_bottlenecks(one)
    assert (found.component, found.impact) == (component, impact)
    assert found.description
    assert found.recommendation


def test_a_report_is_a_page(results, tmp_path):
    MetricsAnalyzer().generate_report(results, tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")


def test_deployments_are_ranked_and_chosen(results, tmp_path):
    slow = ProfileResults("stm32f4", "b", 1.0, "4bit")
    slow.add_latency_profile(LatencyProfile(300.0, 100.0, 2400.0))
    slow.add_memory_profile(MemoryProfile(100.0, 800.0, 700.0))
    slow.add_power_profile(PowerProfile(50.0, 300.0, 400.0, 5.0, 250.0))
    analyzer = ComparativeAnalyzer()
    found = analyzer.compare([("b", "stm32f4", slow), ("a", "esp32", results)])
    assert [one.model_name for one in found] == ["a", "b"]
    assert found[0].relative_performance == 1.0
    assert found == analyzer.comparisons
    limits = {"max_latency_ms": 2000, "max_memory_kb": 500, "max_power_mw": 200}
    assert [one.model_name for one in analyzer.recommend_deployment(limits)] == ["a"]
    analyzer.plot_comparison(
        [("a", "esp32", results)], metrics=["latency"], save_to=str(tmp_path / "c.svg")
    )
    assert (tmp_path / "c.svg").exists()
