"""What counts as data for the clusterer: a table or a set of series, and which numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast._arrays import as_real
from holdfast._warnings import warn
from holdfast.errors import (
    InvalidClusteringInputError,
    InvalidDataError,
    MissingValuesWarning,
    NotNumbersError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

MOST_MISSING = 0.5  # share of values that may be missing and is filled in
_TABLE, _PANEL = 2, 3  # dimensions
_LARGEST = 1e300  # sums of so large numbers are still numbers


class NotNumbersInputError(InvalidClusteringInputError, NotNumbersError):
    """Among the data to cluster is an object that is no number."""


def refuse_other_kinds(X: object) -> None:
    """Refuse what is neither a table nor a set of series."""
    if X is None:
        raise InvalidClusteringInputError("X is None; data is required")
    if hasattr(X, "collect_schema") and not hasattr(X, "shape"):
        raise InvalidClusteringInputError(
            f"X must be data at hand, got the query {type(X).__name__}; see X.collect()"
        )
    mapping = isinstance(X, dict) and not hasattr(X, "tocsr")
    if mapping or isinstance(X, (str, bytes, set, frozenset)) or hasattr(X, "__next__"):
        raise InvalidClusteringInputError(
            "X must be a DataFrame, an array or a list of series, got "
            f"{type(X).__name__}" + "; see list(X)" * hasattr(X, "__next__")
        )


def is_series(X: Any) -> bool:
    """Whether `X` is a set of series: three dimensions, or a list of arrays."""
    if is_frame(X):
        return False
    if isinstance(X, np.ndarray) and X.dtype != object:
        return X.ndim == _PANEL
    if isinstance(X, (list, tuple)) or len(getattr(X, "shape", ())) == 1:
        items = list(X)
        if items and all(_is_array(item) for item in items):
            return True
        nested = [item for item in items if isinstance(item, (list, tuple))]
        if nested and len(nested) == len(items):
            deep = any(isinstance(v, (list, tuple, np.ndarray)) for x in nested for v in x)
            return deep or len({len(item) for item in nested}) > 1
    return len(getattr(X, "shape", ())) == _PANEL


def is_frame(X: object) -> bool:
    """Whether `X` is a DataFrame."""
    return hasattr(X, "shape") and hasattr(X, "columns")


def described(X: Any) -> dict[str, Any]:
    """What an error tells of the data it refuses."""
    return {
        "features_shape": getattr(X, "shape", None),
        "features_columns": [str(name) for name in X.columns] if is_frame(X) else None,
    }


def _is_array(item: Any) -> bool:
    of_a_library = isinstance(item, np.ndarray) or hasattr(item, "to_numpy")
    return of_a_library and len(getattr(item, "shape", ())) >= 1


def as_float64(values: Any, what: str) -> NDArray[np.float64]:
    """`values` in double precision, NaN where one is missing or masked."""
    try:
        array = as_real(values, what)
    except NotNumbersError as error:
        raise NotNumbersInputError(str(error)) from error
    except InvalidDataError as error:
        raise InvalidClusteringInputError(str(error)) from error
    with np.errstate(over="ignore"):  # of long doubles; refused as infinite
        return np.asarray(array, dtype=np.float64)


def two_dimensional(values: NDArray[np.float64]) -> None:
    """Refuse what is no table, or one without a row or a column."""
    if values.ndim != _TABLE:
        raise InvalidClusteringInputError(
            f"X must be a 2D array (samples, columns), a 3D array (samples, time, "
            f"channels) or a list of series, got {values.ndim}D array of shape "
            f"{values.shape}. Reshape your data using X.reshape(-1, 1) if it has a "
            "single feature or X.reshape(1, -1) if it is a single sample."
        )
    for size, kind in zip(values.shape, ("sample", "feature"), strict=True):
        if size < 1:
            raise InvalidClusteringInputError(
                f"Found array with 0 {kind}(s) (shape={values.shape}) while a minimum of 1 "
                "is required."
            )


def refuse_huge(values: NDArray[np.float64], place: Callable[[int, int], str]) -> None:
    """Refuse infinity, and numbers whose sum would be; `place` says where a cell is."""
    largest = np.fmax.reduce(values, axis=None, initial=-np.inf)
    least = np.fmin.reduce(values, axis=None, initial=np.inf)
    if max(largest, -least) <= _LARGEST:
        return
    row, column = np.argwhere(np.abs(values) > _LARGEST)[0]
    value, where = values[row, column], place(int(row), int(column))
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        where = place(int(row), int(column))
        raise InvalidClusteringInputError(f"X contains infinity (inf), first at {where}")
    raise InvalidClusteringInputError(
        f"X must hold numbers of a magnitude of at most {_LARGEST:g}, got {value:g} at "
        f"{where}; divide it by a constant"
    )


def warn_of_missing(filled: int, how: str) -> None:
    """Say how many missing values were filled in, and how."""
    warn(f"{filled} missing values were {how}", MissingValuesWarning)
