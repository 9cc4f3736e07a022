"""Frames of numbers on their way to K-means, and the scale they are clustered in."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast._arrays import as_real
from holdfast.errors import InvalidDataError, MissingValuesWarning

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Scaler:
    """Mean and standard deviation of each column; 1 where that is 0."""

    mean_: NDArray[np.float64]
    scale_: NDArray[np.float64]

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Return the z-scores of the rows of `X`."""
        return np.asarray((np.asarray(X, dtype=np.float64) - self.mean_) / self.scale_)

    def inverse_transform(self, X: Any) -> NDArray[np.float64]:
        """Return the rows whose z-scores are `X`."""
        return np.asarray(np.asarray(X, dtype=np.float64) * self.scale_ + self.mean_)


def scaler_of(values: NDArray[np.float64]) -> Scaler:
    """Return the scale of the columns of `values`."""
    spread = values.std(axis=0)
    return Scaler(values.mean(axis=0), np.where(spread > 0, spread, 1.0))


def numbers_of(features: Any, *, least: int = 1) -> NDArray[np.float64]:
    """Return the rows of a frame, complete and finite.

    Missing values become the mean of their column, infinite ones its largest or smallest
    finite number; both with a warning.

    Raises
    ------
    InvalidDataError
        If `features` is no frame, has fewer than `least` rows, a column that is not
        numeric, or one without a finite number.
    """
    if not hasattr(features, "iloc") or not hasattr(features, "columns"):
        raise InvalidDataError(
            f"features must be a pandas DataFrame, got {type(features).__name__}"
        )
    n, width = features.shape
    if n < 1 or width < 1:
        raise InvalidDataError(f"features must not be empty, got shape {(n, width)}")
    if n < least:
        raise InvalidDataError(f"features must have at least {least} rows, got {n}")
    values, other = np.empty((n, width)), []
    for j, name in enumerate(features.columns):
        try:
            values[:, j] = as_real(features.iloc[:, j].to_numpy(), f"column {name!r}")
        except InvalidDataError:
            other.append(str(name))
    if other:
        raise InvalidDataError(f"features must be numeric, got other columns: {other}")
    return _completed(values, [str(name) for name in features.columns])


def _completed(values: NDArray[np.float64], names: list[str]) -> NDArray[np.float64]:
    finite = np.isfinite(values)
    for j in np.flatnonzero(~finite.any(axis=0)):
        raise InvalidDataError(f"column {names[j]!r} must have a finite number, got none")
    if finite.all():
        return values
    missing = np.isnan(values)
    known = np.where(finite, values, np.nan)
    values = np.clip(values, np.nanmin(known, axis=0), np.nanmax(known, axis=0))
    values = np.where(missing, np.nanmean(known, axis=0), values)
    for count, what in (
        (int(missing.sum()), "missing values were set to the mean of their column"),
        (int((~finite & ~missing).sum()), "infinite values were set to the nearest finite one"),
    ):
        if count:
            warnings.warn(f"{count} {what}", MissingValuesWarning, stacklevel=4)
    return values
