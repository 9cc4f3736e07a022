"""Sets of series: layouts, lengths, gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.clustering._data.arrays import Sequences
from holdfast.clustering._data.input import (
    MOST_MISSING,
    as_float64,
    refuse_huge,
    warn_of_missing,
)
from holdfast.errors import InvalidClusteringInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ONE, _PANEL = 2, 3  # dimensions of a series with channels, and of a set of them


def read_series(X: Any, layout: str, channels: int | None) -> tuple[Sequences, int]:
    """Return the series of `X` and how many values were filled in.

    `channels` are those `fit` has seen; `None` while fitting.
    """
    values, lengths = _joined(X, layout, channels)
    if channels is None:
        _refuse_single_steps(values.shape[1], lengths)
    ends = np.cumsum(lengths)

    def place(row: int, channel: int) -> str:
        i = int(np.searchsorted(ends, row, side="right"))
        return f"series {i}, step {row - (ends[i] - lengths[i])}, channel {channel}"

    refuse_huge(values, place)
    gaps = np.isnan(values)
    filled = int(gaps.sum())
    if filled:
        values = values.copy()
        holed = np.unique(np.searchsorted(ends, np.flatnonzero(gaps.any(axis=1)), "right"))
        for i in holed.tolist():
            _interpolate(values[ends[i] - lengths[i] : ends[i]], i)
        warn_of_missing(filled, "interpolated in time")
    return Sequences(values, lengths), filled


def _joined(
    X: Any, layout: str, channels: int | None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """All series one after the other, and their lengths."""
    if isinstance(X, np.ndarray) and X.ndim == _PANEL and 0 not in X.shape:
        panel = as_float64(X, "X")
        if layout == "nct":
            panel = panel.transpose(0, 2, 1)
        _same_channels(panel[:1], channels or panel.shape[2])
        n, length, width = panel.shape
        joined = np.ascontiguousarray(panel).reshape(n * length, width)
        return joined, np.full(n, length, dtype=np.int64)
    items = list(X)
    if not items:
        raise InvalidClusteringInputError("X has 0 series, at least 1 is required")
    arrays = [_one_series(item, i, layout) for i, item in enumerate(items)]
    _same_channels(arrays, channels or arrays[0].shape[1])
    lengths = np.array([len(values) for values in arrays], dtype=np.int64)
    return np.ascontiguousarray(np.concatenate(arrays)), lengths


def _one_series(item: Any, i: int, layout: str) -> NDArray[np.float64]:
    values = as_float64(item, f"series {i}")
    if values.ndim == 1:
        values = values[:, None]
    elif values.ndim == _ONE and layout == "nct":
        values = values.T
    if values.ndim != _ONE:
        raise InvalidClusteringInputError(
            "each series must be (time,) or (time, channels), got shape "
            f"{values.shape} for series {i}"
        )
    if 0 in values.shape:
        raise InvalidClusteringInputError(f"series {i} is empty: shape {values.shape}")
    return values


def _same_channels(arrays: Any, width: int) -> None:
    for i, values in enumerate(arrays):
        if values.shape[1] != width:
            hint = " (channels first? layout='nct')" if len(values) == width else ""
            raise InvalidClusteringInputError(
                f"X has {values.shape[1]} features, but {width} features are expected: "
                f"series {i} has {values.shape[1]} channels{hint}"
            )


def _refuse_single_steps(channels: int, lengths: NDArray[np.int64]) -> None:
    if channels > 1 and (lengths == 1).all():
        raise InvalidClusteringInputError(
            f"every series of X has 1 time step and {channels} channels: data of shape (n, "
            "channels, time), the habit of aeon and sktime, is read with layout='nct'; a "
            "table has two dimensions, see X[:, 0, :]"
        )


def _interpolate(values: NDArray[np.float64], series: int) -> None:
    steps = np.arange(len(values))
    for channel in range(values.shape[1]):
        column = values[:, channel]
        gap = np.isnan(column)
        if gap.mean() > MOST_MISSING:
            raise InvalidClusteringInputError(
                f"series {series}, channel {channel}: {gap.mean():.0%} of the values are "
                f"missing, at most {MOST_MISSING:.0%} are filled in"
            )
        if gap.any():
            column[gap] = np.interp(steps[gap], steps[~gap], column[~gap])
