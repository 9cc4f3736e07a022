"""Recordings of energy meters: Nordic PPK2, ST LPM01A, Joulescope JS220, CSV of any."""

from __future__ import annotations

import json
import math
import re
import zipfile
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from holdfast.edge._power.energy import PowerTrace
from holdfast.edge._power.recording import need_volts
from holdfast.errors import InvalidDataError, InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGEST = 1 << 30
_KEPT = 1_000_000
_METADATA = 1 << 20
_FASTEST_HZ = 1e9
_SLOWEST_HZ = 1e-3
_LPM_SAMPLE = re.compile(r"(\d{1,5})([+-]\d{2})")
_LPM_TIME = re.compile(r"TimeStamp:\s*(\d{1,9})s\s+(\d{1,9})ms", re.IGNORECASE)
_LPM_VOLTS = re.compile(r"\bvolt(?:age)?\s+(\d{1,6})\s*m", re.IGNORECASE)
_LPM_RATE = re.compile(r"\bfreq(?:uency)?\D{0,3}(\d{1,9}(?:\.\d{1,9})?)\s*(k?)", re.IGNORECASE)


def _rate(said: Any, path: Path) -> float:
    try:
        rate = float(said["metadata"]["samplesPerSecond"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InvalidDataError(f"{path} is no PPK2 session: {error!r}") from error
    if not _SLOWEST_HZ <= rate <= _FASTEST_HZ:
        raise InvalidDataError(
            f"{path}: samplesPerSecond must be in [{_SLOWEST_HZ:g}, {_FASTEST_HZ:g}], "
            f"got {rate!r}"
        )
    return rate


def _part(archive: zipfile.ZipFile, name: str, most: int, path: Path) -> zipfile.ZipInfo:
    one = archive.getinfo(name)
    if one.file_size > most:
        raise InvalidDataError(f"{path}: {name} has more than {most} bytes")
    if one.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise InvalidDataError(f"{path}: {name} is compressed in an unknown way")
    return one


def read_ppk2(path: Path, volts: float | None) -> PowerTrace:
    """A `.ppk2` session: a ZIP with `metadata.json` and 6-byte frames in `session.raw`.

    At most a million values are kept: longer recordings are averaged over whole groups of
    samples, which leaves every energy as it was.
    """
    supply = need_volts(volts, path)
    try:
        with zipfile.ZipFile(path) as archive:
            said = json.loads(archive.read(_part(archive, "metadata.json", _METADATA, path)))
            session = _part(archive, "session.raw", _LARGEST, path)
            with archive.open(session) as raw:
                return _ppk2(raw, session.file_size, _rate(said, path), supply, path)
    except InvalidDataError:
        raise
    except (
        KeyError,
        ValueError,
        OSError,
        EOFError,
        RuntimeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise InvalidDataError(f"{path} is no PPK2 session: {error!r}") from error


def _ppk2(raw: IO[bytes], size: int, rate: float, volts: float, path: Path) -> PowerTrace:
    import numpy as np

    frame = np.dtype([("microamperes", "<f4"), ("bits", "<u2")])
    if size % frame.itemsize:
        raise InvalidDataError(f"{path}: session.raw does not hold whole frames")
    count = size // frame.itemsize
    every = max(math.ceil(count / _KEPT), 1)
    step = max((1 << 20) // every, 1) * every
    times: list[int] = []
    powers: list[float] = []
    edges: list[int] = []
    was_high = False
    for start in range(0, count - count % every, step):
        wanted = min(step, count - count % every - start)
        data = raw.read(wanted * frame.itemsize)
        if len(data) != wanted * frame.itemsize:
            raise InvalidDataError(f"{path}: session.raw ends early")
        frames = np.frombuffer(data, frame)
        # A sample that was lost is NaN: a hole.
        taken = np.isfinite(frames["microamperes"])
        # Two bits an input; the lowest pair is D0, 2 means high.
        high = (frames["bits"] & 3 == 2)[taken]  # noqa: PLR2004
        turns = np.flatnonzero(np.diff(high, prepend=was_high))
        edges += [round((start + int(at)) * 1e9 / rate) for at in np.flatnonzero(taken)[turns]]
        was_high = bool(high[-1]) if len(high) else was_high
        values = np.where(taken, frames["microamperes"], 0).astype(np.float64)
        whole = taken.reshape(-1, every).sum(axis=1)
        mean = values.reshape(-1, every).sum(axis=1) / np.maximum(whole, 1)
        kept = np.flatnonzero(whole)
        centres = start + kept * every + (every - 1) / 2
        times += np.rint(centres * 1e9 / rate).astype(np.int64).tolist()
        powers += (mean[kept] * 1e-3 * volts).tolist()
    if not times:
        raise InvalidDataError(f"{path} holds no sample")
    marks = list(zip(edges[::2], edges[1::2], strict=False))
    return PowerTrace(times, powers, "ppk2", volts, marks)


def _words(path: Path) -> Iterator[str]:
    with path.open(encoding="ascii", errors="replace") as file:
        yield from file


def _settings(path: Path) -> tuple[float | None, float | None, bool]:
    """Hertz and volts as the commands that were echoed say, and whether it sent energies."""
    rate = volts = energy = None
    for line in _words(path):
        rate, volts = rate or _LPM_RATE.search(line), volts or _LPM_VOLTS.search(line)
        energy = energy or re.search(r"output\s+energy", line)
    return (
        None if rate is None else float(rate[1]) * (1000 if rate[2] else 1),
        None if volts is None else float(volts[1]) / 1000,
        energy is not None,
    )


def read_lpm01a(path: Path, volts: float | None, rate_hz: float | None) -> PowerTrace:
    """What an LPM01A sends in `format ascii_dec`, as its terminal shows it.

    Samples are `6409-07` (6409e-7): ampere, or joule per sample after `output energy`. Rate
    and supply are taken from the echoed commands `freq` and `volt`. A `TimeStamp` that is
    ahead of the samples counted so far shows that some were lost: a hole. Lines
    `event <n> ris` mark the edges between which requests ran.
    """
    rate, volt, energy = _settings(path)
    rate_hz, volts = rate or rate_hz, volt if volts is None else volts
    if rate_hz is None or not _SLOWEST_HZ <= rate_hz <= _FASTEST_HZ:
        raise InvalidParameterError(
            f"rate_hz must be given: {path} does not name a possible one, got {rate_hz!r}"
        )
    supply = None if energy else need_volts(volts, path)
    period, now = 1e9 / rate_hz, 0.0
    times: list[int] = []
    powers: list[float] = []
    edges: list[int] = []
    for line in _words(path):
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
        from holdfast.edge._power.jls import read_jls

        return read_jls(path, volts)
    if suffix == ".csv":
        from holdfast.edge._power.meter_csv import read_csv

        return read_csv(path, volts)
    if suffix in {".txt", ".log"}:
        return read_lpm01a(path, volts, rate_hz)
    raise InvalidDataError(
        f"{path}: expected .ppk2, .jls, .csv, .txt or .log; export other recordings as CSV"
    )
