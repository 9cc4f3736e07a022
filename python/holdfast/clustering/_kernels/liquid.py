"""Liquid state machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast import _core
from holdfast._limits import fits
from holdfast.clustering._kernels.network import Network
from holdfast.errors._parameters import count, real

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray


class LiquidStateMachine(Network):
    """Liquid of leaky tanh units on a grid (after Maass et al., 2002).

    With input ``u`` and state ``s``, starting from zero, each step of `dt` ms is::

        s <- s + dt (-s + tanh(W_input u + W_liquid s)) / tau_membrane

    Parameters are stored as given and checked on first use; the weights are drawn then.

    Parameters
    ----------
    liquid_size : int, default 64
        Units, L.
    input_size : int, default 4
        Channels, I.
    connection_prob : float, default 0.3
        Probability that one unit connects to another, 0 to 1.
    tau_membrane : float, default 30.0
        Time constant in ms, above 0.
    random_state : int, default 42
        Fixes the weights.
    duration_per_sample : float, default 50.0
        How long `process_batch` and `transform` hold each input, in ms, at least 1.
    dtype : {float64, float32}
        What states are computed in. Weights are always shown in float64.
    n_jobs : int, optional
        Threads; all processors if None or -1.

    Attributes
    ----------
    W_input : array of shape (L, I)
        Input weights, ``0.3 * N(0, 1)``.
    W_liquid : array of shape (L, L)
        ``0.5 exp(-d / 2)`` at distance ``d`` on a grid four wide and four deep; four in
        five positive, the others half as strong and negative; none to itself. Both are
        read-only; assign new ones to change them.
    liquid_state : array of shape (L,)
        After the latest update.
    state_history : list of arrays of shape (L,)
        States of the latest `process_temporal_sequence`.

    References
    ----------
    Maass, Natschlaeger, Markram (2002), Real-time computing without stable states,
    Neural Computation 14.

    Examples
    --------
    >>> lsm = LiquidStateMachine(liquid_size=32, input_size=2)
    >>> lsm.process_temporal_sequence([[0.5, 0.1], [1.0, 0.0]]).shape
    (2, 32)
    """

    def __init__(
        self,
        liquid_size: int = 64,
        input_size: int = 4,
        connection_prob: float = 0.3,
        tau_membrane: float = 30.0,
        random_state: int = 42,
        *,
        duration_per_sample: float = 50.0,
        dtype: DTypeLike = np.float64,
        n_jobs: int | None = None,
    ) -> None:
        """Store the parameters."""
        super().__init__()
        self.liquid_size = liquid_size
        self.input_size = input_size
        self.connection_prob = connection_prob
        self.tau_membrane = tau_membrane
        self.random_state = random_state
        self.duration_per_sample = duration_per_sample
        self.dtype = dtype
        self.n_jobs = n_jobs
        self.state_history: list[NDArray[Any]] = []

    @property
    def W_input(self) -> NDArray[np.float64]:  # noqa: N802
        """Input weights, (L, I)."""
        units, channels = self._units(), self._channels()
        recipe = (units, channels, 0.3, self._seed(self.random_state))
        if self._input.value is None or self._input.stale(recipe):
            fits("W_input", (recipe[0], recipe[1]), 8)
            return self._input.set(_core.draw_input_weights(*recipe), recipe)
        return self._input.value

    @W_input.setter
    def W_input(self, value: ArrayLike) -> None:  # noqa: N802
        self._input.assign("W_input", value, (self._units(), self._channels()))

    @property
    def W_liquid(self) -> NDArray[np.float64]:  # noqa: N802
        """Recurrent weights, (L, L).

        Raises
        ------
        InvalidParameterError
            A parameter is outside its domain.
        MemoryBudgetError
            They would not fit into the memory this process may use.
        """
        probability = real("connection_prob", self.connection_prob, least=0, most=1)
        recipe = (self._units(), probability, self._seed(self.random_state))
        if self._recurrent.value is None or self._recurrent.stale(recipe):
            fits("W_liquid", (recipe[0], recipe[0]), 8, 2)
            weights = _core.draw_liquid_weights(*recipe, self._limits())
            return self._recurrent.set(weights, recipe)
        return self._recurrent.value

    @W_liquid.setter
    def W_liquid(self, value: ArrayLike) -> None:  # noqa: N802
        self._recurrent.assign("W_liquid", value, (self._units(), self._units()))

    @property
    def liquid_state(self) -> NDArray[Any]:
        """State after the latest update, (L,)."""
        return self._now()

    @liquid_state.setter
    def liquid_state(self, value: ArrayLike) -> None:
        self._set_now("liquid_state", value)

    def update_liquid(self, u: ArrayLike, dt: float = 1.0) -> NDArray[Any]:
        """One step with input `u`.

        Parameters
        ----------
        u : array of shape (I,)
            Input.
        dt : float, default 1.0
            Length of the step in ms, above 0.

        Returns
        -------
        array of shape (L,)
            A copy of the new state.

        Raises
        ------
        InvalidDataError
            `u` has another shape, or holds NaN or infinity.
        InvalidParameterError
            A parameter is outside its domain.
        """
        return self._update(u, real("dt", dt, above=0) * self._leak())

    def process_temporal_sequence(
        self, seq: ArrayLike, duration_per_sample: float = 50.0
    ) -> NDArray[Any]:
        """States over time, from a state of zero; each input is held for a while.

        Parameters
        ----------
        seq : array of shape (T, I)
            One input per row.
        duration_per_sample : float, default 50.0
            Steps of 1 ms per row (rounded down), at least 1; the last state is kept.

        Returns
        -------
        array of shape (T, L)
            In `dtype`. Also kept, row by row, as `state_history`.

        Raises
        ------
        InvalidDataError
            `seq` has another shape, or holds NaN or infinity.
        InvalidParameterError
            A parameter is outside its domain.
        """
        states = self._process(seq, _steps(duration_per_sample))
        self.state_history = list(states.copy())
        return states

    def _units(self) -> int:
        return count("liquid_size", self.liquid_size)

    def _channels(self) -> int:
        return count("input_size", self.input_size)

    def _leak(self) -> float:
        # No less than the smallest normal number, whose reciprocal is finite.
        tau = real("tau_membrane", self.tau_membrane, above=0)
        return 1.0 / max(tau, float(np.finfo(np.float64).tiny))

    def _hold(self) -> int:
        return _steps(self.duration_per_sample)

    def _weights(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.W_input, self.W_liquid


def _steps(duration_per_sample: object) -> int:
    return int(real("duration_per_sample", duration_per_sample, least=1, most=1e9))
