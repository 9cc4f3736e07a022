"""What echo state networks and liquids have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast import _core
from holdfast._limits import fits, threads
from holdfast.clustering._kernels.sequences import (
    as_dtype,
    as_numbers,
    as_sequence,
    as_sequences,
)
from holdfast.errors import InvalidDataError, InvalidParameterError
from holdfast.errors._parameters import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray


class Weights:
    """A matrix drawn on first use and when its recipe changes, or assigned."""

    def __init__(self) -> None:
        """Start without one."""
        self.value: NDArray[np.float64] | None = None
        self.recipe: tuple[object, ...] | None = None

    def stale(self, recipe: tuple[object, ...]) -> bool:
        """Whether it must be drawn by `recipe`."""
        return self.value is None or self.recipe not in (None, recipe)

    def set(
        self, value: NDArray[np.float64], recipe: tuple[object, ...] | None
    ) -> NDArray[np.float64]:
        """Keep `value`, read-only: a change in place would not reach the kernels."""
        value.flags.writeable = False
        self.value, self.recipe = value, recipe
        return value

    def assign(self, name: str, value: ArrayLike, shape: tuple[int, int]) -> None:
        """Keep a copy of `value` until another one is assigned."""
        array = as_numbers(name, value, np.dtype(np.float64)).copy()
        if array.shape != shape or not np.isfinite(array).all():
            raise InvalidParameterError(
                f"{name} must be finite with shape {shape}, got shape {array.shape}"
            )
        self.set(array, None)


class Network(ABC):
    """Weights of a reservoir and its work on many sequences.

    A subclass names its parameters through `_units`, `_channels`, `_leak`, `_bias`,
    `_hold` and draws its weights through `_weights`.
    """

    dtype: DTypeLike
    n_jobs: int | None

    def __init__(self) -> None:
        """Start without weights."""
        self._input = Weights()
        self._recurrent = Weights()
        self._core: _core.Reservoir | None = None
        self._core_of: tuple[object, ...] = ()
        self._state: NDArray[Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the kernels' copy of the weights."""
        return {**self.__dict__, "_core": None, "_core_of": ()}

    @abstractmethod
    def _units(self) -> int:
        """How many there are."""

    @abstractmethod
    def _channels(self) -> int:
        """Numbers per step of a sequence."""

    @abstractmethod
    def _leak(self) -> float:
        """Share of a state that a step replaces."""

    def _bias(self) -> float:
        return 0.0

    def _hold(self) -> int:
        return 1

    @abstractmethod
    def _weights(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Input weights, and those from unit to unit."""

    def process_batch(
        self, X: ArrayLike | Sequence[ArrayLike]
    ) -> NDArray[Any] | list[NDArray[Any]]:
        """States of many sequences, each started from zero.

        Leaves the network's own state as it is. The result for a sequence does not
        depend on the others, to the last bit.

        Parameters
        ----------
        X : array of shape (n, time, input_size), or list of (time, input_size) arrays
            Sequences, of different lengths if in a list.

        Returns
        -------
        array of shape (n, time, units), or list of (time, units) arrays
            In `dtype`; a list exactly if `X` is one.

        Raises
        ------
        InvalidDataError
            `X` has another shape, or holds NaN or infinity.
        InvalidParameterError
            A parameter is outside its domain.
        """
        values, lengths = as_sequences(X, self._channels(), self._dtype())
        fits("the states", (len(values), self._units()), values.itemsize)
        states = self._reservoir().states(
            values, lengths, self._leak(), self._bias(), self._hold(), self._limits()
        )
        if isinstance(X, np.ndarray) and X.dtype != object:
            return states.reshape(len(X), -1 if len(X) else 0, states.shape[1])
        return np.split(states, np.cumsum(lengths)[:-1]) if lengths else []

    def transform(
        self,
        X: ArrayLike | Sequence[ArrayLike],
        pooling: Sequence[str] = ("mean", "std", "max", "last"),
        *,
        thresholds: ArrayLike | None = None,
    ) -> NDArray[Any]:
        """Pooled states of many sequences; the states themselves are not stored.

        Parameters
        ----------
        X : array of shape (n, time, input_size), or list of (time, input_size) arrays
            Sequences, of different lengths if in a list.
        pooling : sequence of str
            What to keep of each unit, in this order:

            * ``mean``, ``std`` (divisor T), ``max``, ``min``, ``last`` of its states
            * ``trend``: last change, ``x[T-1] - x[T-2]``
            * ``stability``: mean of ``|x[t+1] - x[t]|``
            * ``ppv``: share of steps above the unit's threshold
            * ``lspv``: longest run of such steps, as a share of T
            * ``crossings``: how often such a run begins, as a share of T
        thresholds : array of shape (units,), optional
            Zeros if not given.

        Returns
        -------
        array of shape (n, len(pooling) * units)
            In `dtype`; column ``i * units + u`` is ``pooling[i]`` of unit ``u``. Zeros
            for a sequence without a step.

        Raises
        ------
        InvalidDataError
            `X` has another shape, or holds NaN or infinity.
        InvalidParameterError
            A parameter is outside its domain.

        References
        ----------
        ``ppv`` as in Dempster et al. (2020), ROCKET, Data Mining and Knowledge
        Discovery 34.
        """
        units = self._units()
        pooling = [pooling] if isinstance(pooling, str) else list(pooling)
        if not pooling:
            raise InvalidParameterError("pooling must name at least one statistic, got none")
        over = np.zeros(units)
        if thresholds is not None:
            over = as_numbers("thresholds", thresholds, np.dtype(np.float64))
            if over.shape != (units,) or not np.isfinite(over).all():
                raise InvalidParameterError(
                    f"thresholds must be {units} finite numbers, got shape {over.shape}"
                )
        values, lengths = as_sequences(X, self._channels(), self._dtype())
        fits("the features", (len(lengths), len(pooling) * units), values.itemsize)
        return self._reservoir().features(
            values,
            lengths,
            pooling,
            over.tolist(),
            self._leak(),
            self._bias(),
            self._hold(),
            self._limits(),
        )

    def _dtype(self) -> np.dtype[Any]:
        return as_dtype(self.dtype)

    def _limits(self) -> tuple[int, None, None]:
        return threads(self.n_jobs), None, None

    def _reservoir(self) -> _core.Reservoir:
        single = self._dtype() == np.float32
        inputs, recurrent = self._weights()
        of = (inputs, recurrent, single)
        # By identity of matrices that are kept alive: an address alone may be used again.
        if self._core is None or any(
            a is not b for a, b in zip(self._core_of, of, strict=True)
        ):
            self._core = _core.Reservoir(*of)
            self._core_of = of
        return self._core

    def _now(self) -> NDArray[Any]:
        """Return the state after the latest update."""
        units, dtype = self._units(), self._dtype()
        if self._state is None or self._state.shape != (units,):
            self._state = np.zeros(units, dtype)
        self._state = self._state.astype(dtype, copy=False)
        return self._state

    def _set_now(self, name: str, value: ArrayLike) -> None:
        array = as_numbers(name, value, self._dtype()).copy()
        if array.shape != (self._units(),) or not np.isfinite(array).all():
            raise InvalidDataError(
                f"{name} must be {self._units()} finite numbers, got {value!r}"
            )
        self._state = array

    def _update(self, u: ArrayLike, leak: float) -> NDArray[Any]:
        """One update of the state; a copy of it."""
        dtype, channels = self._dtype(), self._channels()
        values = as_numbers("u", u, dtype)
        if values.shape != (channels,) or not np.isfinite(values).all():
            raise InvalidDataError(f"u must be {channels} finite numbers, got {u!r}")
        after = self._reservoir().update(self._now(), values, leak, self._bias())
        self._state = after
        return after.copy()

    def _process(self, seq: ArrayLike, hold: int) -> NDArray[Any]:
        """All states of one sequence from zero; the last one becomes the state."""
        rows = as_sequence("seq", seq, self._channels(), self._dtype())
        fits("the states", (len(rows), self._units()), rows.itemsize, 2)
        limits = self._limits()
        states = self._reservoir().states(
            rows, [len(rows)], self._leak(), self._bias(), hold, limits
        )
        self._state = states[-1].copy() if len(states) else None
        return states

    def _seed(self, random_state: object) -> int:
        return count("random_state", random_state, 0, 2**64 - 1)
