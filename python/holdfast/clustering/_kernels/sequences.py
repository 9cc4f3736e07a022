"""What counts as a sequence, and as a parameter, of a reservoir."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast._arrays import as_real
from holdfast.errors import InvalidDataError
from holdfast.errors._parameters import refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


def as_dtype(value: object) -> np.dtype[Any]:
    """`value` as float32 or float64."""
    try:
        dtype: np.dtype[Any] = np.dtype(value)  # type: ignore[call-overload]
    except TypeError:
        dtype = np.dtype(object)
    if dtype not in (np.float32, np.float64):
        refuse("dtype", "float32 or float64", value)
    return dtype


def as_numbers(name: str, value: ArrayLike, dtype: np.dtype[Any]) -> NDArray[Any]:
    """`value` as an array of `dtype` in standard layout; masked values become NaN."""
    array = as_real(value, name)
    with np.errstate(over="ignore"):  # infinity is reported by whoever forbids it
        return np.ascontiguousarray(array, dtype=dtype)


def as_sequence(
    name: str, value: ArrayLike, channels: int, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """One sequence as a finite `(time, channels)` array; `(time,)` if one channel."""
    rows = _rows(name, value, channels, dtype)
    if not np.isfinite(rows).all():
        step = int(np.argmin(np.isfinite(rows).all(axis=1)))
        raise InvalidDataError(f"{name} must be finite, got {rows[step]} at step {step}")
    return rows


def as_sequences(
    X: ArrayLike | Sequence[ArrayLike], channels: int, dtype: np.dtype[Any]
) -> tuple[NDArray[Any], list[int]]:
    """Many sequences as one `(sum of lengths, channels)` array, and their lengths."""
    if isinstance(X, np.ndarray) and X.dtype != object:
        if X.ndim == 2 and channels == 1:  # noqa: PLR2004
            X = X[:, :, None]
        if X.ndim != 3 or X.shape[2] != channels:  # noqa: PLR2004
            raise InvalidDataError(
                f"X must have shape (n, time, {channels}) or be a list of "
                f"(time, {channels}) arrays, got shape {X.shape}"
            )
        n, time, _ = X.shape
        values = as_numbers("X", X, dtype).reshape(n * time, channels)
        return values, [time] * n
    try:
        items = list(X)  # type: ignore[arg-type]
    except TypeError as error:
        raise InvalidDataError(f"X must be sequences, got {type(X).__name__}") from error
    rows = [_rows(f"X[{i}]", item, channels, dtype) for i, item in enumerate(items)]
    lengths = [len(item) for item in rows]
    return np.concatenate([np.empty((0, channels), dtype), *rows]), lengths


def _rows(name: str, value: ArrayLike, channels: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    rows = as_numbers(name, value, dtype)
    if rows.ndim == 1 and channels == 1:
        return rows[:, None]
    if rows.ndim in (1, 2) and rows.shape[0] == 0:
        return np.empty((0, channels), dtype)
    if rows.ndim != 2 or rows.shape[1] != channels:  # noqa: PLR2004
        raise InvalidDataError(f"{name} must have shape (time, {channels}), got {rows.shape}")
    return rows
