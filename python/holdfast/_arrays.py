"""What counts as a table: one place that says so, for every estimator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.errors import InvalidDataError, NotNumbersError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32] | NDArray[np.float64]

_ABSENT = ("NoneType", "NAType", "MaskedConstant")  # of Python, pandas and NumPy


def is_missing(value: object) -> bool:
    """Whether `value` stands for one that is not there."""
    nan = isinstance(value, (float, np.floating)) and bool(np.isnan(value))
    return nan or type(value).__name__ in _ABSENT


def as_real(values: Any, what: str) -> NDArray[Any]:
    """`values` as an array of real numbers; masked and missing ones become NaN.

    The dtype is kept, where that is one of numbers; objects become float64.

    Raises
    ------
    InvalidDataError
        If `values` are sparse, ragged, complex, dates or text. Text is refused even where
        it spells numbers: whether "1,5" or "007" is one, its owner knows.
    NotNumbersError
        If an object among them is no number.
    """
    if hasattr(values, "tocsr"):
        raise InvalidDataError(
            f"sparse data is not supported: {what} must be dense, see X.toarray()"
        )
    try:
        array = np.asarray(_unmasked(values))
    except ValueError as error:
        raise InvalidDataError(f"{what} must be numeric and regular: {error}") from error
    if array.dtype.kind == "O":
        return _from_objects(array, what)
    if array.dtype.kind == "c":
        raise InvalidDataError(
            f"Complex data not supported: {what} must be real, got dtype {array.dtype}"
        )
    if array.dtype.kind in "SUT":
        first = next(iter(array.flat), "")
        raise InvalidDataError(
            f"{what} must be numeric, got text {str(first)!r}; convert it first, "
            "for instance with astype(float)"
        )
    if array.dtype.kind not in "biuf":
        raise InvalidDataError(f"{what} must be numeric, got dtype {array.dtype}")
    return array


def _unmasked(values: Any) -> Any:
    """`values` with NaN for what is masked."""
    if isinstance(values, (list, tuple)):
        if any(isinstance(value, np.ma.MaskedArray) for value in values):
            return [_unmasked(value) for value in values]
        return values
    if not isinstance(values, np.ma.MaskedArray):
        return values
    if not np.ma.is_masked(values):
        return values.data
    kind = values.dtype.kind
    wide = values.dtype if kind in "fc" else np.dtype(float if kind in "biu" else object)
    return np.ma.filled(values.astype(wide), np.nan)


def _from_objects(array: NDArray[Any], what: str) -> NDArray[np.float64]:
    kinds = {type(value) for value in array.flat}
    for kind in kinds:
        if issubclass(kind, (str, bytes)):
            place, text = next((i, v) for i, v in np.ndenumerate(array) if type(v) is kind)
            raise InvalidDataError(
                f"{what} must be numeric, got text {text!r} at {list(place)}; convert it "
                "first, for instance with astype(float)"
            )
        if issubclass(kind, (complex, np.complexfloating)):
            raise InvalidDataError(
                f"Complex data not supported: {what} must be real, got {kind.__name__}"
            )
    if any(kind.__name__ in _ABSENT for kind in kinds):
        absent = [type(value).__name__ in _ABSENT for value in array.flat]
        array = array.copy()
        array[np.reshape(absent, array.shape)] = np.nan
    try:
        return array.astype(np.float64)
    except TypeError as error:
        raise NotNumbersError(f"{what} must be numeric: {error}") from error
    except (ValueError, OverflowError) as error:
        raise InvalidDataError(f"{what} must be numeric: {error}") from error


def as_rows(X: object, min_rows: int = 1) -> Rows:
    """`X` as a C-ordered matrix of finite float32 or float64, one sample a row.

    float32 stays float32, all else becomes float64; a matrix already so is not copied.

    Raises
    ------
    InvalidDataError
        If `X` is sparse, complex, text, not two-dimensional, has no column, has fewer
        than `min_rows` rows, or holds NaN, infinity or masked values.
    """
    rows = _to_float(as_real(X, "X"))
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
            + " (masked values count as NaN)" * isinstance(X, np.ma.MaskedArray)
        )
    return rows


def _to_float(values: NDArray[Any]) -> Rows:
    # Both also put the bytes into the machine's order.
    if values.dtype.newbyteorder("=") == np.float32:
        return np.ascontiguousarray(values, dtype=np.float32)
    with np.errstate(over="ignore"):  # of long doubles; refused as infinite below
        return np.ascontiguousarray(values, dtype=np.float64)


class MixedNamesError(InvalidDataError, TypeError):
    """Some columns have names and some have not; scikit-learn's is a `TypeError`."""


def feature_names(X: object) -> NDArray[np.object_] | None:
    """Return the column names of a DataFrame if all are strings, else `None`.

    Raises
    ------
    MixedNamesError
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
        kinds = " and ".join(sorted({type(name).__name__ for name in names}))
        raise MixedNamesError(
            f"column names must be text, all of them or none, got {kinds}; "
            "see X.columns.astype(str)"
        )
    return np.asarray(names, dtype=object)
