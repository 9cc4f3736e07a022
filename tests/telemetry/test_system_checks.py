"""Checks of a machine whose files are written by the test."""

import sys

import pytest

from holdfast.errors import InvalidParameterError
from holdfast.telemetry import HealthChecks, Machine, ResourceThresholds, add_system_checks

FILES = {
    "proc/stat": "cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 1 1 1\n",
    "proc/meminfo": "MemTotal: 1000 kB\nMemAvailable: 250 kB\n",
    "proc/self/limits": "Limit  Soft Hard Units\nMax open files  4  4096  files\n",
    "proc/self/fd/0": "",
    "sys/class/hwmon/hwmon0/temp1_input": "40000\n",
}


@pytest.fixture
def rewrite(tmp_path):
    def write(**changed):
        for name, text in {**FILES, **changed}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    write()
    return write


@pytest.fixture
def machine(tmp_path, rewrite):
    machine = Machine(tmp_path)
    rewrite(**{"proc/stat": "cpu  130 0 60 850 60 0 0 0 0 0\ncpu0 1 1 1 1\n"})
    machine.cpu()
    return machine


def stand(health):
    return {name: found.status.value for name, found in health.run(list(health.last())).items()}


def test_what_is_in_use_is_held_against_thresholds(machine, rewrite):
    health = HealthChecks()
    checks = add_system_checks(health=health, machine=machine)
    names = [check.name for check in checks]
    assert names == ["memory", "cpu", "disk", "file_descriptors", "temperature"]
    health.run()
    first = stand(health)
    first.pop("disk")  # that of this machine
    assert first == dict.fromkeys(
        ["memory", "cpu", "file_descriptors", "temperature"], "healthy"
    )
    rewrite(
        **{
            "proc/meminfo": "MemTotal: 1000 kB\nMemAvailable: 190 kB\n",
            "proc/stat": "cpu  930 0 60 850 60 0 0 0 0 0\ncpu0 1 1 1 1\n",
            "sys/class/hwmon/hwmon0/temp1_input": "96500\n",
            **{f"proc/self/fd/{number}": "" for number in (1, 2, 3)},
        }
    )
    later = health.run(names)
    assert {name: later[name].status.value for name in first} == {
        "memory": "degraded",
        "cpu": "unhealthy",
        "file_descriptors": "unhealthy",
        "temperature": "unhealthy",
    }
    assert later["memory"].message == "memory is at 81.0 %, the threshold is 80"
    hot = "temperature is at 96.5 degrees Celsius, the threshold is 95"
    assert later["temperature"].message == hot
    assert health.answer("ready")["status"] == "degraded"  # none is critical by default


def test_only_what_is_asked_for_and_what_can_be_read_is_checked(tmp_path, machine):
    health = HealthChecks()
    thresholds = {"memory": ResourceThresholds(10, 20)}
    [check] = add_system_checks(thresholds, critical=True, health=health, machine=machine)
    assert (check.name, check.critical) == ("memory", True)
    assert health.run()["memory"].status.value == "unhealthy"
    (tmp_path / "proc/meminfo").unlink()
    found = health.run(["memory"])["memory"]
    assert (found.status.value, found.message) == ("degraded", "memory cannot be read any more")
    assert add_system_checks(thresholds, health=health, machine=Machine(tmp_path / "no")) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_this_machine_can_be_checked():
    health = HealthChecks()
    names = {check.name for check in add_system_checks(health=health)}
    assert {"memory", "cpu", "disk", "file_descriptors"} <= names
    assert set(health.run()) == names


@pytest.mark.parametrize("wrong", [{"network": ResourceThresholds(1, 2)}, {"cpu": 90.0}, 5])
def test_thresholds_of_what_is_not_checked_are_refused(wrong):
    with pytest.raises(InvalidParameterError, match="thresholds must be"):
        add_system_checks(wrong, health=HealthChecks())
