"""Power over time as CSV: columns are known by their names and units."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from holdfast.edge._energy import PowerTrace
from holdfast.edge._meter_files import need_volts, spans
from holdfast.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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
    match = _COLUMN.fullmatch(name.strip().lower())
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
    """Rows below a header, with columns of numbers by quantity."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [line for line in file if line.strip()]
        separator = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
        rows = list(csv.reader(lines, delimiter=separator))
        self.header = [name.strip().lstrip("#").strip() for name in (rows[0] if rows else [])]
        cells = [[cell.strip() for cell in row] for row in rows[1:]]
        # A program that is stopped leaves half a row at the end.
        self.rows = [row for row in cells if len(row) >= len(self.header)]
        self._columns = {
            known[0]: (place, known[1])
            for place, name in reversed(list(enumerate(self.header)))
            if (known := _known(name)) is not None
        }

    def __contains__(self, kind: str) -> bool:
        return kind in self._columns

    def column(self, kind: str) -> list[float]:
        """Numbers in SI units."""
        place, scale = self._columns[kind]
        out = []
        for number, row in enumerate(self.rows, 2):
            try:
                out.append(float(row[place]) * scale)
            except ValueError as error:
                raise InvalidDataError(
                    f"{self._path}, row {number}: expected a number, got {row[place]!r}"
                ) from error
        return out

    def high(self) -> list[bool]:
        """Whether the first digital input was high; empty when there is none."""
        lower = [name.lower() for name in self.header]
        reading: Callable[[str], bool]
        for name, reading in (
            ("d0", lambda cell: cell not in {"0", ""}),
            ("d0-d7", lambda cell: cell.zfill(8)[0] == "1"),
            ("gpi[0]", lambda cell: cell not in {"0", "0.0", ""}),
        ):
            if name in lower:
                place = lower.index(name)
                return [reading(row[place]) for row in self.rows]
        return []


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
    times = [round(value * 1e9) for value in table.column("time")]
    source = "file"
    if "timestamp(ms)" in (name.lower() for name in table.header):
        source = "ppk2"
    elif "current" in table and not any("_" in name for name in table.header):
        source = "js220"
    supply = volts
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
    high = table.high()
    powers = [value * 1e3 for value in watts]
    return PowerTrace(times, powers, source, supply, spans(times, high) if high else [])


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
