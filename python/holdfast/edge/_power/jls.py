"""Recordings of a Joulescope (JS110, JS220): JLS version 2, read by its maker's `pyjls`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from holdfast.edge._power.energy import PowerTrace
from holdfast.errors import InvalidDataError, InvalidParameterError

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC = b"jlsfmt\r\n"
_KEPT = 1_000_000
_BLOCK = 1 << 20


def _signals(reader: Any, path: Path) -> dict[str, Any]:
    """Signals of fixed rate by name.

    Raises
    ------
    InvalidDataError
        When two instruments are in the file.
    """
    found: dict[str, Any] = {}
    for one in reader.signals.values():
        if one.sample_rate and one.length:
            if one.name in found:
                raise InvalidDataError(f"{path} holds {one.name!r} of several instruments")
            found[one.name] = one
    return found


def _means(reader: Any, parts: list[Any], first: int, count: int, every: int) -> Any:
    """Products of the signals, averaged over `every` samples; NaN where none was taken."""
    import numpy as np

    out = []
    step = max(_BLOCK // every, 1) * every
    for start in range(0, count - count % every, step):
        size = min(step, count - count % every - start)
        product = np.ones(size)
        for one in parts:
            at = first - one.sample_id_offset + start
            product *= reader.fsr(one.signal_id, at, size).astype(np.float64)
        table = product.reshape(-1, every)
        taken = np.count_nonzero(~np.isnan(table), axis=1)
        total = np.nansum(table, axis=1)
        out.append(np.where(taken > 0, total / np.maximum(taken, 1), math.nan))
    return np.concatenate(out) if out else np.zeros(0)


def _marks(reader: Any, gpi: Any, zero: float) -> list[tuple[int, int]]:
    """Spans in which the digital input was high."""
    import numpy as np

    edges: list[int] = []
    last = 0
    for start in range(0, gpi.length, _BLOCK):
        size = min(_BLOCK, gpi.length - start)
        packed = np.asarray(reader.fsr(gpi.signal_id, start, size))
        bits = np.unpackbits(packed.view(np.uint8), bitorder="little")[:size].astype(np.int8)
        steps = np.flatnonzero(np.diff(bits, prepend=np.int8(last)))
        edges += [start + int(at) for at in steps]
        last = int(bits[-1])
    begin = gpi.sample_id_offset / gpi.sample_rate - zero
    times = [round((begin + at / gpi.sample_rate) * 1e9) for at in edges]
    return list(zip(times[::2], times[1::2], strict=False))


def read_jls(path: Path, volts: float | None) -> PowerTrace:
    """Power, or current times voltage, or current at a known supply.

    At most a million values are kept: longer recordings are averaged over whole groups of
    samples, which leaves every energy as it was. `gpi[0]` marks requests.

    Raises
    ------
    InvalidDataError, InvalidParameterError
        When it is no such recording, or `pyjls` is not installed.
    """
    with path.open("rb") as file:
        if not file.read(len(_MAGIC)) == _MAGIC:
            raise InvalidDataError(f"{path} is no JLS recording")
    try:
        import pyjls
    except ImportError as error:
        raise InvalidParameterError(
            f"{path}: .jls needs the package pyjls (pip install 'holdfast[joulescope]'); "
            "or export the recording as CSV"
        ) from error
    import numpy as np

    try:
        with pyjls.Reader(str(path)) as reader:
            signals = _signals(reader, path)
            parts, scale = _what(signals, volts, path)
            rate = parts[0].sample_rate
            if any(one.sample_rate != rate for one in parts):
                raise InvalidDataError(f"{path}: current and voltage have two sample rates")
            first = max(one.sample_id_offset for one in parts)
            last = min(one.sample_id_offset + one.length for one in parts)
            every = max(math.ceil((last - first) / _KEPT), 1)
            watts = _means(reader, parts, first, last - first, every) * scale
            gpi = signals.get("gpi[0]")
            marks = [] if gpi is None else _marks(reader, gpi, first / rate)
            supply = volts if "voltage" not in signals else _supply(reader, signals["voltage"])
    except (RuntimeError, ValueError) as error:
        if isinstance(error, (InvalidDataError, InvalidParameterError)):
            raise
        raise InvalidDataError(f"{path} is no whole JLS recording: {error}") from error
    kept = np.flatnonzero(~np.isnan(watts))
    if len(kept) == 0:
        raise InvalidDataError(f"{path} holds no sample of power")
    period = every / rate
    times = np.rint((kept + 0.5) * period * 1e9 - 0.5e9 / rate).astype(np.int64)
    return PowerTrace(times.tolist(), (watts[kept] * 1e3).tolist(), "js220", supply, marks)


def _what(signals: dict[str, Any], volts: float | None, path: Path) -> tuple[list[Any], float]:
    """The signals whose product is power, and by what it is to be multiplied."""
    if "power" in signals:
        return [signals["power"]], 1.0
    if "current" not in signals:
        listed = ", ".join(signals) or "nothing"
        raise InvalidDataError(f"{path} holds neither power nor current, but {listed}")
    if "voltage" in signals:
        return [signals["current"], signals["voltage"]], 1.0
    if volts is None or not volts > 0:
        raise InvalidParameterError(
            f"volts must be above 0: {path} holds currents only, got {volts!r}"
        )
    return [signals["current"]], volts


def _supply(reader: Any, voltage: Any) -> float | None:
    """The mean voltage, when it was constant to 2 %."""
    mean, deviation, *_ = reader.fsr_statistics(voltage.signal_id, 0, voltage.length, 1)[0]
    steady = mean > 0 and deviation <= 0.02 * mean
    return float(mean) if steady else None
