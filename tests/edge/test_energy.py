import io
import json
import struct
import threading
import time
import zipfile
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.edge import Generation, PowerProfiler, PowerTrace, power_profile, read_trace
from holdfast.edge._power.sensors import Ina, Rapl, Sampler
from holdfast.errors import InvalidDataError, InvalidParameterError


def trace(powers, period_ms=1.0, start_ms=0.0, **options):
    times = [round((start_ms + i * period_ms) * 1e6) for i in range(len(powers))]
    return PowerTrace(times, [float(p) for p in powers], "file", **options)


@given(st.floats(0, 1000), st.floats(0, 1000), st.integers(0, 90), st.integers(1, 9))
def test_the_integral_of_a_ramp_is_exact_between_any_two_times(base, slope, start, length):
    ramp = trace([base + slope * i for i in range(101)])
    energy, share = ramp.energy_mj(
        round((start + 0.3) * 1e6), round((start + length + 0.3) * 1e6)
    )
    mean = base + slope * (start + 0.3 + length / 2)
    assert share == pytest.approx(1)
    assert energy == pytest.approx(mean * length * 1e-3, rel=1e-9, abs=1e-9)


def test_a_hole_is_not_covered_and_adds_nothing():
    times = [i * 1_000_000 for i in range(10)] + [i * 1_000_000 for i in range(50, 60)]
    holed = PowerTrace(times, [100.0] * 20, "file")
    energy, share = holed.energy_mj(0, 59_000_000)
    assert share == pytest.approx(18 / 59)
    assert energy == pytest.approx(100 * 0.018)


def request(start_ms, first_ms, last_ms, tokens):
    one = Generation(0, start_host_ns=round(start_ms * 1e6), end_host_ns=round(last_ms * 1e6))
    step = (last_ms - first_ms) / (tokens - 1)
    for i in range(tokens):
        one.add(round((first_ms + step * i) * 1e6))
    return one


def test_energy_per_token_is_the_integral_between_first_and_last_token():
    powers = [10.0] * 100 + [110.0] * 100 + [60.0] * 101 + [10.0] * 100
    found = power_profile(trace(powers, aligned=True), [request(100, 200, 300, 11)])
    assert found.energy_per_token_mj == pytest.approx(60 * 0.1 / 10, rel=0.01)
    assert found.total_energy_mj == pytest.approx(110 * 0.1 + 60 * 0.1, rel=0.01)
    assert found.active_power_mw == pytest.approx(85, rel=0.01)
    assert found.idle_power_mw == pytest.approx(10, rel=0.1)
    assert (found.peak_power_mw, found.coverage, found.source) == (110, 1.0, "file")
    assert found.simulated is False


def test_a_recording_that_does_not_overlap_gives_nothing():
    assert power_profile(trace([1.0] * 50, aligned=True), [request(500, 510, 520, 3)]) is None
    assert power_profile(trace([1.0] * 50), [request(0, 10, 20, 3)]) is None


def test_marks_in_the_recording_replace_a_common_clock():
    powers = [0.0] * 10 + [50.0] * 101 + [0.0] * 10
    marked = trace(powers, marks_ns=[(10_000_000, 110_000_000)])
    found = power_profile(marked, [request(7000, 7000.1, 7100, 11)])
    assert found.energy_per_token_mj == pytest.approx(50 * 0.1 / 10, rel=0.02)


def test_times_must_grow_and_lengths_agree():
    with pytest.raises(InvalidDataError, match="grow"):
        PowerTrace([2, 1], [1.0, 1.0], "file")
    with pytest.raises(InvalidDataError, match="length"):
        PowerTrace([1], [], "file")


def ppk2(path, microamperes, bits, rate=1000):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"metadata": {"samplesPerSecond": rate}}))
        raw = b"".join(
            struct.pack("<fH", i, b) for i, b in zip(microamperes, bits, strict=True)
        )
        archive.writestr("session.raw", raw)


def test_ppk2_sessions_hold_current_and_a_digital_input(tmp_path):
    ppk2(tmp_path / "s.ppk2", [1000.0] * 4, [1, 2, 2, 1])
    found = read_trace(tmp_path / "s.ppk2", volts=3.0)
    assert found.milliwatts == pytest.approx([3.0] * 4)
    assert (found.period_ns, found.source) == (1e6, "ppk2")
    assert found.marks_ns == [(1_000_000, 3_000_000)]
    with pytest.raises(InvalidParameterError, match="volts"):
        read_trace(tmp_path / "s.ppk2")


@pytest.mark.parametrize(
    ("text", "source", "milliwatts"),
    [
        ("Timestamp(ms),Current(uA),D0-D7\n0,1000,00000000\n1,2000,10000000\n2,1000,00000000\n",
         "ppk2", [3.0, 6.0, 3.0]),
        ("#time,current,voltage\n0,0.001,3\n0.001,0.002,3\n0.002,0.001,3\n", "js220", [3, 6, 3]),
        ("time,current,voltage,power\n0,9,9,0.003\n0.001,9,9,0.006\n0.002,9,9,0.003\n",
         "js220", [3, 6, 3]),
        ("time_s,power_mw\n0,3\n0.001,6\n0.002,3\n", "file", [3, 6, 3]),
    ],
)  # fmt: skip
def test_csv_columns_are_known_by_name(tmp_path, text, source, milliwatts):
    (tmp_path / "t.csv").write_text(text)
    found = read_trace(tmp_path / "t.csv", volts=3.0)
    assert (found.source, found.milliwatts) == (source, pytest.approx(milliwatts))
    assert found.times_ns == [0, 1_000_000, 2_000_000]
    assert found.marks_ns == ([(1_000_000, 2_000_000)] if "D0" in text else [])


def test_lpm01a_samples_are_mantissa_and_exponent(tmp_path):
    text = "output current\nfreq 1k\nack\n6409-07\n6409-07\nevent 1 ris\n1000-06\nevent 2 ris\n6409-07\n"
    (tmp_path / "t.txt").write_text(text)
    found = read_trace(tmp_path / "t.txt", volts=3.0)
    expected = [6409e-7 * 3e3] * 2 + [3.0] + [6409e-7 * 3e3]
    assert found.milliwatts == pytest.approx(expected)
    assert found.marks_ns == [(2_000_000, 3_000_000)]
    (tmp_path / "e.txt").write_text("output energy\n6409-07\n")
    energy = read_trace(tmp_path / "e.txt", rate_hz=1000)
    assert energy.milliwatts == pytest.approx([6409e-7 * 1000 * 1e3])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ppk2", b"no zip"), ("a.csv", b""), ("a.csv", b"x,y\n1,2\n"), ("a.jls", b"jlsfmt"),
        ("a.csv", b"time_s,power_mw\n0,abc\n"), ("a.txt", b"freq 1k output energy\nhello\n"),
    ],
)  # fmt: skip
def test_foreign_recordings_are_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidDataError):
        read_trace(tmp_path / name, volts=3.0, rate_hz=1000)


@given(st.binary(max_size=200))
def test_a_damaged_session_gives_a_clear_error(tmp_path_factory, data):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("metadata.json", data)
        archive.writestr("session.raw", data)
    path = tmp_path_factory.mktemp("p") / "s.ppk2"
    path.write_bytes(content.getvalue())
    with pytest.raises(InvalidDataError):
        read_trace(path, volts=3.0)


def test_rapl_counters_that_start_over_are_repaired(tmp_path, monkeypatch):
    zone = tmp_path / "intel-rapl:0"
    zone.mkdir()
    (zone / "max_energy_range_uj").write_text("1000000\n")
    (zone / "energy_uj").write_text("900000\n")
    clock = iter([0, 10**9])
    monkeypatch.setattr("holdfast.edge._power.sensors.time.monotonic_ns", lambda: next(clock))
    sensor = Rapl(tmp_path)
    assert sensor.milliwatts() is None
    (zone / "energy_uj").write_text("400000\n")
    assert sensor.milliwatts() == pytest.approx(500)
    with pytest.raises(InvalidParameterError, match="rapl"):
        Rapl(tmp_path / "none")


def test_ina_monitors_are_read_through_hwmon(tmp_path):
    for number, name in ((0, "coretemp"), (1, "ina226")):
        (tmp_path / f"hwmon{number}").mkdir()
        (tmp_path / f"hwmon{number}" / "name").write_text(name)
    (tmp_path / "hwmon1" / "curr1_input").write_text("20")
    (tmp_path / "hwmon1" / "in1_input").write_text("3300")
    assert Ina(tmp_path).milliwatts() == pytest.approx(66)
    (tmp_path / "hwmon1" / "power1_input").write_text("50000")
    assert Ina(tmp_path).milliwatts() == 50
    with pytest.raises(InvalidParameterError, match="ina"):
        Ina(tmp_path / "hwmon0")


class Constant:
    source = "ina"

    def __init__(self):
        self.count, self.read = 0, threading.Event()

    def milliwatts(self):
        self.count += 1
        if self.count == 5:
            self.read.set()
        return 12.5


def test_a_sensor_is_sampled_in_the_background():
    sensor = Constant()
    sampler = Sampler(sensor, 1000).start()
    assert sensor.read.wait(300)
    found = sampler.stop()
    assert set(found.milliwatts) == {12.5}
    assert found.aligned


def test_the_power_profiler_summarises_what_it_sampled(tmp_path, monkeypatch):
    sensor = Constant()
    clock = SimpleNamespace(
        time=time.time, monotonic=time.monotonic, sleep=lambda seconds: sensor.read.wait(300)
    )
    monkeypatch.setattr("holdfast.edge._power.profiler.time", clock)
    profiler = PowerProfiler(sensor)
    found = profiler.profile(0.02, 1000)
    assert (found.active_power_mw, found.source) == (pytest.approx(12.5), "ina")
    profiler.export_measurements(tmp_path / "t.csv")
    again = PowerProfiler(str(tmp_path / "t.csv")).profile()
    assert again.active_power_mw == pytest.approx(12.5)
    with pytest.raises(InvalidParameterError, match="sensor"):
        PowerProfiler("simulated")
