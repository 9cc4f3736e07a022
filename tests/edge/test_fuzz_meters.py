"""Whatever stands in a recording, it is a trace that makes sense or refused by name."""

import json
import math
import struct
import zipfile

import numpy as np
import pytest
from fuzzing import EDITS, altered, budget, damaged
from hypothesis import given
from hypothesis import strategies as st

from holdfast.edge import read_trace
from holdfast.errors import InvalidDataError, InvalidParameterError


def read(folder, name, content, **options):
    """The trace, checked; None when it was refused by name."""
    path = folder / name
    path.write_bytes(content)
    try:
        trace = read_trace(path, **options)
    except (InvalidDataError, InvalidParameterError):
        return None
    assert len(trace.times_ns) == len(trace.milliwatts) > 0
    assert trace.times_ns == sorted(trace.times_ns)
    assert all(abs(time) < 1 << 63 for time in trace.times_ns)
    assert all(map(math.isfinite, trace.milliwatts))
    assert all(start <= end for start, end in trace.marks_ns)
    energy, share = trace.energy_mj(trace.times_ns[0], trace.times_ns[-1])
    assert math.isfinite(energy)
    assert 0 <= share <= 1 + 1e-9
    return trace


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("meters")


TABLES = [
    b"Timestamp(ms),Current(uA),D0-D7\n0,1000,00000000\n1,2000,10000000\n2,1000,00000000\n",
    b"#time (s),current (A),voltage (V),power (W)\n0,0.001,3,0.003\n0.001,0.002,3,0.006\n",
    b"time_s,power_mw\n0,3\n0.001,6\n0.002,3\n",
    b"Time [s];Power [uW];gpi[0]\n0;3;0\n1;4;1\n2;5;0\n",
    b"time,current,voltage\n0,1e200,1e200\n1,1,1\n",
]


@budget(300)
@given(table=st.sampled_from(TABLES), edits=EDITS)
def test_a_damaged_table_is_a_trace_or_refused(folder, table, edits):
    read(folder, "t.csv", damaged(table, edits), volts=3.0)


TERMINAL = b"""PowerShield > ack volt 3000m
PowerShield > ack freq 1k
PowerShield > ack start
TimeStamp: 000s 000ms, buff 00%
1000-06
1000-06
event 0 ris
1000-06
TimeStamp: 000s 200ms, buff 01%
2000-06
event 1 ris
"""


@budget(300)
@given(edits=EDITS, energy=st.booleans())
def test_a_damaged_terminal_is_a_trace_or_refused(folder, edits, energy):
    text = TERMINAL.replace(b"start", b"output energy" if energy else b"start")
    read(folder, "t.txt", damaged(text, edits))


METADATA = {"metadata": {"samplesPerSecond": 100_000, "startSystemTime": 1}, "formatVersion": 2}


def ppk2(path, metadata, raw, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("session.raw", raw)
        archive.writestr("metadata.json", metadata)
    return path.read_bytes()


FRAMES = b"".join(
    struct.pack("<fH", 1000.0 + i, 0x5556 if 8 <= i < 16 else 0x5555) for i in range(32)
)


@budget(200)
@given(metadata=altered(METADATA), raw=EDITS)
def test_a_session_of_anything_is_a_trace_or_refused(folder, metadata, raw):
    content = ppk2(folder / "made.zip", json.dumps(metadata), damaged(FRAMES, raw))
    read(folder, "s.ppk2", content, volts=3.0)


@budget(200)
@given(edits=EDITS, stored=st.booleans())
def test_a_damaged_session_is_a_trace_or_refused(folder, edits, stored):
    kind = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    content = ppk2(folder / "made.zip", json.dumps(METADATA), FRAMES, kind)
    read(folder, "s.ppk2", damaged(content, edits), volts=3.0)


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_session_packed_in_another_way_is_refused(tmp_path, kind):
    ppk2(tmp_path / "s.ppk2", json.dumps(METADATA), FRAMES, kind)
    with pytest.raises(InvalidDataError, match="compressed in an unknown way"):
        read_trace(tmp_path / "s.ppk2", volts=3.0)


def test_a_small_file_that_unpacks_to_much_is_refused(tmp_path):
    ppk2(tmp_path / "s.ppk2", " " * (2 << 20), FRAMES)
    with pytest.raises(InvalidDataError, match=r"metadata\.json has more than"):
        read_trace(tmp_path / "s.ppk2", volts=3.0)


@pytest.mark.parametrize("rate", ["1e999", "NaN", "0", "-5", '"fast"', "1e-300", "9" * 400])
def test_a_rate_that_is_none_is_refused(tmp_path, rate):
    text = f'{{"metadata": {{"samplesPerSecond": {rate}}}}}'
    ppk2(tmp_path / "s.ppk2", text, FRAMES)
    with pytest.raises(InvalidDataError, match=r"samplesPerSecond|no PPK2 session"):
        read_trace(tmp_path / "s.ppk2", volts=3.0)


def test_long_sessions_are_averaged_without_losing_energy_marks_or_holes(tmp_path, monkeypatch):
    rng = np.random.default_rng(3)
    values = rng.uniform(1000, 5000, 30_000).astype("<f4")
    values[10_000:12_000] = np.nan
    frames = np.zeros(30_000, [("microamperes", "<f4"), ("bits", "<u2")])
    frames["microamperes"], frames["bits"] = values, 0x5555
    frames["bits"][5_000:9_000] = 0x5556
    ppk2(tmp_path / "s.ppk2", json.dumps(METADATA), frames.tobytes())
    whole = read_trace(tmp_path / "s.ppk2", volts=3.0)
    monkeypatch.setattr("holdfast.edge._power.meter_files._KEPT", 1000)
    short = read_trace(tmp_path / "s.ppk2", volts=3.0)
    assert (len(whole.times_ns), len(short.times_ns)) == (28_000, 934)
    assert short.marks_ns == whole.marks_ns == [(50_000_000, 90_000_000)]
    (energy, share), (other, part) = (one.energy_mj(0, 300_000_000) for one in (whole, short))
    assert other / part == pytest.approx(energy / share, rel=2e-3)
    assert (share, part) == (
        pytest.approx(28 / 30, abs=0.002),
        pytest.approx(28 / 30, abs=0.005),
    )


@budget(60)
@given(edits=EDITS)
def test_a_damaged_joulescope_recording_is_a_trace_or_refused(folder, joulescope, edits):
    read(folder, "t.jls", damaged(joulescope, edits), volts=3.0)


@pytest.fixture(scope="module")
def joulescope(folder):
    pyjls = pytest.importorskip("pyjls")
    path = folder / "made.jls"
    with pyjls.Writer(str(path)) as writer:
        writer.source_def(
            source_id=1, name="JS220", vendor="", model="", version="", serial_number=""
        )
        for number, name in enumerate(("current", "voltage"), 1):
            writer.signal_def(number, source_id=1, sample_rate=1000, name=name, units="A",
                              data_type=pyjls.DataType.F32)  # fmt: skip
            writer.fsr(number, 0, np.full(300, number, np.float32))
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", b"time_s,power_mw\n0,1\n1,inf\n"), ("t.csv", b"time_s,power_mw\nnan,1\n"),
        ("t.csv", b"time_s,power_mw\n1e300,1\n"), ("t.csv", b"\xff\xfe\0\0"),
        ("t.csv", b"time_s,power_mw\n0," + b"1" * 200_000),
        ("t.csv", b"a" + b" " * 100_000 + b"!,power_mw\n0,1\n"),
        ("t.txt", b"freq 1k\nvolt 3000m\nTimeStamp: " + b"9" * 5000 + b"s 0ms\n"),
        ("t.txt", b"freq 0\nvolt 3000m\n1000-06\n"),
        ("t.txt", b"freq " + b"9" * 400 + b"\n1000-06\n"),
    ],
)  # fmt: skip
def test_impossible_numbers_are_refused(tmp_path, name, content):
    assert read(tmp_path, name, content) is None


def test_a_power_that_was_lost_is_a_hole_in_a_table_too(tmp_path):
    rows = "".join(f"{i / 1000},{'nan' if 50 <= i < 80 else 6}\n" for i in range(100))
    trace = read(tmp_path, "t.csv", f"time_s,power_mw\n{rows}".encode())
    assert len(trace.times_ns) == 70
    assert trace.energy_mj(0, 99_000_000)[1] == pytest.approx(0.7, abs=0.02)


@pytest.mark.parametrize("volts", [0.0, -1.0, math.inf, math.nan])
def test_a_supply_that_is_none_is_refused(tmp_path, volts):
    (tmp_path / "t.csv").write_text("time_s,current_ma\n0,1\n1,1\n")
    with pytest.raises(InvalidParameterError, match="volts must be above 0"):
        read_trace(tmp_path / "t.csv", volts=volts)
