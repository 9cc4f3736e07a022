"""The health of a machine as older scripts ask for it."""

import json
from datetime import datetime, timedelta

import pytest

from holdfast.compat.tiny_llm_profiler import health
from holdfast.compat.tiny_llm_profiler.health import HealthChecker, HealthStatus, SystemMetrics


@pytest.fixture
def checker():
    return HealthChecker()


def sample(age_minutes=0, cpu=50.0, degrees=None):
    when = datetime.now() - timedelta(minutes=age_minutes)  # noqa: DTZ005
    return SystemMetrics(when, cpu, 40.0, 1000.0, 5.0, degrees)


def test_a_status_by_position_and_its_defaults():
    status = HealthStatus("n", True, "fine")  # noqa: FBT003
    assert (status.details, status.response_time_ms) == ({}, None)
    assert isinstance(status.timestamp, datetime)


def test_a_checker_has_its_attributes(checker):
    assert set(checker.checks) >= {
        "system_resources", "disk_space", "python_environment", "dependencies",
    }  # fmt: skip
    assert checker.last_check_results == {}
    assert checker.max_history_size == 1000
    assert list(checker.system_metrics_history) == []


def test_every_default_check_answers(checker):
    for name, status in checker.run_all_checks().items():
        assert status.name == name
        assert status.message
        assert status.response_time_ms >= 0
    assert checker.last_check_results["python_environment"].healthy
    assert checker.last_check_results["dependencies"].details["missing_required"] == []


def test_a_check_of_ones_own(checker):
    checker.register_check("mine", lambda: HealthStatus("mine", False, "broken"))  # noqa: FBT003
    assert checker.run_check("mine").message == "broken"
    with pytest.raises(ValueError, match="name must be one of"):
        checker.run_check("unknown")
    with pytest.raises(ValueError, match="check_function must be callable, got 3"):
        checker.register_check("mine", 3)


def test_what_a_check_raises_is_unhealthy(checker):
    checker.register_check("mine", lambda: 1 / 0)
    status = checker.run_check("mine")
    assert (status.healthy, status.name) == (False, "mine")
    assert status.details["exception"] == "division by zero"
    assert status.response_time_ms is not None


def test_the_whole_is_asked_anew_each_time(checker):
    found = [True, False]
    checker.checks.clear()
    checker.register_check("mine", lambda: HealthStatus("mine", found.pop(0), "m"))
    assert checker.get_overall_health().healthy
    overall = checker.get_overall_health()
    assert not overall.healthy
    assert overall.details["total_checks"] == 1
    assert overall.details["healthy_checks"] == 0
    assert overall.details["failed_checks"] == ["mine"]
    assert overall.details["check_results"]["mine"]["message"] == "m"


def test_the_machine_is_sampled_without_waiting(checker):
    metrics = checker.collect_system_metrics()
    assert list(checker.system_metrics_history) == [metrics]
    assert metrics.disk_free_gb > 0
    checker.max_history_size = 2
    for _ in range(3):
        checker.collect_system_metrics()
    assert len(checker.system_metrics_history) == 2


def test_samples_are_summed_up(checker):
    checker.system_metrics_history.extend(
        [sample(20, 99.0), sample(5, 10.0, 60.0), sample(0, 30.0, 50.0), sample(0, None)]
    )
    assert checker.get_metrics_summary(duration_minutes=10) == {
        "time_period_minutes": 10,
        "sample_count": 3,
        "cpu": {"average_percent": 20.0, "max_percent": 30.0, "min_percent": 10.0},
        "memory": {
            "average_percent": 40.0,
            "max_percent": 40.0,
            "min_percent": 40.0,
            "current_available_mb": 1000.0,
        },
        "disk": {"free_gb": 5.0},
        "temperature": {
            "average_celsius": 55.0,
            "max_celsius": 60.0,
            "current_celsius": 50.0,
        },
    }


def test_without_samples_there_is_no_summary(checker):
    assert set(checker.get_metrics_summary()) == {"error"}


def test_resources_beyond_their_limits_are_named(checker, monkeypatch):
    told = {"system_cpu_percent": 95.0, "system_memory_percent": 10.0}
    monkeypatch.setattr(health, "sample", lambda _: told)
    status = checker.run_check("system_resources")
    assert not status.healthy
    assert "95.0 %" in status.message
    assert "memory" not in status.message


def test_a_report_is_written(checker, tmp_path):
    checker.register_check("mine", lambda: HealthStatus("mine", False, "broken"))  # noqa: FBT003
    checker.export_health_report(tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert set(report) == {
        "timestamp", "overall_health", "individual_checks", "system_metrics",
        "recommendations",
    }  # fmt: skip
    assert "broken" in report["recommendations"]


def test_the_functions_of_the_module(monkeypatch):
    checker = HealthChecker()
    checker.checks.clear()
    checker.register_check("mine", lambda: HealthStatus("mine", False, "m"))  # noqa: FBT003
    monkeypatch.setattr(health, "health_checker", checker)
    told = health.get_health_status()
    assert set(told) == {"healthy", "message", "timestamp", "details"}
    assert told["healthy"] is False
    assert health.run_health_checks() is False
