"""Layers of leaky integrate-and-fire neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from holdfast import _core
from holdfast._limits import fits, threads
from holdfast.clustering._kernels.network import Weights
from holdfast.clustering._kernels.sequences import (
    as_dtype,
    as_numbers,
    as_sequences,
)
from holdfast.errors import InvalidDataError, InvalidParameterError
from holdfast.errors._parameters import count, real, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray


class LIFNetwork:
    """Layer of leaky integrate-and-fire neurons, many sequences at a time.

    With input ``x`` every neuron starts from rest, ``V = 0`` and ``s = 0``, and does at
    each step::

        I <- W_in x + bias + W_rec s
        V <- beta V + I - threshold s        (reset="subtract")
        s <- 1 if V > threshold, else 0

    so a spike acts on its own neuron and on the others in the step after it. This is
    equation 4 of Eshraghian et al. [1]_ and what snnTorch's ``Leaky`` (without ``W_rec``)
    and ``RLeaky`` (whose reset "zero" is "refractory" here) compute. Layers are stacked by
    giving the spikes of one to the next.

    The result for a sequence depends neither on those beside it nor on the number of
    threads. Where few inputs or neurons are active at a step, only their weights are
    read. Parameters are stored as given and checked on first use; weights are drawn then.

    Parameters
    ----------
    n_neurons : int, default 100
        Neurons, N.
    input_size : int, default 4
        Values per step, I.
    beta : float or array of shape (N,), default 0.9
        Share of the potential left after a step, 0 to 1; ``exp(-dt / tau)`` for steps of
        ``dt`` and a membrane time constant ``tau``.
    threshold : float or array of shape (N,), default 1.0
        A neuron fires above it.
    reset : {'subtract', 'zero', 'refractory', 'none'}, default 'subtract'
        What becomes of ``V`` in the step after a spike: lowered by the threshold (no
        charge is lost); ``V = I``; ``V = 0``, the current of that step is lost; or
        nothing, the neuron fires until the charge has leaked away.
    random_state : int, default 42
        Fixes the weights.
    recurrent : bool, default True
        Whether spikes reach the other neurons; without, a feed-forward layer.
    input_scaling, recurrent_scaling : float, default 1.0
        Factors of the weights drawn.
    bias : float or array of shape (N,), default 0.0
        Constant current.
    dtype : {float32, float64}
        What potentials are computed in. Weights are always shown in float64.
    n_jobs : int, optional
        Threads; all processors if None or -1.

    Attributes
    ----------
    W_in : array of shape (N, I)
        ``input_scaling * U(-1, 1) / sqrt(I)``.
    W_rec : array of shape (N, N), or None if not `recurrent`
        ``recurrent_scaling * U(-1, 1) / sqrt(N)``. Both are read-only; assign new ones to
        change them.

    References
    ----------
    .. [1] Eshraghian et al. (2023), Training spiking neural networks using lessons from
       deep learning, Proceedings of the IEEE 111.

    Examples
    --------
    A constant current of a half, half of the potential leaking at each step:

    >>> neuron = LIFNetwork(1, 1, beta=0.5, threshold=0.8, recurrent=False, dtype="float64")
    >>> neuron.W_in = [[1.0]]
    >>> spikes, potentials = neuron.simulate([[0.5] * 5], potentials=True)
    >>> spikes[0].ravel()
    array([0, 0, 1, 0, 0], dtype=int8)
    >>> potentials[0].ravel().round(3)
    array([0.5  , 0.75 , 0.875, 0.137, 0.569])

    Two layers:

    >>> first, second = LIFNetwork(50, 3), LIFNetwork(10, 50, recurrent=False)
    >>> second.transform(first.simulate(np.ones((4, 20, 3)))).shape
    (4, 10)
    """

    def __init__(
        self,
        n_neurons: int = 100,
        input_size: int = 4,
        beta: ArrayLike = 0.9,
        threshold: ArrayLike = 1.0,
        reset: str = "subtract",
        random_state: int = 42,
        *,
        recurrent: bool = True,
        input_scaling: float = 1.0,
        recurrent_scaling: float = 1.0,
        bias: ArrayLike = 0.0,
        dtype: DTypeLike = np.float32,
        n_jobs: int | None = None,
    ) -> None:
        """Store the parameters."""
        self.n_neurons = n_neurons
        self.input_size = input_size
        self.beta = beta
        self.threshold = threshold
        self.reset = reset
        self.random_state = random_state
        self.recurrent = recurrent
        self.input_scaling = input_scaling
        self.recurrent_scaling = recurrent_scaling
        self.bias = bias
        self.dtype = dtype
        self.n_jobs = n_jobs
        self._inputs, self._between = Weights(), Weights()
        self._core: _core.LIFNetwork | None = None
        self._core_of: tuple[Any, ...] = (None, None, None)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the kernels' copy of the weights."""
        return {**self.__dict__, "_core": None, "_core_of": (None, None, None)}

    @property
    def W_in(self) -> NDArray[np.float64]:  # noqa: N802
        """Weights of the inputs, (N, I)."""
        return self._drawn(self._inputs, 0, "input_scaling")

    @W_in.setter
    def W_in(self, value: ArrayLike) -> None:  # noqa: N802
        self._inputs.assign("W_in", value, (self._neurons(), self._channels()))

    @property
    def W_rec(self) -> NDArray[np.float64] | None:  # noqa: N802
        """Weights between neurons, (N, N): row the one reached, column the one firing."""
        return self._drawn(self._between, 1, "recurrent_scaling") if self.recurrent else None

    @W_rec.setter
    def W_rec(self, value: ArrayLike) -> None:  # noqa: N802
        self._between.assign("W_rec", value, (self._neurons(), self._neurons()))

    @overload
    def simulate(
        self, X: ArrayLike | Sequence[ArrayLike], *, potentials: Literal[False] = False
    ) -> NDArray[np.int8] | list[NDArray[np.int8]]: ...
    @overload
    def simulate(
        self, X: ArrayLike | Sequence[ArrayLike], *, potentials: Literal[True]
    ) -> tuple[
        NDArray[np.int8] | list[NDArray[np.int8]], NDArray[Any] | list[NDArray[Any]]
    ]: ...
    def simulate(self, X: ArrayLike | Sequence[ArrayLike], *, potentials: bool = False) -> Any:
        """Spikes of every neuron at every step, each sequence from rest.

        Parameters
        ----------
        X : array of shape (n, time, input_size), or list of (time, input_size) arrays
            Sequences, of different lengths if in a list. Currents or spikes.
        potentials : bool, default False
            Whether to return potentials as well.

        Returns
        -------
        spikes : int8 array of shape (n, time, N), or list of (time, N) arrays
            1 where a neuron fired; a list exactly if `X` is one.
        potentials : array or list of arrays of the same shape
            After each step, in `dtype`; only if asked for.

        Raises
        ------
        InvalidDataError
            `X` has another shape, or holds NaN or infinity.
        InvalidParameterError
            A parameter is outside its domain.
        """
        values, lengths = self._sequences(X)
        item = values.itemsize + 1 if potentials else 1
        fits("the spikes", (len(values), self._neurons()), item)
        spikes, voltages = self._network().simulate(values, lengths, potentials, self._limits())
        if voltages is None:
            return _like(X, spikes, lengths)
        return _like(X, spikes, lengths), _like(X, voltages, lengths)

    def transform(
        self, X: ArrayLike | Sequence[ArrayLike], pooling: Sequence[str] = ("rate",)
    ) -> NDArray[Any]:
        """Statistics of every neuron; spikes and potentials themselves are not stored.

        Parameters
        ----------
        X : array of shape (n, time, input_size), or list of (time, input_size) arrays
            Sequences, of different lengths if in a list. Currents or spikes.
        pooling : sequence of str
            What to keep of each neuron, in this order:

            * ``rate``: share of the steps at which it fired
            * ``latency``: step of its first spike, counted from 0, over the number of
              steps; 1 if it never fired
            * ``potential``: mean of its potential

        Returns
        -------
        array of shape (n, len(pooling) * N)
            In `dtype`; column ``i * N + j`` is ``pooling[i]`` of neuron ``j``. Zeros for a
            sequence without a step.

        Raises
        ------
        InvalidDataError, InvalidParameterError
            As `simulate`.
        """
        pooling = [pooling] if isinstance(pooling, str) else list(pooling)
        if not pooling:
            raise InvalidParameterError("pooling must name at least one statistic, got none")
        values, lengths = self._sequences(X)
        return self._network().features(values, lengths, pooling, self._limits())

    def _neurons(self) -> int:
        return count("n_neurons", self.n_neurons)

    def _channels(self) -> int:
        return count("input_size", self.input_size)

    def _limits(self) -> tuple[int, None, None]:
        return threads(self.n_jobs), None, None

    def _drawn(self, weights: Weights, which: int, scaling: str) -> NDArray[np.float64]:
        scale = real(scaling, getattr(self, scaling))
        seed = count("random_state", self.random_state, 0, 2**64 - 1)
        recipe = self._neurons(), self._channels(), seed
        if weights.value is None or weights.stale((*recipe, scale)):
            fits("the weights", (recipe[0], recipe[0] + recipe[1]), 8, 2)
            drawn = scale * _core.draw_lif_weights(*recipe)[which]
            return weights.set(drawn, (*recipe, scale))
        return weights.value

    def _each(self, name: str, rule: str, low: float, high: float) -> NDArray[np.float64]:
        """Return a parameter as one number per neuron."""
        value, n = getattr(self, name), self._neurons()
        try:
            numbers = as_numbers(name, value, np.dtype(np.float64))
        except InvalidDataError as error:
            raise InvalidParameterError(str(error)) from error
        if np.ndim(value) and numbers.shape != (n,):
            raise InvalidParameterError(
                f"{name} must be a number or have shape ({n},), got shape {numbers.shape}"
            )
        wrong = ~(np.isfinite(numbers) & (low <= numbers) & (numbers <= high))
        if wrong.any():
            raise InvalidParameterError(
                f"{name} must be {rule}, got {numbers[wrong].flat[0]!s}"
            )
        return np.ascontiguousarray(np.broadcast_to(numbers, (n,)))

    def _network(self) -> _core.LIFNetwork:
        largest = float(np.finfo(as_dtype(self.dtype)).max)
        rule = "finite in dtype"
        inputs, between = self.W_in, self.W_rec
        each = (
            self._each("bias", rule, -largest, largest),
            self._each("beta", "between 0 and 1", 0.0, 1.0),
            self._each("threshold", rule, -largest, largest),
        )
        settings = (np.stack(each).tobytes(), self.reset, largest)
        # By identity of matrices that are kept alive: an address alone may be used again.
        before = self._core_of
        if (
            self._core is None
            or before[0] is not inputs
            or before[1] is not between
            or before[2] != settings
        ):
            for name, weights in (("W_in", inputs), ("W_rec", between)):
                if weights is not None and np.abs(weights).max() > largest:
                    raise InvalidParameterError(
                        f"{name} must be {rule}, got {weights.flat[np.abs(weights).argmax()]!s}"
                    )
            text("reset", self.reset, empty=True)
            single = as_dtype(self.dtype) == np.float32
            self._core = _core.LIFNetwork(inputs, between, *each, self.reset, single)
            self._core_of = inputs, between, settings
        return self._core

    def _sequences(self, X: ArrayLike | Sequence[ArrayLike]) -> tuple[NDArray[Any], list[int]]:
        values, lengths = as_sequences(X, self._channels(), as_dtype(self.dtype))
        if not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values).all(axis=1)))
            starts = np.cumsum([0, *lengths])
            i = int(np.searchsorted(starts, row, side="right")) - 1
            raise InvalidDataError(
                f"X must be finite, got {values[row]} at step {row - starts[i]} of sequence {i}"
            )
        return values, lengths


def _like(
    X: object, rows: NDArray[Any], lengths: list[int]
) -> NDArray[Any] | list[NDArray[Any]]:
    """Rows of all sequences, in the shape `X` has."""
    if isinstance(X, np.ndarray) and X.dtype != object:
        return rows.reshape(len(lengths), lengths[0] if lengths else 0, rows.shape[1])
    return np.split(rows, np.cumsum(lengths)[:-1]) if lengths else []
