import json
import os
import subprocess
import sys
from datetime import datetime

import pytest

import holdfast.telemetry
from holdfast import _sources
from holdfast.errors import InvalidParameterError
from holdfast.telemetry import (
    AlertRule,
    AlertSeverity,
    Machine,
    MonitoringSystem,
    Registry,
    ResourceMonitor,
    get_health_summary,
    get_monitoring_system,
    query,
    record_metric,
    start_monitoring,
    stop_monitoring,
)

FILES = {
    "proc/stat": "cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 1 1 1\nbtime 1000\n",
    "proc/meminfo": "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 250 kB\n",
    "proc/self/stat": "7 (a b) c) S "
    + " ".join(["0"] * 10 + ["300", "100"] + ["0"] * 4)
    + " 5 0 700 4096 12 0",
    "proc/self/limits": "Limit  Soft Hard Units\nMax open files  1024  4096  files\n",
    "proc/self/fd/0": "",
    "proc/self/fd/1": "",
    "proc/self/cgroup": "0::/app\n",
    "sys/class/hwmon/hwmon0/temp1_input": "40000\n",
    "sys/class/hwmon/hwmon1/temp1_input": "60000\n",
    "sys/fs/cgroup/app/memory.current": "600\n",
    "sys/fs/cgroup/app/memory.max": "1000\n",
    "sys/fs/cgroup/app/memory.stat": "anon 500\ninactive_file 100\n",
    "sys/fs/cgroup/app/cpu.max": "150000 100000\n",
    "sys/fs/cgroup/app/cpu.stat": "usage_usec 1\nthrottled_usec 2500000\n",
}


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_the_machine_is_read_from_its_files(tmp_path):
    write(tmp_path, FILES)
    machine = Machine(tmp_path)
    write(tmp_path, {"proc/stat": "cpu  130 0 60 850 60 0 0 0 0 0\nbtime 1000\n"})
    found = machine.sample()
    tick, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    expected = {
        "system_cpu_percent": 40.0,
        "system_memory_percent": 75.0,
        "system_memory_available_mb": 250 / 1024,
        "system_temperature_avg": 50.0,
        "system_temperature_max": 60.0,
        "process_cpu_seconds_total": 400 / tick,
        "process_threads": 5.0,
        "process_resident_memory_bytes": 12.0 * page,
        "process_virtual_memory_bytes": 4096.0,
        "process_start_time_seconds": 1000 + 700 / tick,
        "process_open_fds": 2.0,
        "process_max_fds": 1024.0,
        "container_memory_used_bytes": 500.0,
        "container_memory_limit_bytes": 1000.0,
        "container_memory_percent": 50.0,
        "container_cpu_limit_cores": 1.5,
        "container_cpu_throttled_seconds_total": 2.5,
    }
    assert {name: found[name] for name in expected} == expected
    assert 0 <= found["system_disk_percent"] <= 100
    assert found["system_disk_free_gb"] > 0


def test_a_share_over_a_few_ticks_says_nothing(tmp_path):
    write(tmp_path, FILES)
    machine = Machine(tmp_path)
    shares = []
    for busy, idle in [(104, 801), (130, 870), (134, 871), (100, 800)]:
        write(tmp_path, {"proc/stat": f"cpu  {busy} 0 50 {idle} 50 0 0 0\ncpu0 1 1 1 1\n"})
        shares.append(machine.sample().get("system_cpu_percent"))
    assert shares == [None, 30.0, 30.0, 30.0]  # the last: another machine, after a move


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_first_status_tells_of_the_processors_too():
    resources = ResourceMonitor().get_current_status()["resources"]
    assert set(resources) == {"memory", "cpu", "disk"}
    assert 0 <= resources["cpu"]["usage_percent"] <= 100


def test_a_container_without_limits_has_none(tmp_path):
    changed = {
        "sys/fs/cgroup/app/memory.max": "max\n",
        "sys/fs/cgroup/app/cpu.max": "max 100000\n",
        "proc/self/cgroup": "0::/app/inner\n",
    }
    write(tmp_path, FILES | changed)
    found = Machine(tmp_path).sample()
    assert "container_memory_limit_bytes" not in found
    assert "container_cpu_limit_cores" not in found
    assert found["container_memory_used_bytes"] == 500


def test_what_cannot_be_read_is_absent(tmp_path):
    found = Machine(tmp_path).sample()
    assert set(found) == {"system_disk_percent", "system_disk_free_gb"}
    write(tmp_path, {"proc/stat": "nonsense", "proc/meminfo": "MemTotal:\n"})
    assert set(Machine(tmp_path).sample()) == set(found)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_this_machine_has_plausible_values():
    found = Machine().sample()
    assert 0 < found["system_memory_percent"] < 100
    assert found["process_resident_memory_bytes"] > 1e6
    assert 3 <= found["process_open_fds"] <= found["process_max_fds"]


def test_sampling_records_the_machine_and_the_registry():
    registry = Registry()
    registry.counter("jobs").inc(2)
    system = MonitoringSystem(registry=registry)
    system.sample()
    assert system.get_metrics("jobs_total")[0].value == 2
    assert system.get_metrics("system_disk_percent")[0].labels == {}
    assert query("jobs_total + 1", collector=system.metric_collector) == [({}, 3.0)]
    assert query("1 + 1", at=0) == 2.0


def test_rules_may_watch_what_a_guard_counts():
    class Guard:
        def samples(self):
            return [_sources.Sample("guard_open", "gauge", "", {"name": "device"}, 1.0)]

    guard = Guard()
    _sources.register(guard)
    system = MonitoringSystem(registry=Registry())
    system.sample()
    del guard
    found = query("guard_open == 1", collector=system.metric_collector)
    assert found == [({"__name__": "guard_open", "name": "device"}, 1.0)]
    assert "guard_open" not in {row[0] for row in system.metric_collector.recorded()}


def test_the_summary_counts_alerts_by_severity():
    system = MonitoringSystem()
    manager = system.alert_manager
    manager.alert_handlers.clear()
    manager.alert_rules.clear()
    summary = system.get_health_summary()
    assert datetime.fromisoformat(summary.pop("timestamp"))
    assert summary == {
        "overall_health": "healthy",
        "active_alerts": 0,
        "critical_alerts": 0,
        "error_alerts": 0,
        "warning_alerts": 0,
        "system_metrics": {"memory_percent": None, "cpu_percent": None},
        "monitoring_active": False,
        "alert_rules_count": 0,
    }
    system.record_metric("system_memory_percent", 12.5)
    for severity, health in [
        ("info", "healthy"),
        ("error", "warning"),
        ("critical", "critical"),
    ]:
        rule = AlertRule(severity, "x", "gt", 0, AlertSeverity(severity), 0)
        manager.add_rule(rule)
        system.record_metric("x", 1)
        manager.evaluate()
        assert system.get_health_summary()["overall_health"] == health
    assert system.get_health_summary()["system_metrics"]["memory_percent"] == 12.5


def test_the_history_can_be_written_to_a_file(tmp_path):
    system = MonitoringSystem()
    system.record_metric("x", 1.5, {"a": "1"})
    system.export_metrics(tmp_path / "out.json")
    [(key, [sample])] = json.loads((tmp_path / "out.json").read_text()).items()
    assert key == "x{a=1}"
    assert (sample["name"], sample["value"], sample["labels"]) == ("x", 1.5, {"a": "1"})
    assert datetime.fromisoformat(sample["timestamp"])
    with pytest.raises(ValueError, match="format must be 'json'"):
        system.export_metrics(tmp_path / "out.xml", "xml")


def test_starting_twice_and_stopping_twice_is_once(monkeypatch):
    monkeypatch.setattr(holdfast.telemetry._system, "monitoring_system", None)  # noqa: SLF001
    stop_monitoring()
    system = get_monitoring_system()
    system.alert_manager.alert_handlers.clear()
    for _ in range(2):
        start_monitoring()
    thread = system.system_monitor_thread
    assert get_health_summary()["monitoring_active"]
    assert thread.is_alive()
    for _ in range(2):
        stop_monitoring()
    assert not thread.is_alive()
    assert not system.alert_manager.evaluation_running
    record_metric("still", 1)
    assert get_monitoring_system().get_metrics("still")[0].value == 1


@pytest.mark.parametrize("wrong", ["monitor_interval", "evaluation_interval"])
def test_wrong_parameters_are_refused(wrong):
    with pytest.raises(
        InvalidParameterError, match=f"{wrong} must be a finite number > 0, got 0"
    ):
        MonitoringSystem(**{wrong: 0})


FORKING = """
import os, time
from holdfast import telemetry
system = telemetry.MonitoringSystem(monitor_interval=0.001, evaluation_interval=0.001)
system.start()
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        system.sample()
        system.alert_manager.evaluate()
        assert system.system_monitor_thread.is_alive()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
system.stop()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_monitoring_goes_on_in_a_forked_child():
    command = [sys.executable, "-W", "ignore", "-c", FORKING]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_recorded_by_hand_stands_in_place_of_what_is_read():
    from holdfast.resilience import CircuitBreaker
    from holdfast.telemetry import get_enhanced_metrics

    name, labels = "circuit_breaker_failures_total", {"component": "by hand"}
    breaker = CircuitBreaker("by hand", failure_threshold=3)
    for _ in range(3):
        with pytest.raises(OSError, match="no"), breaker:
            raise OSError("no")
    system = MonitoringSystem()
    system.sample()
    read = [one.value for one in system.get_metrics(name, labels=labels)]
    assert read == [3]
    get_enhanced_metrics().record_circuit_breaker_state("by hand", "open")
    system.sample()
    assert len(system.get_metrics(name, labels=labels)) == 2
