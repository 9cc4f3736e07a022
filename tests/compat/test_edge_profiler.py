"""A test-suite for the older edge profiler; only its imports name Holdfast."""

import asyncio
import json
import logging
import sys
import time
from datetime import datetime
from pathlib import Path
from unittest.mock import MagicMock, patch

import pytest

# Instead of tiny_llm_profiler and tiny_llm_profiler.profiler:
from holdfast import edge
from holdfast.compat.tiny_llm_profiler import ProfileResults, QuantizedModel
from holdfast.compat.tiny_llm_profiler.profiler import EdgeProfiler, ProfilingConfig
from holdfast.edge import (
    DeviceConnectionError,
    DeviceError,
    PlatformError,
    PlatformManager,
    ProfilingError,
)
from holdfast.errors import InvalidDataError, InvalidParameterError

sys.path.insert(0, str(Path(__file__).parent.parent / "edge"))

from edge_peers import LineDevice, PtyPeer, Silent, TinyDevice


@pytest.fixture
def port():
    """A board of the older line protocol on a serial port."""
    peer = PtyPeer(LineDevice(tokens=12))
    yield peer
    peer.close()


@pytest.fixture
def config():
    config = ProfilingConfig()
    # Callers made it first and set what they wanted after that.
    config.measurement_iterations, config.warmup_iterations = 2, 0
    config.max_retries, config.heartbeat_interval, config.retry_delay = 0, 0, 0.0
    return config


@pytest.fixture
def profiler(port, config):
    one = EdgeProfiler(
        platform="ESP32", device=port.path, baudrate=921600, connection="serial", config=config,
        protocol="line",
    )  # fmt: skip
    yield one
    one.disconnect()


CONFIG = {
    "sample_rate_hz": 100, "duration_seconds": 60, "timeout_seconds": 300,
    "warmup_iterations": 3, "measurement_iterations": 10, "enable_power_profiling": False,
    "enable_memory_profiling": True, "enable_latency_profiling": True, "max_retries": 3,
    "retry_delay": 1.0, "connection_timeout": 10.0, "operation_timeout": 30.0,
    "heartbeat_interval": 5.0, "auto_recovery": True, "graceful_degradation": True,
    "memory_monitoring": True, "resource_cleanup": True, "failure_threshold": 5,
    "circuit_timeout": 60.0, "max_memory_mb": None, "max_cpu_percent": 90.0,
    "max_prompts": 100, "max_prompt_length": 10_000,
}  # fmt: skip


@pytest.mark.parametrize(("name", "default"), CONFIG.items())
def test_settings_have_the_older_names_and_defaults(name, default):
    assert getattr(ProfilingConfig(), name) == default
    assert getattr(ProfilingConfig(**{name: default}), name) == default


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("sample_rate_hz", 0), ("sample_rate_hz", 10_001), ("duration_seconds", 0),
        ("duration_seconds", 3601), ("measurement_iterations", 0),
        ("measurement_iterations", 1001), ("timeout_seconds", 0), ("max_retries", -1),
        ("max_retries", 11), ("connection_timeout", 0), ("operation_timeout", -1),
    ],
)  # fmt: skip
def test_settings_outside_their_range_are_value_errors(name, bad):
    config = ProfilingConfig()
    setattr(config, name, bad)
    with pytest.raises(ValueError, match=name):
        config.validate()
    with pytest.raises(ValueError, match=name):
        EdgeProfiler("esp32", config=config)


def test_a_new_profiler_has_every_attribute(config):
    one = EdgeProfiler("ESP32", config=config)
    assert one.platform == "esp32"
    assert (one.device, one.baudrate, one.connection) == (None, 921_600, "serial")
    assert one.config is config
    assert isinstance(one.logger, logging.Logger)
    assert isinstance(one.platform_manager, PlatformManager)
    assert one.platform_config.name == "esp32"
    assert one.serial_conn is None
    assert one.is_connected is False
    assert one.connection_lock.acquire(blocking=False)
    one.connection_lock.release()
    assert one.last_heartbeat is None
    assert one.connection_attempts == 0
    assert one.managed_resources == []
    assert one.start_time is None
    assert one.profiling_session_id is None
    assert one.device_health == {
        "status": "unknown", "last_check": None, "failures": 0, "last_error": None,
    }  # fmt: skip
    assert one.connection_retry.max_attempts == config.max_retries + 1
    assert one.device_circuit.name == "device_esp32"


@pytest.mark.parametrize("platform", ["esp33", "", "esp32; rm -rf /"])
def test_an_unknown_platform_is_a_platform_error_and_a_value_error(platform):
    with pytest.raises(PlatformError):
        EdgeProfiler(platform=platform)
    with pytest.raises(ValueError, match="platform"):
        EdgeProfiler(platform=platform)


def test_connections(profiler):
    assert profiler.connect() is True
    assert profiler.connect() is True
    assert profiler.is_connected is True
    assert profiler.connection_attempts == 1
    assert profiler.serial_conn is profiler.managed_resources[0]
    assert profiler.device_health["status"] == "connected"
    assert isinstance(profiler.device_health["last_check"], datetime)
    assert profiler.force_reconnect() is True
    profiler.disconnect()
    profiler.disconnect()
    assert profiler.is_connected is False
    assert profiler.serial_conn is None
    assert profiler.device_health["status"] == "disconnected"


@pytest.mark.parametrize("device", [None, "/dev/ttyUSB77", "/dev/ttyNOPE"])
def test_a_missing_device_is_a_connection_error(device, config):
    one = EdgeProfiler("esp32", device, config=config)
    with pytest.raises(DeviceConnectionError):
        one.connect()
    assert one.force_reconnect() is False


def test_unknown_connections_are_refused(config):
    with pytest.raises(ValueError, match="connection"):
        edge.EdgeProfiler("esp32", connection="pigeon", config=config)
    with pytest.raises(DeviceConnectionError, match="pigeon"):
        EdgeProfiler("esp32", connection="pigeon", config=config).connect()


def test_a_context_manager_connects_and_disconnects(profiler):
    with profiler as same:
        assert same is profiler
        assert same.is_connected
    assert not profiler.is_connected

    def fails():
        with profiler:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fails()
    assert not profiler.is_connected


def test_a_profile_by_keywords(profiler):
    model = QuantizedModel("any", size_mb=0.05)
    results = profiler.profile_model(
        model=model, test_prompts=["Hello", "Once"], metrics=("latency", "memory"), config=None
    )
    assert isinstance(results, ProfileResults)
    assert len(results.session_id) == 32
    assert isinstance(results.start_time, datetime)
    assert results.latency_profile.tokens_per_second == results.tokens_per_second > 0
    assert results.first_token_latency_ms > 0
    assert results.peak_memory_kb == results.memory_profile.peak_memory_kb == 123.5
    assert results.memory_profile.memory_usage_kb == 123.5
    assert results.power_profile is None
    assert results.energy_per_token_mj is None
    metadata = results.session_metadata
    assert metadata["successful_metrics"] == ["latency", "memory"]
    assert metadata["failed_metrics"] == []
    assert metadata["connection_type"] == "line"
    assert metadata["platform_config"] == "esp32"
    assert metadata["device_health"]["status"] == "healthy"
    assert metadata["resource_stats"]["connection_attempts"] == 1


def test_one_prompt_once_is_enough(profiler, config):
    config.measurement_iterations = 1
    results = profiler.profile_model(None, ["Hello"])
    assert results.latency_profile.sample_count == 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((None, []), "test_prompts"), ((None, ["a"] * 101), "test_prompts"),
        ((None, [1]), "test_prompts"), ((None, ["a" * 10_001]), "test_prompts"),
        ((None, "Hello"), "test_prompts"), ((None, ["a"], ["speed"]), "metrics"),
        ((42, ["a"]), "model"),
    ],
)  # fmt: skip
def test_wrong_input_is_a_value_error_and_leaves_nothing_behind(profiler, arguments, named):
    with pytest.raises(ValueError, match=named):
        profiler.profile_model(*arguments)
    assert profiler.get_health_status()["profiling_active"] is False


def test_a_metric_that_fails_is_skipped_or_raised(port, profiler, config):
    port.device.answers["MEM_STATUS"] = "what?"
    results = profiler.profile_model(None, ["Hello"])
    assert results.session_metadata["successful_metrics"] == ["latency"]
    assert results.session_metadata["failed_metrics"] == ["memory"]
    assert results.memory_profile is None
    config.graceful_degradation = False
    with pytest.raises(ProfilingError, match="memory"):
        profiler.profile_model(None, ["Hello"])


def test_a_prompt_never_becomes_a_command(port, profiler):
    with pytest.raises(ProfilingError):
        profiler.profile_model(None, ["Hello\nMEM_STATUS"], ["latency"])
    assert not any("MEM_STATUS" in command for command in port.device.commands)


HEALTH = {
    "platform", "connection_type", "is_connected", "device_health", "circuit_breaker",
    "last_heartbeat", "connection_attempts", "managed_resources", "profiling_active",
    "resource_stats",
}  # fmt: skip


def test_health_has_every_key_and_can_be_written_as_json(profiler):
    profiler.connect()
    health = profiler.get_health_status()
    assert set(health) == HEALTH
    assert set(health["device_health"]) == {"status", "last_check", "failures", "last_error"}
    assert health["circuit_breaker"]["state"] == "closed"
    assert health["managed_resources"] == 1
    stats = health["resource_stats"]
    assert 0 < stats["memory_percent"] < 100
    assert stats["memory_available_mb"] > 0
    assert stats["managed_resources_count"] == 1
    assert stats["connection_attempts"] == 1
    assert stats["device_health_status"] == "connected"
    assert "cpu_percent" in stats
    assert json.loads(json.dumps(health)) == health


def test_the_breaker_can_be_reset(profiler):
    profiler.device_circuit.force_open()
    profiler.reset_circuit_breaker()
    assert profiler.get_health_status()["circuit_breaker"]["state"] == "closed"


def test_streams_need_a_connection(profiler):
    with pytest.raises(RuntimeError, match="connect"):
        next(profiler.stream_metrics(1))
    with profiler:
        item = next(profiler.stream_metrics(duration_seconds=1))
    assert set(item) == {"timestamp", "cpu_percent", "memory_kb", "tokens_per_second"}
    assert abs(item["timestamp"] - time.time()) < 60


def test_heartbeats_are_dated(port, config):
    config.heartbeat_interval = 0.02
    with EdgeProfiler("esp32", port.path, config=config, protocol="line") as one:
        until = time.monotonic() + 5
        while one.last_heartbeat is None and time.monotonic() < until:
            time.sleep(0.005)
        assert isinstance(one.last_heartbeat, datetime)
        assert one.get_health_status()["last_heartbeat"] == one.last_heartbeat.isoformat()
        assert len(one.managed_resources) == 2


def test_what_the_documents_promised_is_there(port, profiler):
    results = asyncio.run(profiler.profile_model_async(None, ["Hello"], ["latency"]))
    assert results.tokens_per_second > 0
    assert profiler.send_command("METRICS") == "METRICS:10.5,200,7.5"
    with pytest.raises(InvalidDataError):
        profiler.send_command("PING\nINFER:x")
    info = profiler.get_device_info()
    assert info["platform"] == "esp32"
    assert info["device"] == port.path
    assert info["protocol"] == "line"
    assert isinstance(EdgeProfiler.discover_devices(), list)


def test_text_commands_reach_tiny_firmware_and_no_framed_device(config):
    peer = PtyPeer(TinyDevice())
    with EdgeProfiler("stm32f4", peer.path, config=config, protocol="mlperf-tiny") as one:
        assert "m-name-dut" in one.send_command("name")
    peer.close()
    with EdgeProfiler("host", config=config) as one, pytest.raises(InvalidParameterError):
        one.send_command("name")


def test_firmware_is_written_by_the_tool_of_the_platform(tmp_path, config):
    image = tmp_path / "a b;c.bin"
    image.write_bytes(b"x")
    one = EdgeProfiler("esp32", "/dev/ttyUSB0", config=config)
    done = MagicMock(returncode=0, stdout="done", stderr="")
    calls = "holdfast.edge._device_calls"
    with patch(f"{calls}.shutil.which", return_value="/bin/esptool.py"), \
         patch(f"{calls}.subprocess.run", return_value=done) as run:  # fmt: skip
        assert one.flash_firmware(image) == "done"
        assert run.call_args.args[0][0] == "/bin/esptool.py"
        assert str(image) in run.call_args.args[0]
        done.returncode, done.stderr = 2, "no chip"
        with pytest.raises(DeviceError, match="no chip"):
            one.flash_firmware(image)
    with (
        patch(f"{calls}.shutil.which", return_value=None),
        pytest.raises(PlatformError, match="not installed"),
    ):
        one.flash_firmware(image)
    with pytest.raises(InvalidParameterError, match="firmware"):
        one.flash_firmware(tmp_path / "none.bin")


def test_profiles_are_logged_with_their_numbers(profiler, caplog):
    with caplog.at_level(logging.INFO, "holdfast.edge.performance"):
        profiler.profile_model(None, ["Hello"], ["latency"])
    began, ended = caplog.records
    assert began.profiling_session_id == ended.profiling_session_id
    assert ended.duration > 0
    assert ended.metrics["latency"]["tokens_per_second"] > 0


def test_a_silent_device_is_no_device(config):
    config.connection_timeout = 0.1
    peer = PtyPeer(Silent())
    with pytest.raises(DeviceError):
        EdgeProfiler("esp32", peer.path, config=config, protocol="line").connect()
    peer.close()
