"""Recordings of energy meters: Nordic PPK2, ST LPM01A, Joulescope JS220, CSV of any."""

from __future__ import annotations

import json
import math
import re
import struct
import zipfile
from pathlib import Path

from holdfast.edge._energy import PowerTrace
from holdfast.errors import InvalidDataError, InvalidParameterError

_LARGEST = 1 << 30
_PPK2_FRAME = struct.Struct("<fH")
_LPM_SAMPLE = re.compile(r"(\d{1,5})([+-]\d{2})")
_LPM_TIME = re.compile(r"TimeStamp:\s*(\d+)s\s+(\d+)ms", re.IGNORECASE)
_LPM_VOLTS = re.compile(r"\bvolt(?:age)?\s+(\d+)\s*m", re.IGNORECASE)
_LPM_RATE = re.compile(r"\bfreq(?:uency)?\D{0,3}(\d+(?:\.\d+)?)\s*(k?)", re.IGNORECASE)


def spans(times: list[int], high: list[bool]) -> list[tuple[int, int]]:
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


def need_volts(volts: float | None, path: Path) -> float:
    if volts is None:
        raise InvalidParameterError(f"volts must be given: {path} holds currents only")
    if not volts > 0:
        raise InvalidParameterError(f"volts must be above 0, got {volts!r}")
    return volts


def read_ppk2(path: Path, volts: float | None) -> PowerTrace:
    """A `.ppk2` session: a ZIP with `metadata.json` and 6-byte frames in `session.raw`."""
    supply = need_volts(volts, path)
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
    # A sample that was lost is NaN: a hole. Two bits an input; the lowest pair is D0, 2 means
    # high.
    frames = [
        (round(index * 1e9 / rate), microamperes, bits & 3 == 2)  # noqa: PLR2004
        for index, (microamperes, bits) in enumerate(_PPK2_FRAME.iter_unpack(raw))
        if math.isfinite(microamperes)
    ]
    if not frames:
        raise InvalidDataError(f"{path} holds no sample")
    times = [time for time, _, _ in frames]
    powers = [microamperes * 1e-3 * supply for _, microamperes, _ in frames]
    marks = spans(times, [high for *_, high in frames])
    return PowerTrace(times, powers, "ppk2", supply, marks)


def read_lpm01a(path: Path, volts: float | None, rate_hz: float | None) -> PowerTrace:
    """What an LPM01A sends in `format ascii_dec`, as its terminal shows it.

    Samples are `6409-07` (6409e-7): ampere, or joule per sample after `output energy`. Rate
    and supply are taken from the echoed commands `freq` and `volt`. A `TimeStamp` that is
    ahead of the samples counted so far shows that some were lost: a hole. Lines
    `event <n> ris` mark the edges between which requests ran.
    """
    text = path.read_text(encoding="ascii", errors="replace")
    if match := _LPM_RATE.search(text):
        rate_hz = float(match[1]) * (1000 if match[2] else 1)
    if rate_hz is None or not rate_hz > 0:
        raise InvalidParameterError(f"rate_hz must be given: {path} does not name one")
    energy = bool(re.search(r"output\s+energy", text))
    if volts is None and (match := _LPM_VOLTS.search(text)):
        volts = float(match[1]) / 1000
    supply = None if energy else need_volts(volts, path)
    period, now = 1e9 / rate_hz, 0.0
    times: list[int] = []
    powers: list[float] = []
    edges: list[int] = []
    for line in text.splitlines():
        word = line.strip().lstrip("\0")
        if match := _LPM_SAMPLE.fullmatch(word):
            value = int(match[1]) * 10.0 ** int(match[2])
            powers.append(value * rate_hz * 1e3 if supply is None else value * supply * 1e3)
            times.append(round(now))
            now += period
        elif match := _LPM_TIME.match(word):
            said = int(match[1]) * 1e9 + int(match[2]) * 1e6
            # It is sent at about its time only.
            if said - now > max(10 * period, 5e6):
                now = said
        elif re.match(r"event\s+\d+\s+ris", word):
            edges.append(round(now))
    if not powers:
        raise InvalidDataError(f"{path} holds no LPM01A sample")
    marks = list(zip(edges[::2], edges[1::2], strict=False))
    return PowerTrace(times, powers, "lpm01a", volts, marks)


def read_trace(
    path: str | Path, *, volts: float | None = None, rate_hz: float | None = None
) -> PowerTrace:
    """A recording of an energy meter.

    Parameters
    ----------
    path : path
        `.ppk2`; `.jls` (needs `pyjls`); `.csv` of PPK2, Joulescope, LPM01A programs or
        `time_s,power_mw`; `.txt` or `.log` of an LPM01A terminal.
    volts : float, optional
        Supply in V, for meters that record currents.
    rate_hz : float, optional
        Samples per second, for LPM01A recordings that do not say it.

    Raises
    ------
    InvalidDataError, InvalidParameterError
        When the file is none of these, or `volts` or a package is needed.
    """
    path = Path(path)
    if not path.is_file():
        raise InvalidDataError(f"no recording at {path}")
    suffix = path.suffix.lower()
    if suffix != ".jls" and path.stat().st_size > _LARGEST:
        raise InvalidDataError(f"{path} has more than {_LARGEST} bytes")
    if suffix == ".ppk2":
        return read_ppk2(path, volts)
    if suffix == ".jls":
        from holdfast.edge._jls import read_jls

        return read_jls(path, volts)
    if suffix == ".csv":
        from holdfast.edge._meter_csv import read_csv

        return read_csv(path, volts)
    if suffix in {".txt", ".log"}:
        return read_lpm01a(path, volts, rate_hz)
    raise InvalidDataError(
        f"{path}: expected .ppk2, .jls, .csv, .txt or .log; export other recordings as CSV"
    )
