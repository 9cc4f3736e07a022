"""What counts as a table: one place that says so, for every estimator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.errors import InvalidDataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32] | NDArray[np.float64]


def as_rows(X: object, min_rows: int = 1) -> Rows:
    """`X` as a C-ordered matrix of finite float32 or float64, one sample a row.

    float32 stays float32, all else becomes float64; a matrix already so is not copied.

    Raises
    ------
    InvalidDataError
        If `X` is sparse, complex, not two-dimensional, has no column, has fewer than
        `min_rows` rows, or holds NaN or infinity.
    """
    if hasattr(X, "tocsr"):
        raise InvalidDataError("sparse data is not supported: X must be dense, see X.toarray()")
    rows = _to_float(np.asarray(X))
    if rows.ndim != 2:  # noqa: PLR2004
        raise InvalidDataError(
            f"X must be a 2D array (samples, features), got {rows.ndim}D array of "
            f"shape {rows.shape}. Reshape your data using X.reshape(-1, 1) if it has a "
            "single feature or X.reshape(1, -1) if it is a single sample."
        )
    n, d = rows.shape
    if n < min_rows:
        raise InvalidDataError(
            f"Found array with {n} sample(s) (shape={rows.shape}) while a minimum of "
            f"{min_rows} is required."
        )
    if d < 1:
        raise InvalidDataError(
            f"Found array with 0 feature(s) (shape={rows.shape}) while a minimum of 1 "
            "is required."
        )
    # A sum of finite numbers may overflow; only then is every number looked at.
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = not np.isfinite(rows.sum())
    if suspicious and not np.isfinite(rows).all():
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise InvalidDataError(
            f"X contains NaN or infinity (inf), first at row {row}, column {column}"
        )
    return rows


def _to_float(values: NDArray[Any]) -> Rows:
    if values.dtype.kind == "c":
        raise InvalidDataError("Complex data not supported")
    try:
        # Both also put the bytes into the machine's order.
        if values.dtype.newbyteorder("=") == np.float32:
            return np.ascontiguousarray(values, dtype=np.float32)
        return np.ascontiguousarray(values, dtype=np.float64)
    except ValueError as error:
        raise InvalidDataError(f"X must be numeric: {error}") from error


def feature_names(X: object) -> NDArray[np.object_] | None:
    """Return the column names of a DataFrame if all are strings, else `None`.

    Raises
    ------
    TypeError
        If some names are strings and some are not.
    """
    columns = getattr(X, "columns", None)
    if columns is None or not hasattr(X, "shape"):
        return None
    names = list(columns)
    strings = sum(isinstance(name, str) for name in names)
    if strings == 0:
        return None
    if strings < len(names):
        raise TypeError(
            "Feature names are only supported if all input features have string names, "
            f"but X has {sorted({type(name).__name__ for name in names})} as feature "
            "name / column name types."
        )
    return np.asarray(names, dtype=object)
