"""Assessments in a CSV file, as a table to cluster."""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any, ClassVar

from holdfast.errors import InvalidDataError, InvalidParameterError, MissingValuesWarning
from holdfast.telemetry import get_enhanced_metrics

__all__ = ["InsightsDataParser"]

ENERGIES = ("red_energy", "blue_energy", "green_energy", "yellow_energy")
# What other exports call the four.
ALIASES = {
    "fiery_red": "red_energy",
    "cool_blue": "blue_energy",
    "earth_green": "green_energy",
    "sunshine_yellow": "yellow_energy",
}


def __getattr__(name: str) -> Any:
    """`pd`: pandas, whose `read_csv` older tests replace here."""
    if name != "pd":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import pandas as pd

    return pd


_SHOWN = 5  # row numbers in a message


class InsightsDataParser:
    """Reads, checks and scales assessments: a row per person, four energies that sum to 100.

    Needs pandas. `fiery_red`, `cool_blue`, `earth_green` and `sunshine_yellow` are read as
    the energies too.

    Parameters
    ----------
    validate_data : bool, default=True
        Whether to check and scale; otherwise the file is read as it is.
    max_megabytes : float, default=100
        Larger files are refused.

    Attributes
    ----------
    data : DataFrame or None
        Of the latest file; may be assigned.

    Raises
    ------
    InvalidParameterError
        If `max_megabytes` is not greater than 0.
    """

    REQUIRED_COLUMNS: ClassVar[tuple[str, ...]] = ("employee_id", *ENERGIES)

    def __init__(
        self,
        validate_data: bool = True,  # noqa: FBT001, FBT002 (the older order)
        *,
        max_megabytes: float = 100.0,
    ) -> None:
        if not max_megabytes > 0:
            raise InvalidParameterError(
                f"max_megabytes must be greater than 0, got {max_megabytes!r}"
            )
        self.validate_data = validate_data
        self.max_megabytes = max_megabytes
        self.data: Any = None

    def parse_csv(self, path: str | Path) -> Any:
        """Read a file; columns keep their order, and further ones stay.

        Rows without an `employee_id` are left out, missing energies become the median of
        their column, and each row is scaled to a sum of 100, rounded to 2 decimals. All of
        it, and values above 100, with a warning.

        Returns
        -------
        DataFrame

        Raises
        ------
        InvalidDataError
            A `ValueError`: the file is too large, or has no rows, columns are missing, or
            energies are text, negative, or sum to 0; with the numbers of the rows, the
            first below the header being 1.
        OSError
            If the file cannot be read.
        """
        import pandas as pd

        begun = time.perf_counter()
        # What is no file is for `read_csv`, which older tests replace, to say.
        size = Path(path).stat().st_size if Path(path).is_file() else 0
        if size > self.max_megabytes * 1e6:
            raise InvalidDataError(
                f"{path} must have at most {self.max_megabytes:g} MB, has {size / 1e6:.1f} MB"
            )
        table = pd.read_csv(path).rename(columns=ALIASES)
        self.data = self._checked(table) if self.validate_data else table
        metrics = get_enhanced_metrics()
        metrics.record_employee_records(len(self.data))
        took = time.perf_counter() - begun
        metrics.record_data_processing("parse_csv", took, len(self.data))
        return self.data

    def get_clustering_features(self) -> Any:
        """Return a copy of the four energies.

        Raises
        ------
        InvalidDataError
            If no file was read.
        """
        return self._read()[list(ENERGIES)].copy()

    def get_employee_metadata(self) -> Any:
        """Return a copy of everything else.

        Raises
        ------
        InvalidDataError
            If no file was read.
        """
        return self._read().drop(columns=list(ENERGIES))

    def _read(self) -> Any:
        if self.data is None:
            raise InvalidDataError("no data: call parse_csv() first")
        return self.data

    def _checked(self, table: Any) -> Any:
        missing = sorted(set(self.REQUIRED_COLUMNS) - set(table.columns))
        if missing:
            raise InvalidDataError(f"Missing required columns: {missing}")
        if table.empty:
            raise InvalidDataError("the file must have rows, got none")
        table = _numbers(table)
        _warn("rows without an employee_id were left out", table["employee_id"].isna())
        table = table[table["employee_id"].notna()]
        energies = table[list(ENERGIES)]
        _refuse("must not be negative", (energies < 0).any(axis=1))
        _warn("rows have energies above 100", (energies > 100).any(axis=1))  # noqa: PLR2004
        _warn("rows have missing energies: set to the median", energies.isna().any(axis=1))
        energies = energies.fillna(energies.median())
        total = energies.sum(axis=1, skipna=False)
        _refuse("must not sum to 0 or be missing in a whole column", ~(total > 0))
        scaled = energies.mul(100.0 / total, axis=0).round(2)
        return table.assign(**{name: scaled[name] for name in ENERGIES})


def _numbers(table: Any) -> Any:
    import pandas as pd

    for name in ENERGIES:
        numbers = pd.to_numeric(table[name], errors="coerce").astype(float)
        text = numbers.isna() & table[name].notna()
        _refuse(f"must be finite numbers in {name}", text | numbers.abs().eq(float("inf")))
        table = table.assign(**{name: numbers})
    return table


def _rows(which: Any) -> str:
    rows = [int(i) + 1 for i in which.index[which]]
    more = ", ..." if len(rows) > _SHOWN else ""
    return f"rows {', '.join(map(str, rows[:_SHOWN]))}{more}"


def _refuse(rule: str, which: Any) -> None:
    if which.any():
        raise InvalidDataError(f"energies {rule}, see {_rows(which)}")


def _warn(what: str, which: Any) -> None:
    if which.any():
        text = f"{int(which.sum())} {what}: {_rows(which)}"
        warnings.warn(text, MissingValuesWarning, stacklevel=4)
