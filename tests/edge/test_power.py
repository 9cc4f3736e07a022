"""Power without a model: a sensor on I2C, one of your own, a recording."""

import os
import threading
import time
from types import SimpleNamespace

import pytest

from holdfast.edge import (
    DeviceConnectionError,
    DeviceError,
    INA219Sensor,
    InsufficientDataError,
    PowerConfig,
    PowerMeasurement,
    PowerProfiler,
    PowerSensor,
    read_trace,
)
from holdfast.errors import InvalidParameterError


class Chip:
    """The registers of an INA219 behind a file descriptor."""

    def __init__(self, shunt, bus):
        self.registers = {1: shunt & 0xFFFF, 2: bus}
        self.written, self.pointer, self.address = [], 0, None

    def open(self, path, flags):
        self.path = path
        return 99

    def ioctl(self, descriptor, request, address):
        assert (descriptor, request) == (99, 0x0703)
        self.address = address

    def write(self, descriptor, data):
        self.pointer = data[0]
        self.written.append(bytes(data))

    def read(self, descriptor, count):
        return self.registers[self.pointer].to_bytes(2, "big")


@pytest.fixture
def chip(monkeypatch):
    def make(shunt=2000, bus=(3300 // 4) << 3):
        one = Chip(shunt, bus)
        for name in ("open", "write", "read"):
            monkeypatch.setattr(f"holdfast.edge._power.ina219.os.{name}", getattr(one, name))
        monkeypatch.setattr("holdfast.edge._power.ina219.os.close", lambda descriptor: None)
        monkeypatch.setattr("fcntl.ioctl", one.ioctl)
        return one

    return make


def test_registers_become_volts_and_amperes(chip):
    made = chip()
    sensor = INA219Sensor(PowerConfig(i2c_address=0x41, i2c_bus=3))
    assert sensor.initialize()
    found = sensor.read_power()
    assert (made.path, made.address) == ("/dev/i2c-3", 0x41)
    assert found.voltage_v == pytest.approx(3.3)
    assert found.current_ma == pytest.approx(200)
    assert found.power_mw == pytest.approx(660)
    assert made.written[0] == bytes((0, 0x21, 0x9F))


def test_current_has_a_sign(chip):
    chip(shunt=-100)
    sensor = INA219Sensor()
    sensor.initialize()
    assert sensor.read_power().current_ma == pytest.approx(-10)


def test_a_sensor_that_is_not_there_says_so():
    assert not INA219Sensor(PowerConfig(i2c_bus=250)).initialize()
    with pytest.raises(RuntimeError, match="initialize"):
        INA219Sensor().read_power()
    with pytest.raises(DeviceConnectionError, match="i2c-250, 0x40"):
        PowerProfiler("ina219", i2c_bus=250).initialize()


def test_a_bus_that_fails_is_an_error_of_the_device(chip, monkeypatch):
    chip()
    sensor = INA219Sensor()
    sensor.initialize()

    def gone(*_):
        raise OSError(121, os.strerror(121))

    monkeypatch.setattr("holdfast.edge._power.ina219.os.read", gone)
    with pytest.raises(DeviceError, match="ina219"):
        sensor.read_power()


@pytest.fixture
def until_five(monkeypatch):
    """Let a profile last until its sensor was read five times, however long that takes."""
    ramp = Ramp()
    clock = SimpleNamespace(
        time=time.time, monotonic=time.monotonic, sleep=lambda seconds: ramp.read.wait(300)
    )
    monkeypatch.setattr("holdfast.edge._power.profiler.time", clock)
    return ramp


class Ramp(PowerSensor):
    source = "mine"

    def __init__(self):
        self.count, self.rate, self.open = 0, None, False
        self.read = threading.Event()

    def initialize(self):
        self.open = True
        return True

    def set_sample_rate(self, hz):
        self.rate = hz

    def read_power(self):
        self.count += 1
        if self.count == 5:
            self.read.set()
        return PowerMeasurement(1e9 + self.count, 3.0, 10.0, 30.0)

    def close(self):
        self.open = False


def test_a_sensor_of_ones_own_is_profiled_with_its_voltages(tmp_path, until_five):
    sensor = until_five
    profiler = PowerProfiler(sensor)
    found = profiler.profile(0.02, 1000)
    assert sensor.rate == 1000
    assert (found.source, found.simulated) == ("mine", False)
    assert (found.avg_voltage_v, found.avg_current_ma) == (3.0, 10.0)
    assert found.avg_power_mw == pytest.approx(30)
    assert (found.idle_power_mw, found.energy_per_token_mj) == (None, None)
    assert found.total_energy_mj == pytest.approx(30.0 * found.duration_s * found.coverage)
    assert len(profiler.measurements) == found.sample_count
    profiler.export_measurements(tmp_path / "p.csv")
    header, first = (tmp_path / "p.csv").read_text().splitlines()[:2]
    assert header == "timestamp,voltage_v,current_ma,power_mw,temperature_c"
    assert first == "1000000001.0,3.0,10.0,30.0,"
    assert read_trace(tmp_path / "p.csv").milliwatts[0] == 30
    profiler.plot_measurements(tmp_path / "p.html")
    assert "<svg" in (tmp_path / "p.html").read_text()
    profiler.close()
    assert not sensor.open


def test_streaming_keeps_what_it_gives_and_ends_when_told():
    profiler = PowerProfiler(Ramp())
    got = []
    for reading in profiler.stream_measurements(sample_rate_hz=10_000):
        got.append(reading)
        assert profiler.is_profiling
        if len(got) == 5:
            profiler.stop_profiling()
    assert profiler.measurements == got
    assert not profiler.is_profiling


def test_profiling_can_be_awaited(until_five):
    import asyncio

    found = asyncio.run(PowerProfiler(until_five).profile_async(0.01))
    assert found.active_power_mw == pytest.approx(30)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"sensor": "simulated"}, "sensor must be one of"),
        ({"sensor": "ina219", "i2c_addr": 0x99}, "i2c_address"),
        ({"sensor": "ina219", "shunt_ohms": 0}, "shunt_resistance_ohms"),
        ({"sensor": "ina219", "colour": 3}, "colour"),
    ],
)
def test_wrong_settings_are_refused(arguments, said):
    with pytest.raises(InvalidParameterError, match=said):
        PowerProfiler(**arguments)


def test_nothing_measured_is_nothing_written(tmp_path):
    profiler = PowerProfiler(Ramp())
    with pytest.raises(InsufficientDataError):
        profiler.export_measurements(tmp_path / "p.csv")
    with pytest.raises(InsufficientDataError):
        profiler.plot_measurements(tmp_path / "p.html")
    with pytest.raises(InvalidParameterError, match="duration_seconds"):
        profiler.profile(0)
