"""Recordings as the makers' tools write them."""

import json
import struct
import sys
import zipfile

import numpy as np
import pytest

from holdfast.edge import power_profile, read_trace
from holdfast.errors import InvalidDataError, InvalidParameterError

pyjls = pytest.importorskip("pyjls")


def write_jls(path, signals, rate=10_000, offset=0, source="JS220-000001"):
    with pyjls.Writer(str(path)) as writer:
        writer.source_def(
            source_id=1, name=source, vendor="Jetperch", model="JS220", version="1",
            serial_number="000001",
        )  # fmt: skip
        for number, (name, (unit, values)) in enumerate(signals.items(), 1):
            digital = values.dtype == np.uint8
            writer.signal_def(
                number, source_id=1, sample_rate=rate, name=name, units=unit,
                data_type=pyjls.DataType.U1 if digital else pyjls.DataType.F32,
            )  # fmt: skip
            data = np.packbits(values, bitorder="little") if digital else values
            writer.fsr(number, offset, data)
    return path


def wave(n=30_000):
    """10 mA, and 30 mA in the middle third."""
    current = np.full(n, 0.01, np.float32)
    current[n // 3 : 2 * n // 3] = 0.03
    return current


def test_a_recording_of_current_and_voltage_gives_power_and_marks(tmp_path):
    high = np.zeros(30_000, np.uint8)
    high[10_000:20_000] = 1
    path = write_jls(
        tmp_path / "t.jls",
        {
            "current": ("A", wave()),
            "voltage": ("V", np.full(30_000, 3.3, np.float32)),
            "gpi[0]": ("", high),
        },
        offset=500,
    )
    found = read_trace(path)
    assert (found.source, found.volts) == ("js220", pytest.approx(3.3))
    assert found.marks_ns == [(1_000_000_000, 2_000_000_000)]
    assert found.period_ns == 100_000
    energy, coverage = found.energy_mj(0, 2_999_900_000)
    assert coverage == pytest.approx(1)
    assert energy == pytest.approx((0.01 * 2 + 0.03) * 3.3 * 1e3, rel=1e-3)


def test_power_is_taken_as_it_was_recorded(tmp_path):
    path = write_jls(
        tmp_path / "t.jls",
        {"power": ("W", np.full(100, 0.05, np.float32)), "current": ("A", wave(100))},
    )
    assert read_trace(path).milliwatts == pytest.approx([50] * 100)


def test_current_alone_needs_the_supply(tmp_path):
    path = write_jls(tmp_path / "t.jls", {"current": ("A", wave(300))})
    with pytest.raises(InvalidParameterError, match="volts"):
        read_trace(path)
    assert read_trace(path, volts=2.0).milliwatts[0] == pytest.approx(20)


def test_long_recordings_are_averaged_without_losing_energy(tmp_path, monkeypatch):
    noise = np.random.default_rng(1).uniform(0.01, 0.05, 30_000).astype(np.float32)
    path = write_jls(tmp_path / "t.jls", {"power": ("W", noise)})
    whole = read_trace(path).energy_mj(0, 3_000_000_000)[0]
    monkeypatch.setattr("holdfast.edge._power.jls._KEPT", 1000)
    monkeypatch.setattr("holdfast.edge._power.jls._BLOCK", 4096)
    short = read_trace(path)
    assert len(short.times_ns) == 1000
    assert short.energy_mj(0, 3_000_000_000)[0] == pytest.approx(whole, rel=2e-3)


def test_samples_that_were_lost_are_holes(tmp_path):
    power = np.full(3000, 0.01, np.float32)
    power[1000:2000] = np.nan
    found = read_trace(write_jls(tmp_path / "t.jls", {"power": ("W", power)}))
    assert len(found.times_ns) == 2000
    assert found.energy_mj(0, 300_000_000)[1] == pytest.approx(2 / 3, rel=0.01)


def test_two_instruments_in_one_file_are_refused(tmp_path):
    path = tmp_path / "t.jls"
    with pyjls.Writer(str(path)) as writer:
        for number in (1, 2):
            writer.source_def(source_id=number, name=f"js{number}", vendor="", model="",
                              version="", serial_number="")  # fmt: skip
            writer.signal_def(number, source_id=number, sample_rate=1000, name="power", units="W",
                              data_type=pyjls.DataType.F32)  # fmt: skip
            writer.fsr(number, 0, np.ones(10, np.float32))
    with pytest.raises(InvalidDataError, match="several instruments"):
        read_trace(path)


def test_without_the_package_the_way_out_is_named(tmp_path, monkeypatch):
    path = write_jls(tmp_path / "t.jls", {"current": ("A", wave(300))})
    monkeypatch.setitem(sys.modules, "pyjls", None)
    with pytest.raises(InvalidParameterError, match=r"holdfast\[joulescope\]"):
        read_trace(path)


def test_a_recording_that_was_cut_is_refused_or_read_up_to_there(tmp_path, capfd):
    path = write_jls(tmp_path / "t.jls", {"temperature": ("C", wave(300))})
    with pytest.raises(InvalidDataError, match="neither power nor current, but temperature"):
        read_trace(path)
    (tmp_path / "cut.jls").write_bytes(path.read_bytes()[:40])
    with pytest.raises(InvalidDataError, match="no whole JLS"):
        read_trace(tmp_path / "cut.jls")
    (tmp_path / "other.jls").write_bytes(b"something else")
    with pytest.raises(InvalidDataError, match="no JLS recording"):
        read_trace(tmp_path / "other.jls")


def ppk2(path, samples, rate=100_000):
    """As the desktop app saves: two bits an input, 01 low, 10 high, 11 both, NaN lost."""
    raw = b"".join(
        struct.pack("<fH", current, 0x5556 if high else 0x5555) for current, high in samples
    )
    said = {"metadata": {"samplesPerSecond": rate, "startSystemTime": 1}, "formatVersion": 2}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("session.raw", raw)
        archive.writestr("metadata.json", json.dumps(said))
        archive.writestr("minimap.raw", "{}")
    return path


def test_a_ppk2_session_with_lost_samples_has_a_hole(tmp_path):
    samples = [(1000.0, i >= 500) for i in range(1000)]
    samples[100:200] = [(float("nan"), False)] * 100
    found = read_trace(ppk2(tmp_path / "s.ppk2", [*samples, (1000.0, False)]), volts=3.0)
    assert len(found.times_ns) == 901
    assert found.marks_ns == [(5_000_000, 10_000_000)]
    assert found.milliwatts == pytest.approx([3] * len(found.milliwatts))
    with pytest.raises(InvalidDataError, match="no sample"):
        read_trace(ppk2(tmp_path / "n.ppk2", [(float("nan"), False)]), volts=3.0)


TERMINAL = """\
PowerShield > ack volt 3000m
PowerShield > ack freq 1k
PowerShield > ack output current
PowerShield > ack start
TimeStamp: 000s 000ms, buff 00%
{first}
event 0 ris
{second}
TimeStamp: 000s 200ms, buff 01%
{third}
event 1 ris
end
"""


def test_an_lpm01a_terminal_says_rate_supply_and_what_was_lost(tmp_path):
    block = "\n".join(["1000-06"] * 50)
    text = TERMINAL.format(first=block, second=block, third=block)
    (tmp_path / "t.txt").write_text(text)
    found = read_trace(tmp_path / "t.txt")
    assert found.volts == 3.0
    assert found.milliwatts == pytest.approx([3] * len(found.milliwatts))
    assert (found.times_ns[99], found.times_ns[100]) == (99_000_000, 200_000_000)
    assert found.marks_ns == [(50_000_000, 250_000_000)]
    assert found.energy_mj(0, 249_000_000)[1] == pytest.approx(0.6, abs=0.02)


@pytest.mark.parametrize(
    ("header", "row", "milliwatts"),
    [
        ("#time (s),current (A),voltage (V),power (W),charge (C),energy (J)",
         "{t},0.002,3.0,0.006,0,0", 6),
        ("time (s),current (mA),voltage (V)", "{t},2,3.0", 6),
        ("Time_s,Current_uA", "{t},2000", 6),
        ("timestamp,voltage_v,current_ma,power_mw,temperature_c", "{t},3,2,6,", 6),
        ("Time [s];Power [uW]", "{t};6000", 6),
        ("time (s),current (µA)", "{t},2000", 6),
    ],
)  # fmt: skip
def test_columns_are_known_by_name_and_unit(tmp_path, header, row, milliwatts):
    lines = [header, *(row.format(t=i / 1000) for i in range(3)), "0.00"]
    (tmp_path / "t.csv").write_text("\n".join(lines), encoding="utf-8")
    found = read_trace(tmp_path / "t.csv", volts=3.0)
    assert found.milliwatts == [pytest.approx(milliwatts)] * 3
    assert found.times_ns == [0, 1_000_000, 2_000_000]


@pytest.mark.parametrize(
    "text", ["time_s,speed\n0,1\n", "hour,power_mw\n0,1\n", "", "time_s,power_xw\n0,1\n"]
)
def test_columns_that_are_missing_are_named(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InvalidDataError, match="no column of"):
        read_trace(tmp_path / "t.csv", volts=3.0)


def test_a_marked_recording_gives_energy_per_token(tmp_path, make_generation):
    one = make_generation(0, tokens=11, ttft_ms=100, itl_ms=90)
    one.end_host_ns = one.start_host_ns + 1_002_000_000
    high = np.zeros(30_000, np.uint8)
    high[10_000:20_020] = 1
    path = write_jls(
        tmp_path / "t.jls",
        {"power": ("W", np.full(30_000, 0.033, np.float32)), "gpi[0]": ("", high)},
    )
    found = power_profile(read_trace(path), [one])
    assert found.energy_per_token_mj == pytest.approx(33 * 0.09, rel=1e-3)
    assert found.idle_power_mw == pytest.approx(33, rel=1e-3)
