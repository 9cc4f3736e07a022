"""Echo state networks on 256 series of 200 steps and 4 channels, pooled, one thread.

Peers: NumPy and SciPy batched over series, JAX (scan, compiled), reservoirpy and
reservoir-computing. Pooled are mean, deviation, maximum and last state, except for
reservoir-computing, which is timed on its states alone.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

from harness import compare, one_thread

one_thread()

import numpy as np  # noqa: E402

from holdfast.clustering import EchoStateNetwork  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

SERIES, STEPS, CHANNELS, DENSITY = 256, 200, 4, 0.1


def module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        print(f"not compared with {name.partition('.')[0]}: {error}")
        return None


def pooled(total, squares, largest, last):
    mean = total / STEPS
    return mean, np.sqrt(np.maximum(squares / STEPS - mean**2, 0)), largest, last


def batched(X, w_in, product, leak):
    """One step of all series at a time; `product(x)` is `x @ W_res.T`."""

    def run():
        x = np.zeros((len(X), len(w_in)), X.dtype)
        total, squares, largest = np.zeros_like(x), np.zeros_like(x), x - np.inf
        for t in range(STEPS):
            target = np.tanh(X[:, t] @ w_in.T + product(x))
            x = (1 - leak) * x + leak * target
            total += x
            squares += x * x
            np.maximum(largest, x, out=largest)
        return pooled(total, squares, largest, x)

    return run


def scanned(jax, X, w_in, w_res, leak):
    jnp = jax.numpy

    def step(carry, u):
        x, total, squares, largest = carry
        x = (1 - leak) * x + leak * jnp.tanh(u @ w_in.T + x @ w_res.T)
        return (x, total + x, squares + x * x, jnp.maximum(largest, x)), None

    @jax.jit
    def run(inputs):
        zero = jnp.zeros((inputs.shape[1], len(w_in)), inputs.dtype)
        start = (zero, zero, zero, zero - jnp.inf)
        (x, total, squares, largest), _ = jax.lax.scan(step, start, inputs)
        mean = total / STEPS
        return mean, jnp.sqrt(jnp.maximum(squares / STEPS - mean**2, 0)), largest, x

    inputs = jax.device_put(np.ascontiguousarray(X.transpose(1, 0, 2)))
    return lambda: jax.block_until_ready(run(inputs))


def one_by_one(nodes, sparse, X, weights, leak):
    w_in, w_res = weights
    units = len(w_in)
    node = nodes.Reservoir(
        units=units,
        lr=leak,
        W=sparse.csr_matrix(w_res),
        Win=w_in,
        bias=np.zeros(units, X.dtype),
    )

    node.initialize(X[0])

    def run():
        features = []
        for series in X:
            node.reset()
            states = node.run(series)
            features.append((states.mean(0), states.std(0), states.max(0), states[-1]))
        return features

    return run


def peers_of(esn: EchoStateNetwork, X) -> dict[str, Callable[[], object]]:
    dtype = X.dtype
    w_in, w_res, leak = (
        esn.W_in.astype(dtype),
        esn.W_res.astype(dtype),
        esn.leaking_rate,
    )
    peers = {"NumPy": batched(X, w_in, lambda x: x @ w_res.T, dtype.type(leak))}
    if sparse := module("scipy.sparse"):
        csr = sparse.csr_matrix(w_res)
        peers["SciPy CSR"] = batched(X, w_in, lambda x: (csr @ x.T).T, dtype.type(leak))
    if jax := module("jax"):
        jax.config.update("jax_enable_x64", dtype == np.float64)
        peers["JAX"] = scanned(jax, X, w_in, w_res, dtype.type(leak))
    if sparse and (nodes := module("reservoirpy.nodes")):
        peers["reservoirpy"] = one_by_one(nodes, sparse, X, (w_in, w_res), leak)
    if dtype == np.float64 and (rc := module("reservoir_computing.reservoir")):
        theirs = rc.Reservoir(
            n_internal_units=esn.reservoir_size, connectivity=DENSITY, leak=leak
        )
        peers["reservoir-computing"] = lambda: theirs.get_states(X, bidir=False)
    return peers


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]] or [100, 500, 1000]
    X64 = np.random.default_rng(0).standard_normal((SERIES, STEPS, CHANNELS))
    for dtype in (np.float32, np.float64):
        for size in sizes:
            X = X64.astype(dtype)
            esn = EchoStateNetwork(size, CHANNELS, sparsity=1 - DENSITY, dtype=dtype, n_jobs=1)
            goal = 3.0 if size < 500 else 2.0
            goals = dict.fromkeys(("NumPy", "SciPy CSR", "JAX"), goal)
            goals["reservoirpy"] = 100.0 if size < 500 else 20.0
            if dtype == np.float64:
                goals = {"reservoir-computing": 3.0}
            work = f"echo state network, R={size}, {np.dtype(dtype).name}, pooled"
            compare(work, lambda esn=esn, X=X: esn.transform(X), peers_of(esn, X), goals, 3)


if __name__ == "__main__":
    main()
