"""Spiking neurons that inhibit each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast import _core
from holdfast._limits import fits, threads
from holdfast.clustering._kernels.network import Weights
from holdfast.clustering._kernels.sequences import as_numbers
from holdfast.clustering._kernels.spike_trains import (
    bounds_of,
    check_encodable,
    duration_of,
    positive,
    rates_and_bursts,
    steps_of,
    trains_of,
)
from holdfast.errors import InvalidDataError
from holdfast.errors._parameters import count, real

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Trains = Sequence[ArrayLike]

_COPIES = 2  # as they are simulated, and as they are returned


class SpikingNeuralCluster:
    """Leaky integrate-and-fire neurons with lateral inhibition and STDP.

    From rest, at time ``t = step * dt`` ms every neuron does::

        I_in  = sum over inputs i of synaptic_weights[i] exp(-(t - s_i) / tau_synapse)
        I_lat = sum over j of -0.5 lateral_weights[j]
        V    <- V + dt (-V / tau_membrane + I_in + I_lat)

    with ``s_i`` the newest spike of input ``i`` in ``[t - 10, t]`` and ``j`` all neurons
    that fired within the last 5 ms. At ``V >= threshold`` it fires and ``V`` becomes 0.

    Parameters are stored as given and checked on first use; weights are drawn then.

    Parameters
    ----------
    n_neurons : int, default 50
        Neurons, N.
    threshold : float, default 1.0
        Potential at which a neuron fires.
    tau_membrane, tau_synapse : float, default 20.0 and 5.0
        Time constants in ms, above 0.
    learning_rate : float, default 0.01
        Largest gain of a weight by one pair of spikes, at least 0.
    random_state : int, default 42
        Fixes the weights and the spike times of `encode_input`.
    input_size : int, default 4
        Inputs, I.
    n_jobs : int, optional
        Threads; all processors if None or -1.

    Attributes
    ----------
    synaptic_weights : array of shape (I, N)
        ``0.1 * N(0, 1)``.
    lateral_weights : array of shape (N, N)
        ``0.05 * N(0, 1)``, none to itself. Both are read-only; assign new ones to
        change them.
    membrane_potential : array of shape (N,)
        After the latest simulation.
    spike_times : list of N lists
        Times in ms of the latest simulation.

    Examples
    --------
    >>> snn = SpikingNeuralCluster(n_neurons=8)
    >>> snn.simulate_dynamics(snn.encode_input([0.9, 0.1, 0.5, 0.3])).shape
    (8, 100)
    """

    def __init__(
        self,
        n_neurons: int = 50,
        threshold: float = 1.0,
        tau_membrane: float = 20.0,
        tau_synapse: float = 5.0,
        learning_rate: float = 0.01,
        random_state: int = 42,
        *,
        input_size: int = 4,
        n_jobs: int | None = None,
    ) -> None:
        """Store the parameters."""
        self.n_neurons = n_neurons
        self.threshold = threshold
        self.tau_membrane = tau_membrane
        self.tau_synapse = tau_synapse
        self.learning_rate = learning_rate
        self.random_state = random_state
        self.input_size = input_size
        self.n_jobs = n_jobs
        self._synaptic, self._lateral = Weights(), Weights()
        self._potential: NDArray[np.float64] | None = None
        self._times: list[list[float]] | None = None

    @property
    def synaptic_weights(self) -> NDArray[np.float64]:
        """Weights of the inputs, (I, N)."""
        return self._drawn(self._synaptic, 0)

    @synaptic_weights.setter
    def synaptic_weights(self, value: ArrayLike) -> None:
        shape = self._inputs(), self._neurons()
        self._synaptic.assign("synaptic_weights", value, shape)

    @property
    def lateral_weights(self) -> NDArray[np.float64]:
        """Weights between neurons, (N, N)."""
        return self._drawn(self._lateral, 1)

    @lateral_weights.setter
    def lateral_weights(self, value: ArrayLike) -> None:
        shape = self._neurons(), self._neurons()
        self._lateral.assign("lateral_weights", value, shape)

    @property
    def membrane_potential(self) -> NDArray[np.float64]:
        """Potential after the latest simulation, (N,)."""
        if self._potential is None:
            self._potential = np.zeros(self._neurons())
        return self._potential

    @property
    def spike_times(self) -> list[list[float]]:
        """Times in ms at which each neuron fired in the latest simulation."""
        if self._times is None:
            self._times = [[] for _ in range(self._neurons())]
        return self._times

    def encode_input(self, energy: ArrayLike, duration: float = 100.0) -> list[list[float]]:
        """Spike times for numbers meant to be in 0..1.

        Input ``i`` fires ``int(rate * duration / 1000)`` times, ``rate = max(0.1, 100 *
        energy[i])`` Hz, at uniform times. They depend on `random_state`, `energy` and
        `duration` alone.

        Parameters
        ----------
        energy : array of shape (I,)
            One number per input.
        duration : float, default 100.0
            In ms, above 0.

        Returns
        -------
        list of I lists of float
            Sorted times in ``[0, duration)``, in ms.

        Raises
        ------
        InvalidDataError
            `energy` has another shape, holds NaN or infinity, or is so large that there
            would be more than 10 million spikes.
        InvalidParameterError
            A parameter is outside its domain.
        """
        values = as_numbers("energy", energy, np.dtype(np.float64))
        if values.shape != (self._inputs(),):
            raise InvalidDataError(
                f"energy must have shape ({self._inputs()},), got {values.shape}"
            )
        length = duration_of(duration)
        check_encodable("energy", values[None], length)
        return _core.encode_spikes(values.tolist(), length, self._seed())

    def simulate_dynamics(
        self, input_spikes: Trains, duration: float = 100.0, dt: float = 1.0
    ) -> NDArray[np.int8]:
        """Show one set of input spikes to the neurons, which start from rest.

        Parameters
        ----------
        input_spikes : I sequences of float
            Spike times of each input in ms, in any order.
        duration, dt : float, default 100.0 and 1.0
            Of the simulation and of a step, in ms, above 0.

        Returns
        -------
        array of int8, shape (N, int(duration / dt))
            1 where a neuron fired.

        Raises
        ------
        InvalidDataError
            `input_spikes` are not I sequences of finite numbers.
        InvalidParameterError
            A parameter is outside its domain.
        """
        times, counts = trains_of([input_spikes], self._inputs())
        steps, step = steps_of(duration, dt)
        fits("the spikes", (self._neurons(), steps), 1, _COPIES)
        spikes, potentials = _core.simulate_spikes(
            *self._model(), times, counts, steps, step, self._limits()
        )
        return self._keep(spikes[0], potentials[0], step)

    def simulate_batch(
        self, X: Sequence[Trains], duration: float = 100.0, dt: float = 1.0
    ) -> NDArray[np.int8]:
        """`simulate_dynamics` of many samples at a time, on `n_jobs` threads.

        Leaves `membrane_potential` and `spike_times` as they are. The result for a
        sample does not depend on the others.

        Parameters
        ----------
        X : sequence of n times I sequences of float
            Spike times of each input in ms, per sample.
        duration, dt : float, default 100.0 and 1.0
            Of the simulation and of a step, in ms, above 0.

        Returns
        -------
        array of int8, shape (n, N, int(duration / dt))
            1 where a neuron fired.

        Raises
        ------
        InvalidDataError, InvalidParameterError
            As `simulate_dynamics`.
        """
        times, counts = trains_of(X, self._inputs())
        steps, step = steps_of(duration, dt)
        shape = len(counts) // self._inputs(), self._neurons(), steps
        fits("the spikes", shape, 1, _COPIES)
        return _core.simulate_spikes(
            *self._model(), times, counts, steps, step, self._limits()
        )[0]

    def transform(
        self, X: ArrayLike, duration: float = 100.0, dt: float = 1.0
    ) -> NDArray[np.float64]:
        """Spike features of many rows of numbers, each encoded and simulated.

        Parameters
        ----------
        X : array of shape (n, I)
            Numbers meant to be in 0..1; see `encode_input`.
        duration, dt : float, default 100.0 and 1.0
            Of the simulation and of a step, in ms, above 0.

        Returns
        -------
        array of shape (n, 2 N)
            Rows are ``extract_spike_features(simulate_dynamics(encode_input(row)))``.

        Raises
        ------
        InvalidDataError, InvalidParameterError
            As `encode_input` and `simulate_dynamics`.
        """
        rows = as_numbers("X", X, np.dtype(np.float64))
        if rows.ndim != 2 or rows.shape[1] != self._inputs():  # noqa: PLR2004
            raise InvalidDataError(f"X must have shape (n, {self._inputs()}), got {rows.shape}")
        length, (steps, step) = duration_of(duration), steps_of(duration, dt)
        check_encodable("X", rows, length)
        at_a_time = min(len(rows), self._limits()[0] or _core.available_threads())
        fits("the spikes of all threads", (at_a_time, self._neurons(), steps), 1)
        return _core.spiking_features(
            *self._model(), rows, length, steps, step, self._seed(), self._limits()
        )

    def learn(
        self,
        input_spikes: Trains,
        duration: float = 100.0,
        dt: float = 1.0,
        *,
        tau_plus: float = 20.0,
        tau_minus: float = 20.0,
        ratio: float = 1.05,
        bounds: tuple[float, float] = (-1.0, 1.0),
    ) -> NDArray[np.int8]:
        """Simulate, and let spike times change `synaptic_weights`.

        The pair rule of Song et al. [1]_ with exponential windows, over all pairs: an
        input spike ``d >= 0`` ms before one of the neuron adds ``learning_rate *
        exp(-d / tau_plus)`` to their weight; one ``d > 0`` ms after it takes ``ratio *
        learning_rate * exp(-d / tau_minus)`` away. Changes act at once, and at every
        change the weight is held within `bounds`. Input spikes after the last step are
        not seen; pairs do not reach into the next call.

        Parameters
        ----------
        input_spikes : I sequences of float
            Spike times of each input in ms, in any order.
        duration, dt : float, default 100.0 and 1.0
            Of the simulation and of a step, in ms, above 0.
        tau_plus, tau_minus : float, default 20.0
            Time constants of gain and loss, in ms, above 0.
        ratio : float, default 1.05
            Loss over gain, at least 0; above 1, chance pairs weaken.
        bounds : pair of float, default (-1.0, 1.0)
            Least and largest weight.

        Returns
        -------
        array of int8, shape (N, int(duration / dt))
            1 where a neuron fired, as from `simulate_dynamics`.

        Raises
        ------
        InvalidDataError, InvalidParameterError
            As `simulate_dynamics`; the weights stay as they were.

        References
        ----------
        .. [1] Song, Miller, Abbott (2000), Competitive Hebbian learning through
           spike-timing-dependent synaptic plasticity, Nature Neuroscience 3.
        """
        gain = real("learning_rate", self.learning_rate, least=0)
        loss = gain * real("ratio", ratio, least=0)
        windows = positive("tau_plus", tau_plus), positive("tau_minus", tau_minus)
        times, counts = trains_of([input_spikes], self._inputs())
        steps, step = steps_of(duration, dt)
        fits("the spikes", (self._neurons(), steps), 1, _COPIES)
        weights, spikes, potential = _core.learn_spikes(
            *self._model(),
            (gain, loss, *windows, *bounds_of(bounds)),
            times,
            counts,
            steps,
            step,
            self._limits(),
        )
        self._synaptic.set(weights, None)
        return self._keep(spikes, potential, step)

    def extract_spike_features(self, resp: ArrayLike) -> NDArray[np.float64]:
        """Return firing rate and bursts of each neuron.

        Parameters
        ----------
        resp : array of shape (N, steps)
            As returned by `simulate_dynamics`.

        Returns
        -------
        array of shape (2 N,)
            Per neuron ``1000 * spikes / steps``, Hz for steps of 1 ms, and how many
            gaps between its spikes are at most 5 steps.

        Raises
        ------
        InvalidDataError
            `resp` is not two-dimensional or does not hold numbers.
        """
        return rates_and_bursts(as_numbers("resp", resp, np.dtype(np.float64)))

    def _neurons(self) -> int:
        return count("n_neurons", self.n_neurons)

    def _inputs(self) -> int:
        return count("input_size", self.input_size)

    def _seed(self) -> int:
        return count("random_state", self.random_state, 0, 2**64 - 1)

    def _limits(self) -> tuple[int, None, None]:
        return threads(self.n_jobs), None, None

    def _drawn(self, weights: Weights, which: int) -> NDArray[np.float64]:
        recipe = self._neurons(), self._inputs(), self._seed()
        if weights.value is None or weights.stale(recipe):
            fits("the weights", (recipe[0], recipe[0] + recipe[1]), 8, 2)
            return weights.set(_core.draw_spiking_weights(*recipe)[which], recipe)
        return weights.value

    def _model(
        self,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[float, float, float]]:
        membrane = (
            real("threshold", self.threshold),
            positive("tau_membrane", self.tau_membrane),
            positive("tau_synapse", self.tau_synapse),
        )
        return self.synaptic_weights, self.lateral_weights, membrane

    def _keep(
        self, spikes: NDArray[np.int8], potential: NDArray[Any], dt: float
    ) -> NDArray[np.int8]:
        self._potential = potential
        self._times = [(np.flatnonzero(row) * dt).tolist() for row in spikes]
        return spikes
