"""Tables: which columns are clustered, and what fills their gaps."""

from __future__ import annotations

import numbers
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast._arrays import MixedNamesError, feature_names, is_missing
from holdfast.clustering._data.arrays import Rows
from holdfast.clustering._data.input import (
    MOST_MISSING,
    as_float64,
    is_frame,
    refuse_huge,
    two_dimensional,
    warn_of_missing,
)
from holdfast.errors import InvalidClusteringInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENERGIES = ("red_energy", "blue_energy", "green_energy", "yellow_energy")


@dataclass(frozen=True)
class Columns:
    """Which columns of a table are used, and what fills their gaps.

    Attributes
    ----------
    names
        All columns of the input, in order.
    used, ignored
        Names of those that are clustered, and of those that are not.
    fill
        Median of each used column.
    named
        Whether the table was a DataFrame; else columns go by their place.
    """

    names: list[str]
    used: list[str]
    ignored: list[str] = field(default_factory=list)
    fill: list[float] = field(default_factory=list)
    named: bool = True


def read_rows(X: Any, columns: Columns | None) -> tuple[Rows, Columns, int]:
    """Return the rows of `X`, its columns and how many values were filled in.

    `columns` are those seen by `fit`; `None` while fitting.
    """
    if is_frame(X) and (columns is None or columns.named):
        names = [str(name) for name in X.columns]
        found = columns or _choose(X, names)
        values = _select(X, names, found.used)
    else:
        values = _by_place(X)
        found = columns or _numbered(values.shape[1])
        if found.ignored:
            values = values[:, [found.names.index(name) for name in found.used]]
    two_dimensional(values)
    refuse_huge(values, lambda row, column: f"row {row}, column {found.used[column]!r}")
    fill = np.array(found.fill)
    gaps = np.isnan(values)
    filled = int(gaps.sum())
    if columns is None:
        share = gaps.mean(axis=0)
        if (share > MOST_MISSING).any():
            j = int(np.argmax(share))
            raise InvalidClusteringInputError(
                f"column {found.used[j]!r}: {share[j]:.0%} of the values are missing "
                f"(NaN), at most {MOST_MISSING:.0%} are filled in"
            )
        fill = np.nanmedian(values, axis=0) if filled else np.median(values, axis=0)
        found = Columns(found.names, found.used, found.ignored, fill.tolist(), found.named)
    if filled:
        values = np.where(gaps, fill, values)
        warn_of_missing(filled, "set to the median of their column")
    return Rows(np.ascontiguousarray(values), found.used), found, filled


def _by_place(X: Any) -> NDArray[np.float64]:
    if is_frame(X):
        names = [str(name) for name in X.columns]
        return np.column_stack([_column(X, j, name) for j, name in enumerate(names)])
    values = as_float64(X, "X")
    two_dimensional(values)
    return values


def _numbered(width: int) -> Columns:
    names = [f"x{j}" for j in range(width)]
    return Columns(names, names, named=False)


def _choose(X: Any, names: list[str]) -> Columns:
    try:
        feature_names(X)
    except MixedNamesError as error:
        raise InvalidClusteringInputError(str(error)) from error
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise InvalidClusteringInputError(f"column names must be unique, got twice: {twice}")
    energies = [name for name in ENERGIES if name in names]
    if energies and len(energies) < len(ENERGIES):
        missing = [name for name in ENERGIES if name not in names]
        raise InvalidClusteringInputError(f"Missing required columns: {missing}")
    if energies:
        return Columns(names, energies, [name for name in names if name not in energies])
    numeric = [name for j, name in enumerate(names) if _is_numeric(X, j)]
    if not numeric:
        raise InvalidClusteringInputError(
            f"X has no numeric column, got {names}; text is not converted"
        )
    return Columns(names, numeric, [name for name in names if name not in numeric])


def _is_numeric(X: Any, j: int) -> bool:
    column = X.iloc[:, j] if hasattr(X, "iloc") else X[:, j]
    if getattr(column.dtype, "kind", "") in tuple("iufb"):
        return True
    values = np.asarray(column.to_numpy())
    if values.dtype.kind != "O":
        return values.dtype.kind in "iufb"
    given = [v for v in values if not is_missing(v)]
    return bool(given) and all(isinstance(v, (numbers.Real, Decimal)) for v in given)


def _select(X: Any, names: list[str], used: list[str]) -> NDArray[np.float64]:
    missing = [name for name in used if name not in names]
    if missing:
        raise InvalidClusteringInputError(f"Missing required columns: {missing}")
    return np.column_stack([_column(X, names.index(name), name) for name in used])


def _column(X: Any, j: int, name: str) -> NDArray[np.float64]:
    column = X.iloc[:, j] if hasattr(X, "iloc") else X[:, j]
    if hasattr(X, "iloc") and getattr(column.dtype, "kind", "") in tuple("iufb"):
        # The nullable dtypes of pandas have a missing value of their own.
        return np.asarray(column.to_numpy(dtype="float64", na_value=np.nan))
    return as_float64(column.to_numpy(), f"column {name!r}")
