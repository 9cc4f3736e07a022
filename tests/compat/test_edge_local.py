"""Older scripts without a board: local profiles, mocked ports, simulated power."""

import asyncio
import csv
import logging
import threading
from unittest.mock import MagicMock, Mock, patch

import pytest

from holdfast.compat.tiny_llm_profiler import EdgeProfiler, ProfilingConfig, QuantizedModel
from holdfast.compat.tiny_llm_profiler.exceptions import (
    DeviceConnectionError,
    SecurityError,
)
from holdfast.compat.tiny_llm_profiler.models import QuantizationType
from holdfast.compat.tiny_llm_profiler.power import (
    INA219Sensor,
    PowerConfig,
    PowerMeasurement,
    PowerProfiler,
    SimulatedPowerSensor,
)
from holdfast.compat.tiny_llm_profiler.results import (
    AccuracyProfile,
    LatencyProfile,
    MemoryProfile,
    PowerProfile,
    ProfileResults,
    ThroughputProfile,
)

SERIAL = "holdfast.compat.tiny_llm_profiler.profiler.serial.Serial"


@pytest.fixture
def config():
    return ProfilingConfig(
        measurement_iterations=2, warmup_iterations=0, max_retries=0, retry_delay=0.0,
        heartbeat_interval=0,
    )  # fmt: skip


# --- local --------------------------------------------------------------------------------
@pytest.mark.parametrize("platform", ["esp32", "stm32f4", "rp2040", "bl602"])
def test_a_board_that_is_not_there_is_simulated_and_says_so(platform, config, caplog):
    model = QuantizedModel("tinyllama-4bit", quantization="4bit", size_mb=0.3)
    profiler = EdgeProfiler(platform=platform, connection="local", config=config)
    assert profiler.get_health_status()["connection_type"] == "local"
    with caplog.at_level(logging.WARNING), profiler:
        assert profiler.is_connected
        results = profiler.profile_model(
            model, ["Hello", "World"], metrics=["latency", "memory", "power"]
        )
    assert (results.platform, results.model_name) == (platform, "tinyllama-4bit")
    assert results.latency_profile.tokens_per_second > 0
    assert results.memory_profile.peak_memory_kb > 0
    assert results.power_profile.energy_per_token_mj > 0
    metadata = results.session_metadata
    assert metadata["connection_type"] == "local"
    assert metadata["stand_in"]["platform"].startswith("sim://")
    assert metadata["stand_in"]["model"] != "tinyllama-4bit"
    assert "stands in for the platform" in caplog.text
    times = [one for one in results.measurements.values() if one.unit == "ms" and one.value]
    assert all("modelled" in one.provenance for one in times if one.clock == "virtual")
    assert results.latency_profile.clock == "virtual"


def test_parts_of_a_result_are_of_the_older_classes(config, tmp_path):
    profiler = EdgeProfiler("esp32", connection="local", config=config)
    results = profiler.profile_model(None, ["Hello"], ["latency", "memory", "power"])
    profiler.disconnect()
    assert isinstance(results, ProfileResults)
    assert isinstance(results.latency_profile, LatencyProfile)
    assert isinstance(results.memory_profile, MemoryProfile)
    assert isinstance(results.power_profile, PowerProfile)
    assert results.power_profile.simulated
    assert results.latency_profile.percentile_99_ms is None  # measured: too few for it
    results.export_json(tmp_path / "r.json")
    back = ProfileResults.from_json(tmp_path / "r.json")
    assert isinstance(back, ProfileResults)
    assert back.latency_profile == results.latency_profile
    assert back.power_profile == results.power_profile
    assert back.calculate_efficiency_score() == results.calculate_efficiency_score()


def test_whatever_is_like_a_model_will_do(config):
    model = Mock(size_mb=0.5, quantization=QuantizationType.INT2)
    model.name = "mocked"
    for given in (model, Mock(spec=QuantizedModel)):
        profiler = EdgeProfiler("esp32", connection="local", config=config)
        results = profiler.profile_model(model=given, test_prompts=["Hi"])
        assert results.tokens_per_second > 0
        profiler.disconnect()
    with pytest.raises(ValueError, match="model"):
        EdgeProfiler("esp32", connection="local", config=config).profile_model(42, ["Hi"])


def test_a_linux_board_is_this_machine(config):
    with EdgeProfiler("rpi_zero", connection="local", config=config) as profiler:
        results = profiler.profile_model(QuantizedModel("t", size_mb=0.5), ["Hello"])
    assert set(results.session_metadata["stand_in"]) == {"model"}
    assert results.session_metadata["target"] == "host://"


def test_local_streams_have_the_older_keys(config):
    profiler = EdgeProfiler("esp32", connection="local", config=config)
    with pytest.raises(RuntimeError):
        next(profiler.stream_metrics(1))
    with profiler:
        item = next(profiler.stream_metrics(duration_seconds=5))
    assert {"timestamp", "cpu_percent", "memory_mb", "tokens_per_second"} <= set(item)


def test_little_memory_is_no_connection(config):
    where = "holdfast.compat.tiny_llm_profiler.profiler.host_memory"
    with patch(where, return_value=(99.0, 50.0)), pytest.raises(DeviceConnectionError):
        EdgeProfiler("esp32", connection="local", config=config).connect()


# --- what is refused ----------------------------------------------------------------------
@pytest.mark.parametrize(
    "device", ["/etc/passwd", "/dev/null", "/dev/ttyUSB0; rm -rf /", "/dev/../etc/shadow"]
)
def test_what_is_no_port_is_a_security_error_and_a_value_error(device):
    for kind in (SecurityError, ValueError):
        with pytest.raises(kind, match="device must be a serial port"):
            EdgeProfiler("esp32", device=device)


def test_a_network_wants_an_address(config):
    profiler = EdgeProfiler("esp32", "10.0.0.1", connection="network", config=config)
    with pytest.raises(NotImplementedError, match="tcp://"):
        profiler.connect()


def test_other_keywords_are_ignored_and_logged(caplog):
    EdgeProfiler("esp32", timeout=5, debug=True)
    assert "ignores debug, timeout" in caplog.text


# --- a port that a test put in place --------------------------------------------------------
ANSWERS = {
    "PING": b"PONG\n", "INFER": b"TOKENS:5\n", "FIRST_TOKEN": b"Once\n",
    "MEM_STATUS": b"MEM:100.5\n", "METRICS": b"METRICS:10.5,200,7.5\n",
}  # fmt: skip


class Board:
    """Answers line by line."""

    def __init__(self, port, baudrate, timeout, write_timeout):
        self.asked = port, baudrate, timeout, write_timeout
        self.answer, self.is_open = b"", True

    def write(self, data):
        self.answer = ANSWERS.get(data.decode().strip().partition(":")[0], b"")
        return len(data)

    def readline(self):
        answer, self.answer = self.answer, b""
        return answer

    def close(self):
        self.is_open = False


def test_a_mocked_port_is_opened_as_pyserial_would_open_it(config):
    with patch(SERIAL) as opened:
        profiler = EdgeProfiler("esp32", "/dev/ttyUSB0", config=config)
        assert profiler.connect() is True
        assert profiler.is_connected
        assert profiler.device_health["status"] == "connected"
        profiler.disconnect()
    opened.assert_called_once_with("/dev/ttyUSB0", 921_600, timeout=10.0, write_timeout=30.0)
    opened.return_value.write.assert_called_once_with(b"PING\n")
    opened.return_value.close.assert_called()


def test_a_fake_board_is_profiled(config):
    with patch(SERIAL, Board), EdgeProfiler("esp32", "/dev/ttyUSB0", config=config) as profiler:
        results = profiler.profile_model(None, ["Hello"], ["latency", "memory"])
        item = next(profiler.stream_metrics(5))
    assert results.latency_profile.sample_count == 2
    assert results.peak_memory_kb == 100.5
    assert (item["cpu_percent"], item["memory_kb"], item["tokens_per_second"]) == (
        10.5,
        200,
        7.5,
    )


def test_a_port_that_cannot_be_opened_is_a_connection_error(config):
    with (
        patch(SERIAL, side_effect=OSError("busy")),
        pytest.raises(DeviceConnectionError, match="busy"),
    ):
        EdgeProfiler("esp32", "/dev/ttyUSB0", config=config).connect()


def test_a_silent_fake_is_no_board(config):
    silent = MagicMock()
    silent.return_value.readline.return_value = b""
    profiler = EdgeProfiler("esp32", "/dev/ttyUSB0", config=config)
    with patch(SERIAL, silent), pytest.raises((DeviceConnectionError, TimeoutError)):
        profiler.profile_model(None, ["Hello"])
    assert not profiler.is_connected


def test_a_port_put_on_the_profiler_is_closed_with_it(config):
    profiler = EdgeProfiler("esp32", "/dev/ttyUSB0", config=config)
    port = profiler.serial_conn = Mock()
    profiler.is_connected = True
    assert profiler.serial_conn is port
    profiler.disconnect()
    port.close.assert_called_once_with()
    assert profiler.serial_conn is None
    assert not profiler.is_connected


# --- parts made by hand -------------------------------------------------------------------
DEFAULTS = [
    (LatencyProfile(1.0, 2.0, 3.0, 4.0, 5.0), dict.fromkeys(
        ("percentile_50_ms", "percentile_90_ms", "percentile_95_ms", "percentile_99_ms"), 0
    ) | {"sample_count": 1, "success_rate": 1.0}),
    (MemoryProfile(1.0, 2.0, 3.0, 4.0), dict.fromkeys(
        ("fragmentation_percent", "gc_overhead_percent", "stack_usage_kb", "heap_usage_kb"), 0
    ) | {"sample_count": 1, "success_rate": 1.0}),
    (PowerProfile(50.0, 165.0, 200.0, 2.5, 125.0), {
        "average_current_ma": 50.0, "voltage_v": 3.3, "thermal_info": None,
        "avg_voltage_v": 3.3, "avg_current_ma": 0, "measurement_duration_sec": 1.0,
        "simulated": False, "power_std_mw": 0, "sample_count": 0, "duration_s": 0,
    }),
    (AccuracyProfile(15.5), {
        "bleu_score": 0, "rouge_score": {}, "semantic_similarity": 0,
        "task_specific_metrics": {},
    }),
    (ThroughputProfile(10.0, 2.0), {
        "batch_processing_efficiency": 1.0, "queue_time_ms": 0, "processing_time_ms": 0,
    }),
]  # fmt: skip


@pytest.mark.parametrize(("part", "expected"), DEFAULTS, ids=lambda value: type(value).__name__)
def test_what_is_not_given_is_as_it_was(part, expected):
    found = {name: getattr(part, name) for name in expected}
    for name, value in expected.items():
        same = value is None or isinstance(value, (dict, bool))
        assert found[name] == (value if same else pytest.approx(value))


def test_a_rate_of_0_follows_from_the_time_per_token():
    assert LatencyProfile(100.0, 50.0, 1000.0, 0.0, 5.0).tokens_per_second == 20.0
    assert LatencyProfile(100.0, 50.0, 1000.0, 7.0, 5.0).tokens_per_second == 7.0


def test_a_result_without_profiles_scores_0():
    results = ProfileResults("esp32", "m", 1.0, "4bit")
    assert results.calculate_efficiency_score() == 0.0
    assert "Efficiency Score: 0.0/100" in repr(results)
    results.add_latency_profile(LatencyProfile(1.0, 2.0, 3.0, 4.0, 5.0))
    assert isinstance(results.throughput_profile, ThroughputProfile)
    assert results.throughput_profile.requests_per_second == 0


# --- models -------------------------------------------------------------------------------
@pytest.mark.parametrize("platform", ["esp32", "stm32f4", "stm32f7"])
def test_a_model_of_which_only_the_size_is_known_gets_the_bits_that_fit(platform):
    copy = QuantizedModel("m", size_mb=2.0).optimize_for_platform(platform)
    assert copy.quantization is QuantizationType.INT2
    assert copy.size_mb == pytest.approx(1.0)
    small = QuantizedModel("m", size_mb=0.1).optimize_for_platform(platform)
    assert (small.quantization, small.size_mb) == (QuantizationType.INT4, 0.1)
    assert isinstance(copy, QuantizedModel)


def test_a_repository_is_fetched_when_it_is_needed():
    model = QuantizedModel.from_huggingface("owner/name", quantization="2bit", vocab_size=7)
    assert (model.name, model.quantization) == ("owner_name", QuantizationType.INT2)
    assert (model.vocab_size, model.size_mb) == (7, 0.0)
    with patch("holdfast.edge._models.hub.fetch", side_effect=OSError("no network")) as fetch:
        with pytest.raises(OSError, match="no network"):
            model.load()
        with pytest.raises(OSError, match="no network"):
            model.data()
    assert fetch.call_args.args[:2] == ("owner/name", QuantizationType.INT2)


@pytest.mark.parametrize("content", [b"dummy model data" * 20, b"\xff" * 64, bytes(1024)])
def test_a_file_without_a_header_keeps_what_was_given(content, tmp_path):
    (tmp_path / "m.bin").write_bytes(content)
    model = QuantizedModel.from_file(tmp_path / "m.bin", quantization="2bit", vocab_size=7)
    assert (model.name, model.vocab_size) == ("m", 7)
    assert model.quantization is QuantizationType.INT2
    assert model.size_mb == len(content) / 2**20


def test_a_gguf_without_tensors_keeps_the_quantisation_that_was_given(tmp_path):
    (tmp_path / "m.gguf").write_bytes(b"GGUF" + (3).to_bytes(4, "little") + bytes(64))
    model = QuantizedModel.from_file(tmp_path / "m.gguf", quantization="3bit")
    assert model.quantization is model.metadata.quantization is QuantizationType.INT3


@pytest.fixture
def _until_read():
    """A profile lasts until ten readings were taken, however long that is."""

    def sleep(_):
        while SimulatedPowerSensor.read_power.call_count < 10:
            threading.Event().wait(0.001)

    reading = SimulatedPowerSensor.read_power
    with (
        patch.object(SimulatedPowerSensor, "read_power", autospec=True, side_effect=reading),
        patch("holdfast.edge._power.profiler.time.sleep", side_effect=sleep),
    ):
        yield


# --- power --------------------------------------------------------------------------------
@pytest.mark.usefixtures("_until_read")
def test_simulated_power_says_that_it_is(tmp_path):
    profiler = PowerProfiler()
    assert profiler.config.sensor_type == "simulated"
    profiler.initialize()
    found = profiler.profile(duration_seconds=0.05, sample_rate_hz=500)
    assert found.simulated
    assert 120 < found.idle_power_mw <= found.active_power_mw <= found.peak_power_mw < 180
    tokens = max(1, int(10 * found.duration_s))
    assert found.energy_per_token_mj == found.total_energy_mj / tokens > 0
    assert found.sample_count == len(profiler.measurements) > 1
    assert found.avg_power_mw == found.active_power_mw
    assert found.voltage_v == pytest.approx(3.3)
    assert not profiler.is_profiling
    profiler.export_measurements(tmp_path / "p.csv")
    with (tmp_path / "p.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert list(row) == ["timestamp", "voltage_v", "current_ma", "power_mw", "temperature_c"]
    profiler.plot_measurements(tmp_path / "p.html")
    assert (tmp_path / "p.html").exists()


@pytest.mark.usefixtures("_until_read")
def test_settings_of_a_sensor_and_profiles_in_a_task():
    profiler = PowerProfiler("simulated", 0x41, 0.2, voltage_range_v=32.0)
    assert (profiler.config.i2c_address, profiler.config.shunt_resistance_ohms) == (0x41, 0.2)
    assert profiler.config.voltage_range_v == 32.0
    found = asyncio.run(profiler.profile_async(0.02))
    assert found.total_energy_mj > 0


@pytest.mark.parametrize("kind", [SimulatedPowerSensor, INA219Sensor])
def test_a_sensor_is_initialised_first(kind):
    with pytest.raises(RuntimeError, match="initialize"):
        kind(PowerConfig()).read_power()


def test_readings_repeat_and_end():
    sensors = [SimulatedPowerSensor(PowerConfig()) for _ in range(2)]
    for one in sensors:
        assert one.initialize() is True
    first, second = ([one.read_power().power_mw for _ in range(60)] for one in sensors)
    assert first == second
    sensors[0].close()
    with pytest.raises(RuntimeError):
        sensors[0].read_power()


def test_a_stream_ends_when_it_is_told():
    profiler = PowerProfiler()
    stream = profiler.stream_measurements(sample_rate_hz=1000)
    assert isinstance(next(stream), PowerMeasurement)
    assert profiler.is_profiling
    profiler.stop_profiling()
    assert list(stream) == []
    assert not profiler.is_profiling


def test_a_mocked_sensor_is_read():
    profiler = PowerProfiler()
    profiler.sensor = Mock()
    profiler.sensor.source = "mock"
    profiler.sensor.read_power.return_value = PowerMeasurement(0.0, 3.3, 100.0, 330.0)

    def sleep(_):
        while profiler.sensor.read_power.call_count < 10:
            threading.Event().wait(0.001)

    with patch("holdfast.edge._power.profiler.time.sleep", side_effect=sleep):
        found = profiler.profile(0.02, 200)
    assert found.active_power_mw == pytest.approx(330.0)
    assert (found.simulated, found.energy_per_token_mj) == (False, None)
