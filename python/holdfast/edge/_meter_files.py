"""Recordings of energy meters: Nordic PPK2, ST LPM01A, Joulescope JS220, plain CSV."""

from __future__ import annotations

import csv
import io
import json
import re
import struct
import zipfile
from pathlib import Path

from holdfast.edge._energy import PowerTrace
from holdfast.errors import InvalidDataError, InvalidParameterError

_LARGEST = 1 << 30
_PPK2_FRAME = struct.Struct("<fH")
_LPM_SAMPLE = re.compile(r"(\d{1,5})([+-]\d{2})")
_LPM_RATE = re.compile(r"\bfreq(?:uency)?\D{0,3}(\d+(?:\.\d+)?)\s*(k?)", re.IGNORECASE)


def _marks(times: list[int], high: list[bool]) -> list[tuple[int, int]]:
    """Spans in which a digital input was high."""
    out = []
    start = None
    for time, on in zip(times, high, strict=True):
        if on and start is None:
            start = time
        elif not on and start is not None:
            out.append((start, time))
            start = None
    return out


def _number(text: str, row: int, path: Path) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InvalidDataError(f"{path}, row {row}: expected a number, got {text!r}") from error


def _need_volts(volts: float | None, path: Path) -> float:
    if volts is None:
        raise InvalidParameterError(f"volts must be given: {path} holds currents only")
    if not volts > 0:
        raise InvalidParameterError(f"volts must be above 0, got {volts!r}")
    return volts


def read_csv(path: Path, volts: float | None) -> PowerTrace:
    """Columns are known by their names.

    PPK2 exports `Timestamp(ms),Current(uA)` with digital inputs `D0`..`D7` or `D0-D7`,
    Joulescope `time`, `current`, `voltage` and perhaps `power` in SI units, and the last
    form is `time_s,power_mw`.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(line for line in file if line.strip())
        header = [name.strip().lstrip("#").strip() for name in next(reader, [])]
        rows = list(reader)
    lower = [re.sub(r"\s", "", name.lower()) for name in header]

    def column(*names: str) -> int | None:
        return next((lower.index(name) for name in names if name in lower), None)

    table = [[cell.strip() for cell in row] for row in rows if len(row) >= len(header)]
    milliseconds, microamperes = column("timestamp(ms)"), column("current(ua)")
    if milliseconds is not None and microamperes is not None:
        supply = _need_volts(volts, path)
        times = [round(_number(r[milliseconds], i, path) * 1e6) for i, r in enumerate(table, 2)]
        powers = [
            _number(r[microamperes], i, path) * 1e-3 * supply for i, r in enumerate(table, 2)
        ]
        d0, packed = column("d0"), column("d0-d7")
        high: list[bool] = []
        if d0 is not None:
            high = [r[d0] not in {"0", ""} for r in table]
        elif packed is not None:
            high = [r[packed].zfill(8)[0] == "1" for r in table]
        marks = _marks(times, high) if high else []
        return PowerTrace(times, powers, "ppk2", supply, marks)
    seconds = column("time", "time(s)", "time_s", "timestamp")
    if seconds is None:
        raise InvalidDataError(
            f"{path}: no column of times among {', '.join(header) or 'none'}"
        )
    times = [round(_number(r[seconds], i, path) * 1e9) for i, r in enumerate(table, 2)]
    milliwatts = column("power_mw", "power(mw)")
    if milliwatts is not None:
        powers = [_number(r[milliwatts], i, path) for i, r in enumerate(table, 2)]
        return PowerTrace(times, powers, "file", volts)
    watts, amperes = column("power", "power(w)"), column("current", "current(a)")
    potential = column("voltage", "voltage(v)")
    if watts is not None:
        powers = [_number(r[watts], i, path) * 1e3 for i, r in enumerate(table, 2)]
    elif amperes is not None and potential is not None:
        powers = [
            _number(r[amperes], i, path) * _number(r[potential], i, path) * 1e3
            for i, r in enumerate(table, 2)
        ]
    elif amperes is not None:
        supply = _need_volts(volts, path)
        powers = [_number(r[amperes], i, path) * supply * 1e3 for i, r in enumerate(table, 2)]
    else:
        raise InvalidDataError(
            f"{path}: no column of power or current among {', '.join(header)}"
        )
    return PowerTrace(times, powers, "js220", volts)


def read_ppk2(path: Path, volts: float | None) -> PowerTrace:
    """A `.ppk2` session: a ZIP with `metadata.json` and 6-byte frames in `session.raw`."""
    supply = _need_volts(volts, path)
    try:
        with zipfile.ZipFile(path) as archive:
            said = json.loads(archive.read("metadata.json"))
            if archive.getinfo("session.raw").file_size > _LARGEST:
                raise InvalidDataError(f"{path}: more than {_LARGEST} bytes of samples")
            raw = archive.read("session.raw")
        rate = float(said["metadata"]["samplesPerSecond"])
    except (KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise InvalidDataError(f"{path} is no PPK2 session: {error!r}") from error
    if len(raw) % _PPK2_FRAME.size or not rate > 0:
        raise InvalidDataError(f"{path}: session.raw does not hold whole frames")
    frames = list(_PPK2_FRAME.iter_unpack(raw))
    times = [round(index * 1e9 / rate) for index in range(len(frames))]
    powers = [microamperes * 1e-3 * supply for microamperes, _ in frames]
    # Two bits an input; the lowest pair is D0, 2 means high.
    marks = _marks(times, [bits & 3 == 2 for _, bits in frames])  # noqa: PLR2004
    return PowerTrace(times, powers, "ppk2", supply, marks)


def read_lpm01a(path: Path, volts: float | None, rate_hz: float | None) -> PowerTrace:
    """ASCII samples `6409-07` (6409e-7): ampere, or joule per sample after `output energy`.

    `event <n> ris` lines mark the edges between which requests ran.
    """
    text = path.read_text(encoding="ascii", errors="replace")
    if match := _LPM_RATE.search(text):
        rate_hz = float(match[1]) * (1000 if match[2] else 1)
    if rate_hz is None or not rate_hz > 0:
        raise InvalidParameterError(f"rate_hz must be given: {path} does not name one")
    energy = bool(re.search(r"output\s+energy", text))
    supply = None if energy else _need_volts(volts, path)
    powers: list[float] = []
    edges: list[int] = []
    for line in text.splitlines():
        word = line.strip().lstrip("\0")
        if match := _LPM_SAMPLE.fullmatch(word):
            value = int(match[1]) * 10.0 ** int(match[2])
            powers.append(value * rate_hz * 1e3 if supply is None else value * supply * 1e3)
        elif re.match(r"event\s+\d+\s+ris", word):
            edges.append(round(len(powers) * 1e9 / rate_hz))
    if not powers:
        raise InvalidDataError(f"{path} holds no LPM01A sample")
    times = [round(index * 1e9 / rate_hz) for index in range(len(powers))]
    marks = list(zip(edges[::2], edges[1::2], strict=False))
    return PowerTrace(times, powers, "lpm01a", volts, marks)


def read_trace(
    path: str | Path, *, volts: float | None = None, rate_hz: float | None = None
) -> PowerTrace:
    """A recording of an energy meter.

    Parameters
    ----------
    path : path
        `.ppk2`; `.csv` of PPK2, Joulescope or `time_s,power_mw`; `.txt` or `.log` of LPM01A.
    volts : float, optional
        Supply in V, for meters that record currents.
    rate_hz : float, optional
        Samples per second, for LPM01A recordings that do not say it.

    Raises
    ------
    InvalidDataError, InvalidParameterError
        When the file is none of these, or `volts` is needed.
    """
    path = Path(path)
    if not path.is_file():
        raise InvalidDataError(f"no recording at {path}")
    if path.stat().st_size > _LARGEST:
        raise InvalidDataError(f"{path} has more than {_LARGEST} bytes")
    suffix = path.suffix.lower()
    if suffix == ".ppk2":
        return read_ppk2(path, volts)
    if suffix == ".csv":
        return read_csv(path, volts)
    if suffix in {".txt", ".log"}:
        return read_lpm01a(path, volts, rate_hz)
    raise InvalidDataError(
        f"{path}: expected .ppk2, .csv, .txt or .log; export other recordings as CSV"
    )


def write_csv(trace: PowerTrace, path: str | Path) -> None:
    """Write `time_s,power_mw`, which `read_trace` reads."""
    from holdfast.edge._results_io import write_whole  # noqa: PLC0415

    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["time_s", "power_mw"])
    writer.writerows(
        [f"{time / 1e9:.9f}", repr(power)]
        for time, power in zip(trace.times_ns, trace.milliwatts, strict=True)
    )
    write_whole(path, text.getvalue().encode())
