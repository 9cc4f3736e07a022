"""Each series of the catalogue is driven by what it measures and read from the exposition."""

import gc
import os
import resource
import shutil
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from holdfast import NeuromorphicClusterer
from holdfast.errors import (
    CircuitOpenError,
    InvalidDataError,
    NeuromorphicException,
    RateLimitedError,
    enhanced_error_handler,
)
from holdfast.errors._base import utc_now
from holdfast.resilience import (
    Bulkhead,
    CircuitBreaker,
    Fallback,
    Lockout,
    RateLimiter,
    SharedRateLimiter,
    VirtualClock,
)
from holdfast.telemetry import (
    Check,
    ClusteringMonitor,
    ClusteringOperationMetrics,
    EnhancedMetricsCollector,
    HealthChecks,
    MonitoringSystem,
    Registry,
    add_check,
    clustering_monitor,
    expose,
    get_health,
    query,
)

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def read(name, registry=None, **labels):
    """The sum of the series of this name with these labels; None where there is none."""
    found = []
    for line in expose("prometheus", registry).decode().splitlines():
        series, _, value = line.rpartition(" ")
        base, _, rest = series.partition("{")
        said = [f'{label}="{text}"' for label, text in labels.items()]
        if base == name and all(pair in rest for pair in said):
            found.append(float(value))
    return sum(found) if found else None


def rise(name, before, **labels):
    return (read(name, **labels) or 0) - (before or 0)


def fails(*_):
    raise OSError("down")


# --- guards -----------------------------------------------------------------------------
def test_the_state_and_the_failures_of_a_breaker():
    clock = VirtualClock()
    breaker = CircuitBreaker("catalogued", failure_threshold=2, open_time=5, clock=clock)
    states = [read("circuit_breaker_state", component="catalogued")]
    for _ in range(2):
        with pytest.raises(OSError, match="down"):
            breaker(fails)()
    with pytest.raises(CircuitOpenError):
        breaker(fails)()
    states.append(read("circuit_breaker_state", component="catalogued"))
    clock.advance(5)
    with breaker:
        states.append(read("circuit_breaker_state", component="catalogued"))
    states.append(read("circuit_breaker_state", component="catalogued"))
    assert states == [0, 2, 1, 0]
    assert read("circuit_breaker_failures_total", component="catalogued") == 2


def test_what_the_guards_count_is_in_a_collector_of_its_own_too():
    breaker = CircuitBreaker("told to a collector", failure_threshold=1)
    with pytest.raises(OSError, match="down"):
        breaker(fails)()
    metrics = EnhancedMetricsCollector(Registry())
    metrics.record_circuit_breaker_state("by hand", "half_open")
    text = metrics.export_prometheus_metrics().decode()
    assert 'circuit_breaker_state{component="by hand"} 1\n' in text
    assert 'circuit_breaker_state{component="told to a collector"} 2\n' in text
    assert text.count("# TYPE circuit_breaker_state gauge\n") == 1


def test_rules_may_watch_the_catalogue():
    breaker = CircuitBreaker("ruled", failure_threshold=1)
    with pytest.raises(OSError, match="down"):
        breaker(fails)()
    system = MonitoringSystem(registry=Registry())
    system.sample()
    found = query('circuit_breaker_state{component="ruled"}', collector=system.metric_collector)
    assert [value for _, value in found] == [2]


def test_the_default_rule_on_open_breakers_fires_and_resolves():
    gc.collect()  # breakers of other tests, open or not
    breaker = CircuitBreaker("alerted", failure_threshold=1)
    others = read("circuit_breaker_open")
    system = MonitoringSystem(registry=Registry())
    manager = system.alert_manager
    manager.alert_handlers.clear()
    rule = manager.alert_rules["circuit_breaker_open"]
    manager.alert_rules.clear()
    manager.add_rule(rule)
    rule.threshold = others
    fired = []
    for act in (breaker.reset, breaker.force_open, breaker.reset):
        act()
        system.sample()
        manager.evaluate()
        fired.append([alert.rule_name for alert in manager.get_active_alerts()])
    assert fired == [[], ["circuit_breaker_open"], []]


def test_fallbacks_are_operations_and_attempts_to_recover():
    assert Fallback(lambda: 7, name="catalogued")(fails)() == 7
    with pytest.raises(OSError, match="down"):
        Fallback(fails, name="catalogued")(fails)()
    used = {"primary_method": "catalogued", "reason": "exception"}
    assert read("fallback_operations_total", **used) == 1
    for success in ("true", "false"):
        labels = {"recovery_method": "catalogued", "success": success}
        assert read("error_recovery_attempts_total", **labels) == 1


def test_calls_waiting_are_a_queue():
    bulkhead = Bulkhead(1, max_queue=1, max_wait=60, name="catalogued")
    before = read("data_processing_queue_size", component="catalogued")
    with bulkhead:
        waiting = threading.Thread(target=bulkhead(int))
        waiting.start()
        while not (held := read("data_processing_queue_size", component="catalogued")):
            time.sleep(0.001)
    waiting.join()
    after = read("data_processing_queue_size", component="catalogued")
    assert (before, held, after) == (0, 1, 0)


def test_keys_that_are_locked_out_are_unauthorized():
    limiter = RateLimiter(
        1,
        3600,
        per_key=True,
        lockout=Lockout(violations=1, within=60, duration=600),
        clock=VirtualClock(),
        name="catalogued",
    )
    taken = [limiter.try_acquire("mallory") for _ in range(4)]
    assert taken == [True, False, False, False]
    counted = read("unauthorized_access_attempts_total", component="catalogued")
    assert counted >= 2


def test_a_redis_that_does_not_answer_is_a_failed_connection():
    redis = pytest.importorskip("redis")
    with redis.Redis(unix_socket_path="/nonexistent/socket") as gone:
        limiter = SharedRateLimiter(gone, 1, 3600, name="catalogued", freshness=60)
        assert limiter.try_acquire()
        with pytest.raises(RateLimitedError):
            limiter(int)()
    labels = {"database": "redis", "component": "catalogued"}
    assert read("database_connection_failures_total", **labels) == 1


# --- errors -----------------------------------------------------------------------------
def test_refused_inputs_are_counted_by_what_refused_them():
    names = ("validation_errors_total", "data_validation_failures_total")
    kind = {"error_type": "InvalidClusteringInputError"}
    before = {name: read(name, **kind) for name in names}
    errors = read("processing_errors_total", component="data_validation", **kind)
    with pytest.raises(InvalidDataError):
        NeuromorphicClusterer(n_clusters=9).fit(np.zeros((3, 2)))
    assert {name: rise(name, before[name], **kind) for name in names} == dict.fromkeys(names, 1)
    same = {"component": "data_validation", "recoverable": "false", **kind}
    assert rise("processing_errors_total", errors, **same) == 1


def test_handled_errors_and_recoveries_are_counted():
    labels = {"component": "timeout", "error_type": "TimeoutError", "recoverable": "true"}
    before = read("processing_errors_total", **labels)
    told = {"error_type": "timeout", "recovery_method": "reported", "success": "true"}
    recovered = read("error_recovery_attempts_total", **told)
    details = enhanced_error_handler.register(TimeoutError("late"))
    enhanced_error_handler.mark_resolved(details.error_id)
    assert rise("processing_errors_total", before, **labels) == 1
    assert rise("error_recovery_attempts_total", recovered, **told) == 1
    enhanced_error_handler.clear()
    assert rise("processing_errors_total", before, **labels) == 1  # a total never goes back


# --- clusterings ------------------------------------------------------------------------
@pytest.fixture
def data():
    return np.random.default_rng(0).normal(size=(40, 3))


def test_a_fit_is_a_job(data):
    names = (
        "clustering_jobs_completed_total",
        "clustering_operation_duration_seconds_count",
        "neuromorphic_feature_extraction_duration_seconds_count",
        "clustering_operations_total",
    )
    before = {name: read(name) for name in names}
    with clustering_monitor.monitor_operation("esn", dataset_size=40) as operation:
        assert read("clustering_jobs_running") == 1
        NeuromorphicClusterer("echo_state_network", n_clusters=2).fit(data)
    assert read("clustering_jobs_running") == 0
    assert all(rise(name, before[name]) >= 1 for name in names)
    used = read("memory_usage_bytes", component="clustering")
    assert used == operation.memory_peak_mb * 2**20 > 1e7


def test_a_fit_that_falls_back_or_fails_is_counted_by_its_error(data):
    def broken(*_):
        raise MemoryError("no room")

    fallback = {"primary_method": "esn", "fallback_method": "kmeans"}
    recovery = {"recovery_method": "kmeans", "success": "true"}
    before = (
        read("fallback_operations_total", **fallback),
        read("error_recovery_attempts_total", **recovery),
        read("clustering_job_failures_total", error_type="NeuromorphicException"),
        read("neuromorphic_clustering_failures_total"),
        read("circuit_breaker_failures_total", component="clustering"),
    )
    clusterer = NeuromorphicClusterer("echo_state_network", n_clusters=2)
    vars(clusterer)["_extract_neuromorphic_features_safe"] = broken
    with clustering_monitor.monitor_operation("esn"):
        clusterer.fit(data)
    assert clusterer.fallback_used
    strict = NeuromorphicClusterer("echo_state_network", n_clusters=2, enable_fallback=False)
    vars(strict)["_extract_neuromorphic_features_safe"] = broken
    with pytest.raises(NeuromorphicException), clustering_monitor.monitor_operation("esn"):
        strict.fit(data)
    assert rise("fallback_operations_total", before[0], **fallback) == 1
    assert rise("error_recovery_attempts_total", before[1], **recovery) == 1
    failed = {"error_type": "NeuromorphicException"}
    assert rise("clustering_job_failures_total", before[2], **failed) == 1
    assert rise("neuromorphic_clustering_failures_total", before[3]) >= 2
    assert rise("circuit_breaker_failures_total", before[4], component="clustering") >= 2


@pytest.fixture
def watched():
    """A monitor with a registry of its own, and a way to end an operation of some length."""
    registry = Registry()
    monitor = ClusteringMonitor(metrics=EnhancedMetricsCollector(registry))

    def end(ms):
        operation = ClusteringOperationMetrics("id", "c", "esn", utc_now())
        operation.complete_operation()
        operation.total_duration_ms = ms
        monitor._end(operation)  # noqa: SLF001 (no operation takes as long as told)
        return operation

    return registry, monitor, end


def test_limits_that_are_broken_are_violations(watched):
    registry, monitor, end = watched
    monitor.alert_thresholds["max_duration_ms"] = 1000
    end(999.0)
    assert read("sla_violations_total", registry) is None
    end(1001.0)
    labels = {"sla_type": "max_duration_ms", "severity": "warning"}
    assert read("sla_violations_total", registry, **labels) == 1


def test_what_takes_much_longer_than_usual_is_an_anomaly(watched):
    registry, monitor, end = watched
    for ms in range(90, 110):
        end(float(ms))
    assert monitor.performance_baselines["esn_small"].sample_count == 20
    assert end(105.0).warnings == []
    late = end(1e6)
    assert "standard deviations more than the usual" in late.warnings[-1]
    labels = {"metric_name": "clustering_operation_duration_seconds", "severity": "critical"}
    assert read("performance_anomalies_total", registry, **labels) == 1


# --- checks -----------------------------------------------------------------------------
def test_checks_are_timed_and_their_failures_have_kinds():
    registry, over = Registry(), threading.Event()
    health = HealthChecks(registry=registry)
    for name, probe, deadline in [
        ("good", lambda: True, 60),
        ("bad", lambda: False, 60),
        ("broken", fails, 60),
        ("slow", over.wait, 0.001),
    ]:
        health.add(Check(name, probe, deadline=deadline))
    health.run()
    over.set()
    name = "health_check_duration_seconds_count"
    assert read(name, registry, check_name="good", status="healthy") == 1
    assert read(name, registry, check_name="bad", status="unhealthy") == 1
    kinds = {"bad": "unhealthy", "broken": "exception", "slow": "timeout"}
    for check, kind in kinds.items():
        labels = {"check_name": check, "failure_type": kind}
        assert read("health_check_failures_total", registry, **labels) == 1
    assert read("health_check_failures_total", registry) == 3


def test_health_has_a_score():
    add_check("catalogued", lambda: "degraded")
    add_check("catalogued too", lambda: False, critical=False)
    try:
        get_health().run(["catalogued", "catalogued too"])
        scores = [
            read("system_health_score", component=name)
            for name in ("catalogued", "catalogued too", "overall")
        ]
        assert scores == [0.5, 0, 0.5]
        assert read("health_check_failures_total", check_name="catalogued too") >= 1
    finally:
        get_health().remove("catalogued")
        get_health().remove("catalogued too")
    assert read("system_health_score", component="catalogued") is None


# --- the process ------------------------------------------------------------------------
@linux
def test_the_process_is_told_as_prometheus_clients_tell_it(tmp_path):
    before = time.process_time()
    used = read("process_cpu_seconds_total")
    assert before - 0.03 <= used <= time.process_time() + 0.01
    assert 0 < read("process_start_time_seconds") <= time.time()
    assert read("process_max_fds") == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    open_before = read("process_open_fds")
    with (tmp_path / "one").open("w"):
        assert read("process_open_fds") == open_before + 1
    resident, virtual = (
        read(f"process_{kind}_memory_bytes") for kind in ("resident", "virtual")
    )
    held = np.ones(8 << 20)  # 64 MiB that are written to
    assert read("process_resident_memory_bytes") - resident > 48 << 20
    assert read("process_virtual_memory_bytes") - virtual > 48 << 20
    labels = {"component": "process", "process_id": os.getpid()}
    assert read("memory_usage_bytes", **labels) > held.nbytes
    assert read("process_virtual_memory_bytes") > read("process_resident_memory_bytes")


@linux
def test_processor_and_disk_in_use():
    assert 0 <= read("cpu_usage_percent") <= 100.0 * os.cpu_count() * 1.1
    used = shutil.disk_usage("/").used
    assert read("disk_usage_bytes", mount_point="/") == pytest.approx(used, rel=0.01)
    name = Path("/proc/self/comm").read_text().strip()
    assert read("cpu_usage_percent", process_name=name) is not None


@linux
def test_their_own_exposition_is_not_told_twice():
    prometheus_client = pytest.importorskip("prometheus_client")
    from holdfast.telemetry import PrometheusBridge

    registry = prometheus_client.CollectorRegistry()
    prometheus_client.ProcessCollector(registry=registry)
    registry.register(PrometheusBridge())
    text = prometheus_client.generate_latest(registry).decode()
    assert text.count("# TYPE process_cpu_seconds_total counter") == 1
    assert "memory_usage_bytes{" in text
