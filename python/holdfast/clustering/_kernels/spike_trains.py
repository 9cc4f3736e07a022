"""What counts as spike times, and as the length of a simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from holdfast.clustering._kernels.sequences import as_numbers
from holdfast.errors import InvalidDataError
from holdfast.errors._parameters import real, refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Trains = Sequence[ArrayLike]

_TINY = float(np.finfo(np.float64).tiny)
_MOST_SPIKES = 10_000_000
_BURST = 5  # steps


def trains_of(samples: Sequence[Trains], inputs: int) -> tuple[NDArray[np.float64], list[int]]:
    """Return all spike times, sorted per input, and how many each input has."""
    trains = []
    for sample in samples:
        if len(sample) != inputs:
            raise InvalidDataError(
                f"input_spikes must be {inputs} sequences, got {len(sample)}"
            )
        for i, train in enumerate(sample):
            name = f"input_spikes[{i}]"
            times = as_numbers(name, train, np.dtype(np.float64))
            if times.ndim != 1 or not np.isfinite(times).all():
                raise InvalidDataError(
                    f"{name} must be a sequence of finite times, got {train!r}"
                )
            trains.append(np.sort(times))
    return np.concatenate([np.empty(0), *trains]), [len(train) for train in trains]


def positive(name: str, value: object) -> float:
    """Return `value` as a float above 0."""
    return max(_TINY, real(name, value, above=0))


def duration_of(duration: object) -> float:
    """Return `duration` in ms."""
    return max(_TINY, real("duration", duration, above=0, most=1e9))


def steps_of(duration: object, dt: object) -> tuple[int, float]:
    """Return the number of steps and the length of one in ms."""
    step = positive("dt", dt)
    steps = duration_of(duration) / step
    if steps > 1e9:  # noqa: PLR2004
        refuse("dt", "at least a billionth of duration", dt)
    return int(steps), step


def bounds_of(bounds: object) -> tuple[float, float]:
    """Return the least and the largest weight."""
    try:
        low, high = bounds  # type: ignore[misc]
    except (TypeError, ValueError):
        low = high = None
    if not isinstance(low, (int, float)) or not isinstance(high, (int, float)):
        refuse("bounds", "a pair of numbers", bounds)
    if not low <= high:
        refuse("bounds", "in order", bounds)
    return float(low), float(high)


def check_encodable(name: str, rows: NDArray[np.float64], duration: float) -> None:
    """Refuse `rows` that are not finite or would give too many spikes."""
    if not np.isfinite(rows).all():
        raise InvalidDataError(f"{name} must be finite, got NaN or infinity")
    with np.errstate(over="ignore"):
        spikes = (np.maximum(rows, 0.0) * (duration / 10.0)).sum(axis=1)
    if (spikes > _MOST_SPIKES).any():
        raise InvalidDataError(
            f"{name} must give at most {_MOST_SPIKES} spikes in {duration} ms; values "
            f"are meant to be in 0..1, got up to {rows.max()}"
        )


def rates_and_bursts(fired: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, per row, spikes in a thousand steps and gaps of at most five steps."""
    if fired.ndim != 2:  # noqa: PLR2004
        raise InvalidDataError(f"resp must have shape (neurons, steps), got {fired.shape}")
    features = np.zeros((len(fired), 2))
    features[:, 0] = 1000.0 * (fired > 0).sum(axis=1) / max(fired.shape[1], 1)
    features[:, 1] = [(np.diff(np.flatnonzero(row > 0)) <= _BURST).sum() for row in fired]
    return features.ravel()
