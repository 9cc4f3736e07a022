"""What counts as data for the clusterer, and what is done about missing values."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.clustering._data import Rows, Sequences
from holdfast.errors import InvalidClusteringInputError, MissingValuesWarning

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENERGIES = ("red_energy", "blue_energy", "green_energy", "yellow_energy")
_MISSING = 0.5  # share of values that may be missing and is filled in
_TABLE, _PANEL = 2, 3  # dimensions


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
    """

    names: list[str]
    used: list[str]
    ignored: list[str] = field(default_factory=list)
    fill: list[float] = field(default_factory=list)


def is_series(X: object) -> bool:
    """Whether `X` is a set of series: three dimensions, or a list of arrays."""
    if hasattr(X, "columns") and hasattr(X, "shape"):
        return False
    if isinstance(X, np.ndarray) and X.dtype != object:
        return X.ndim == _PANEL
    if isinstance(X, (list, tuple)) or (isinstance(X, np.ndarray) and X.ndim == 1):
        items = list(X)
        if items and all(isinstance(x, np.ndarray) and x.ndim >= 1 for x in items):
            return True
        nested = [x for x in items if isinstance(x, (list, tuple))]
        if nested and len(nested) == len(items):
            deep = any(isinstance(v, (list, tuple, np.ndarray)) for x in nested for v in x)
            return deep or len({len(x) for x in nested}) > 1
    shape = getattr(X, "shape", ())
    return len(shape) == _PANEL


def read_series(X: Any, layout: str, channels: int | None) -> tuple[Sequences, int]:
    """Return the series of `X` and how many values were filled in."""
    items = list(X)
    if not items:
        raise InvalidClusteringInputError("X has 0 series, at least 1 is required")
    arrays = [_one_series(item, i, layout) for i, item in enumerate(items)]
    _same_channels(arrays, channels or arrays[0].shape[1])
    lengths = np.array([len(values) for values in arrays], dtype=np.int64)
    joined = np.ascontiguousarray(np.concatenate(arrays))
    _reject_infinite(joined, "X")
    filled = int(np.isnan(joined).sum())
    if filled:
        joined = joined.copy()
        start = 0
        for i, length in enumerate(lengths):
            _interpolate(joined[start : start + length], i)
            start += length
        _warn(filled, "interpolated in time")
    return Sequences(joined, lengths), filled


def _one_series(item: Any, i: int, layout: str) -> NDArray[np.float64]:
    values = _float64(item, f"series {i}")
    if values.ndim == 1:
        values = values[:, None]
    elif values.ndim == _TABLE and layout == "nct":
        values = values.T
    if values.ndim != _TABLE:
        raise InvalidClusteringInputError(
            "each series must be (time,) or (time, channels), got shape "
            f"{values.shape} for series {i}"
        )
    if 0 in values.shape:
        raise InvalidClusteringInputError(f"series {i} is empty: shape {values.shape}")
    return values


def _same_channels(arrays: list[NDArray[np.float64]], width: int) -> None:
    for i, values in enumerate(arrays):
        if values.shape[1] != width:
            hint = " (channels first? layout='nct')" if len(values) == width else ""
            raise InvalidClusteringInputError(
                f"X has {values.shape[1]} features, but {width} features are expected: "
                f"series {i} has {values.shape[1]} channels{hint}"
            )


def _interpolate(values: NDArray[np.float64], series: int) -> None:
    steps = np.arange(len(values))
    for channel in range(values.shape[1]):
        column = values[:, channel]
        gap = np.isnan(column)
        if gap.mean() > _MISSING:
            raise InvalidClusteringInputError(
                f"series {series}, channel {channel}: {gap.mean():.0%} of the values are "
                f"missing, at most {_MISSING:.0%} are filled in"
            )
        if gap.any():
            column[gap] = np.interp(steps[gap], steps[~gap], column[~gap])


def read_rows(X: Any, columns: Columns | None) -> tuple[Rows, Columns, int]:
    """Return the rows of `X`, its columns and how many values were filled in.

    `columns` are those seen by `fit`; `None` while fitting.
    """
    names = _column_names(X)
    if names is None:
        values = _float64(X, "X")
        _two_dimensional(values)
        names = [f"x{j}" for j in range(values.shape[1])]
        found = columns or Columns(names, names)
    else:
        found = columns or _choose(X, names)
        values = _select(X, names, found.used)
    _reject_empty(values)
    _reject_infinite(values, "X")
    fill = np.array(found.fill)
    gaps = np.isnan(values)
    filled = int(gaps.sum())
    if columns is None:
        share = gaps.mean(axis=0)
        if (share > _MISSING).any():
            j = int(np.argmax(share))
            raise InvalidClusteringInputError(
                f"column {found.used[j]!r}: {share[j]:.0%} of the values are missing "
                f"(NaN), at most {_MISSING:.0%} are filled in"
            )
        fill = np.nanmedian(values, axis=0)
        found = Columns(found.names, found.used, found.ignored, fill.tolist())
    if filled:
        values = np.where(gaps, fill, values)
        _warn(filled, "set to the median of their column")
    return Rows(np.ascontiguousarray(values), found.used), found, filled


def _choose(X: Any, names: list[str]) -> Columns:
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
        raise InvalidClusteringInputError(f"X has no numeric column, got {names}")
    return Columns(names, numeric, [name for name in names if name not in numeric])


def _is_numeric(X: Any, j: int) -> bool:
    column = X.iloc[:, j] if hasattr(X, "iloc") else X[:, j]
    values = np.asarray(column.to_numpy())
    if values.dtype.kind in "iufb":
        return True
    if values.dtype.kind != "O":
        return False
    return all(isinstance(v, (int, float, np.number)) or v is None for v in values)


def _select(X: Any, names: list[str], used: list[str]) -> NDArray[np.float64]:
    missing = [name for name in used if name not in names]
    if missing:
        raise InvalidClusteringInputError(f"Missing required columns: {missing}")
    picked = []
    for name in used:
        j = names.index(name)
        column = X.iloc[:, j] if hasattr(X, "iloc") else X[:, j]
        picked.append(_float64(column.to_numpy(), f"column {name!r}"))
    return np.column_stack(picked)


def _column_names(X: Any) -> list[str] | None:
    columns = getattr(X, "columns", None)
    if columns is None or not hasattr(X, "shape"):
        return None
    return [str(name) for name in columns]


def _float64(values: Any, what: str) -> NDArray[np.float64]:
    if hasattr(values, "tocsr"):
        raise InvalidClusteringInputError(
            "sparse data is not supported: X must be dense, see X.toarray()"
        )
    array = np.asarray(values)
    if array.dtype.kind == "c":
        raise InvalidClusteringInputError("Complex data not supported")
    if array.dtype.kind in "mM":
        raise InvalidClusteringInputError(f"{what} must be numeric, got dtype {array.dtype}")
    if array.dtype.kind == "O":
        array = np.where(array == None, np.nan, array)  # noqa: E711 (elementwise)
    try:
        return np.asarray(array, dtype=np.float64)
    except TypeError as error:
        if "argument must be" in str(error):  # what scikit-learn's users expect
            raise TypeError(f"{what} must be numeric: {error}") from error
        raise InvalidClusteringInputError(f"{what} must be numeric: {error}") from error
    except ValueError as error:
        raise InvalidClusteringInputError(f"{what} must be numeric: {error}") from error


def _two_dimensional(values: NDArray[np.float64]) -> None:
    if values.ndim != _TABLE:
        raise InvalidClusteringInputError(
            f"X must be a 2D array (samples, columns), a 3D array (samples, time, "
            f"channels) or a list of series, got {values.ndim}D array of shape "
            f"{values.shape}. Reshape your data using X.reshape(-1, 1) if it has a "
            "single feature or X.reshape(1, -1) if it is a single sample."
        )


def _reject_empty(values: NDArray[np.float64]) -> None:
    n, d = values.shape
    if n < 1:
        raise InvalidClusteringInputError(
            f"Found array with 0 sample(s) (shape={values.shape}) while a minimum of 1 "
            "is required."
        )
    if d < 1:
        raise InvalidClusteringInputError(
            f"Found array with 0 feature(s) (shape={values.shape}) while a minimum of 1 "
            "is required."
        )


def _reject_infinite(values: NDArray[np.float64], what: str) -> None:
    infinite = np.isinf(values)
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        raise InvalidClusteringInputError(
            f"{what} contains infinity (inf), first at row {row}, column {column}"
        )


def _warn(filled: int, how: str) -> None:
    warnings.warn(f"{filled} missing values were {how}", MissingValuesWarning, stacklevel=5)
