"""Power over time as CSV: columns are known by their names and units."""

from __future__ import annotations

import csv
import io
import itertools
import math
import re
from array import array
from typing import TYPE_CHECKING

from holdfast.edge._power.energy import PowerTrace
from holdfast.edge._power.recording import need_volts, spans
from holdfast.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_LONGEST_NAME = 64
# Nanoseconds of later times do not fit 64 bits.
_LATEST_SECONDS = 9e9
_COLUMN = re.compile(r"([a-z][a-z ]*?)[ _]*(?:[(\[]([a-zµμ]+)[)\]]|_([a-zµμ]{1,2}))?")
_NAMES = {"timestamp": "time", "t": "time", "i": "current", "v": "voltage", "p": "power"}
# To seconds, amperes, volts and watts.
_SCALES = {
    "time": {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9},
    "current": {"a": 1.0, "ma": 1e-3, "ua": 1e-6, "na": 1e-9},
    "voltage": {"v": 1.0, "mv": 1e-3, "uv": 1e-6},
    "power": {"w": 1.0, "mw": 1e-3, "uw": 1e-6, "nw": 1e-9},
}


def _known(name: str) -> tuple[str, float] | None:
    """Quantity and scale of a column, or None."""
    match = _COLUMN.fullmatch(name.strip().lower()) if len(name) < _LONGEST_NAME else None
    if match is None:
        return None
    kind = _NAMES.get(match[1].strip(), match[1].strip())
    if kind not in _SCALES:
        return None
    unit = (match[2] or match[3] or "").replace("µ", "u").replace("μ", "u")
    if not unit:
        return kind, 1.0
    scale = _SCALES[kind].get(unit)
    return None if scale is None else (kind, scale)


class _Table:
    """Columns of numbers by quantity, and whether the first digital input was high."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.header: list[str] = []
        self._kinds: set[str] = set()
        self._columns: dict[str, array[float]] = {}
        self.high: list[bool] = []
        try:
            with path.open(newline="", encoding="utf-8-sig") as file:
                self._read(line for line in file if line.strip())
        except (UnicodeDecodeError, csv.Error) as error:
            raise InvalidDataError(f"{path} is no table: {error}") from error

    def _read(self, lines: Iterable[str]) -> None:
        lines = iter(lines)
        first = next(lines, "")
        separator = ";" if first.count(";") > first.count(",") else ","
        rows = csv.reader(itertools.chain([first], lines), delimiter=separator)
        self.header = [name.strip().lstrip("#").strip() for name in next(rows, [])]
        places = {
            known[0]: (place, known[1])
            for place, name in reversed(list(enumerate(self.header)))
            if (known := _known(name)) is not None
        }
        self._kinds = set(places)
        wanted = {"time", "power"} if "power" in places else {"time", "current", "voltage"}
        places = {kind: place for kind, place in places.items() if kind in wanted}
        self._columns = {kind: array("d") for kind in places}
        digital = self._digital()
        for number, row in enumerate(rows, 2):
            # A program that is stopped leaves half a row at the end.
            if len(row) < len(self.header):
                continue
            for kind, (place, scale) in places.items():
                self._columns[kind].append(self._number(row[place], number) * scale)
            if digital is not None:
                self.high.append(digital[1](row[digital[0]].strip()))

    def _number(self, text: str, row: int) -> float:
        try:
            return float(text)
        except ValueError as error:
            raise InvalidDataError(
                f"{self._path}, row {row}: expected a number, got {text.strip()!r}"
            ) from error

    def _digital(self) -> tuple[int, Callable[[str], bool]] | None:
        lower = [name.lower() for name in self.header]
        reading: Callable[[str], bool]
        for name, reading in (
            ("d0", lambda cell: cell not in {"0", ""}),
            ("d0-d7", lambda cell: cell.zfill(8)[0] == "1"),
            ("gpi[0]", lambda cell: cell not in {"0", "0.0", ""}),
        ):
            if name in lower:
                return lower.index(name), reading
        return None

    def __contains__(self, kind: str) -> bool:
        return kind in self._kinds

    def column(self, kind: str) -> array[float]:
        """Numbers in SI units."""
        return self._columns[kind]


def read_csv(path: Path, volts: float | None) -> PowerTrace:
    """Columns of time and of power, or of current with voltage or a known supply.

    PPK2 exports `Timestamp(ms),Current(uA)` with digital inputs `D0`..`D7` or `D0-D7`,
    Joulescope `#time (s),current (A),voltage (V),power (W)`; others name theirs `time_s`,
    `current (mA)`, `power_mw`. Units are s, A, V and W with m, u or n before them.

    Raises
    ------
    InvalidDataError, InvalidParameterError
        When a column is missing or holds something else, or `volts` is needed.
    """
    table = _Table(path)
    listed = ", ".join(table.header) or "none"
    if "time" not in table:
        raise InvalidDataError(f"{path}: no column of times among {listed}")
    seconds = table.column("time")
    if not all(abs(value) < _LATEST_SECONDS for value in seconds):
        raise InvalidDataError(f"{path}: times must be below {_LATEST_SECONDS:g} s")
    source = "file"
    if "timestamp(ms)" in (name.lower() for name in table.header):
        source = "ppk2"
    elif "current" in table and not any("_" in name for name in table.header):
        source = "js220"
    supply = volts
    watts: Iterable[float]
    if "power" in table:
        watts = table.column("power")
    elif "current" in table and "voltage" in table:
        pairs = zip(table.column("current"), table.column("voltage"), strict=True)
        watts = [current * voltage for current, voltage in pairs]
    elif "current" in table:
        supply = need_volts(volts, path)
        watts = [current * supply for current in table.column("current")]
    else:
        raise InvalidDataError(f"{path}: no column of power or current among {listed}")
    # A sample that was lost is NaN: a hole.
    milliwatts = [value * 1e3 for value in watts]
    kept = [index for index, value in enumerate(milliwatts) if not math.isnan(value)]
    times = [round(seconds[index] * 1e9) for index in kept]
    powers = [milliwatts[index] for index in kept]
    if not powers:
        raise InvalidDataError(f"{path} holds no sample")
    if math.inf in map(abs, powers):
        raise InvalidDataError(f"{path}: powers must be finite")
    marks = spans(times, [table.high[index] for index in kept]) if table.high else []
    return PowerTrace(times, powers, source, supply, marks)


def to_csv(trace: PowerTrace) -> bytes:
    """`time_s,power_mw`, which `read_csv` reads."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["time_s", "power_mw"])
    writer.writerows(
        [f"{time / 1e9:.9f}", repr(power)]
        for time, power in zip(trace.times_ns, trace.milliwatts, strict=True)
    )
    return text.getvalue().encode()
