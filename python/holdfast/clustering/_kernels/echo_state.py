"""Echo state networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast import _core
from holdfast._limits import fits
from holdfast.clustering._kernels.network import Network
from holdfast.clustering._kernels.sequences import as_sequence
from holdfast.errors._parameters import count, real

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray


class EchoStateNetwork(Network):
    """Reservoir of leaky tanh units (Jaeger, 2001), without a readout.

    With input ``u`` and state ``x``, starting from zero, each step is::

        x <- (1 - a) x + a tanh(W_in u + bias + W_res x),    a = leaking_rate

    Parameters are stored as given and checked on first use; the weights are drawn then.

    Parameters
    ----------
    reservoir_size : int, default 100
        Units, R.
    input_size : int, default 4
        Channels, I.
    spectral_radius : float, default 0.95
        Largest modulus of an eigenvalue of ``W_res``, zero or more. Met to 1e-6.
    sparsity : float, default 0.1
        Probability that a recurrent weight is dropped, 0 to 1; so 90 % are present.
    leaking_rate : float, default 0.3
        Above 0, at most 1.
    random_state : int, default 42
        Fixes the weights.
    input_scaling : float, default 0.1
        Standard deviation of the input weights.
    bias : float, default 0
        Constant input to every unit.
    dtype : {float64, float32}
        What states are computed in. Weights are always shown in float64.
    n_jobs : int, optional
        Threads; all processors if None or -1.

    Attributes
    ----------
    W_in : array of shape (R, I)
        Input weights, ``input_scaling * N(0, 1)``.
    W_res : array of shape (R, R)
        Recurrent weights, ``N(0, 1)`` before scaling; unscaled where their own spectral
        radius is zero. Both are read-only; assign new ones to change them.
    state : array of shape (R,)
        After the latest update.
    states_history : list of arrays of shape (R,)
        States of the latest `process_sequence`.

    References
    ----------
    Jaeger (2001), The "echo state" approach to analysing and training recurrent neural
    networks, GMD report 148. Lukosevicius (2012), A practical guide to applying echo
    state networks.

    Examples
    --------
    >>> esn = EchoStateNetwork(reservoir_size=50, input_size=1)
    >>> esn.process_sequence([[0.5], [1.0], [0.0]]).shape
    (3, 50)
    """

    def __init__(
        self,
        reservoir_size: int = 100,
        input_size: int = 4,
        spectral_radius: float = 0.95,
        sparsity: float = 0.1,
        leaking_rate: float = 0.3,
        random_state: int = 42,
        *,
        input_scaling: float = 0.1,
        bias: float = 0.0,
        dtype: DTypeLike = np.float64,
        n_jobs: int | None = None,
    ) -> None:
        """Store the parameters."""
        super().__init__()
        self.reservoir_size = reservoir_size
        self.input_size = input_size
        self.spectral_radius = spectral_radius
        self.sparsity = sparsity
        self.leaking_rate = leaking_rate
        self.random_state = random_state
        self.input_scaling = input_scaling
        self.bias = bias
        self.dtype = dtype
        self.n_jobs = n_jobs
        self.states_history: list[NDArray[Any]] = []

    @property
    def W_in(self) -> NDArray[np.float64]:  # noqa: N802
        """Input weights, (R, I).

        Raises
        ------
        InvalidParameterError
            A parameter is outside its domain.
        MemoryBudgetError
            They would not fit into the memory this process may use.
        """
        units, channels = self._units(), self._channels()
        scale = real("input_scaling", self.input_scaling)
        recipe = (units, channels, scale, self._seed(self.random_state))
        if self._input.value is None or self._input.stale(recipe):
            fits("W_in", (units, channels), 8)
            return self._input.set(_core.draw_input_weights(*recipe), recipe)
        return self._input.value

    @W_in.setter
    def W_in(self, value: ArrayLike) -> None:  # noqa: N802
        self._input.assign("W_in", value, (self._units(), self._channels()))

    @property
    def W_res(self) -> NDArray[np.float64]:  # noqa: N802
        """Recurrent weights, (R, R).

        Raises
        ------
        InvalidParameterError
            A parameter is outside its domain.
        MemoryBudgetError
            They would not fit into the memory this process may use.
        """
        radius = real("spectral_radius", self.spectral_radius, least=0)
        drop = real("sparsity", self.sparsity, least=0, most=1)
        recipe = (self._units(), radius, drop, self._seed(self.random_state))
        if self._recurrent.value is None or self._recurrent.stale(recipe):
            fits("W_res", (recipe[0], recipe[0]), 8, 2)
            weights = _core.draw_echo_state_weights(*recipe, self._limits())
            return self._recurrent.set(weights, recipe)
        return self._recurrent.value

    @W_res.setter
    def W_res(self, value: ArrayLike) -> None:  # noqa: N802
        self._recurrent.assign("W_res", value, (self._units(), self._units()))

    @property
    def state(self) -> NDArray[Any]:
        """State after the latest update, (R,)."""
        return self._now()

    @state.setter
    def state(self, value: ArrayLike) -> None:
        self._set_now("state", value)

    def update_state(self, u: ArrayLike) -> NDArray[Any]:
        """One step with input `u`.

        Parameters
        ----------
        u : array of shape (I,)
            Input.

        Returns
        -------
        array of shape (R,)
            A copy of the new state.

        Raises
        ------
        InvalidDataError
            `u` has another shape, or holds NaN or infinity.
        InvalidParameterError
            A parameter is outside its domain.
        """
        return self._update(u, self._leak())

    def process_sequence(self, seq: ArrayLike) -> NDArray[Any]:
        """States over time, from a state of zero.

        Parameters
        ----------
        seq : array of shape (T, I)
            One input per step.

        Returns
        -------
        array of shape (T, R)
            In `dtype`. Also kept, row by row, as `states_history`.

        Raises
        ------
        InvalidDataError
            `seq` has another shape, or holds NaN or infinity.
        InvalidParameterError
            A parameter is outside its domain.
        """
        states = self._process(seq, 1)
        self.states_history = list(states.copy())
        return states

    def extract_features(self, states: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Six numbers per unit.

        Parameters
        ----------
        states : array of shape (T, R)
            As `process_sequence` returns them.

        Returns
        -------
        dict of str to array of shape (R,), float64
            ``mean_activation``, ``std_activation`` (divisor T), ``max_activation``,
            ``final_state``, ``activation_trend`` (last change) and
            ``stability_measure`` (mean absolute change). All zeros without a step, the
            last two with a single one.

        Raises
        ------
        InvalidDataError
            `states` has another shape, or holds NaN or infinity.
        """
        rows = as_sequence("states", states, self._units(), np.dtype(np.float64))
        if not len(rows):
            rows = np.zeros((1, self._units()))
        changes = np.diff(rows, axis=0) if len(rows) > 1 else np.zeros_like(rows)
        return {
            "mean_activation": rows.mean(axis=0),
            "std_activation": rows.std(axis=0),
            "max_activation": rows.max(axis=0),
            "final_state": rows[-1].copy(),
            "activation_trend": changes[-1].copy(),
            "stability_measure": np.abs(changes).mean(axis=0),
        }

    def _units(self) -> int:
        return count("reservoir_size", self.reservoir_size)

    def _channels(self) -> int:
        return count("input_size", self.input_size)

    def _leak(self) -> float:
        return real("leaking_rate", self.leaking_rate, above=0, most=1)

    def _bias(self) -> float:
        return real("bias", self.bias)

    def _weights(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.W_in, self.W_res
