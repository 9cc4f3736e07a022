"""A thousand leaky integrate-and-fire neurons, 1000 steps, 64 sequences, float32, one thread.

Peers: snnTorch (Leaky and RLeaky, without gradients) and NumPy. In the recurrent layer the
neurons are driven by 16 inputs; in the feed-forward one by the spikes of 1000 others. Kept
are the spike counts. Where a third and more of the inputs fire, all are bound by the speed of
multiplication, and the goal is out of reach.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from harness import compare, one_thread

one_thread()

import numpy as np  # noqa: E402

from holdfast.clustering import LIFNetwork  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

SEQUENCES, STEPS, NEURONS, INPUTS = 64, 1000, 1000, 16


def in_numpy(net: LIFNetwork, X) -> Callable[[], object]:
    w_in = net.W_in.astype(np.float32).T
    w_rec = None if net.W_rec is None else net.W_rec.astype(np.float32).T
    beta, threshold = np.float32(net.beta), np.float32(net.threshold)

    def run():
        v = np.zeros((SEQUENCES, NEURONS), np.float32)
        fired, total = np.zeros_like(v), np.zeros_like(v)
        for t in range(STEPS):
            current = X[:, t] @ w_in
            if w_rec is not None:
                current += fired @ w_rec
            v = beta * v + current - threshold * fired
            fired = (v > threshold).astype(np.float32)
            total += fired
        return total / STEPS

    return run


def in_snntorch(net: LIFNetwork, X) -> Callable[[], object] | None:
    try:
        torch, snn = (importlib.import_module(name) for name in ("torch", "snntorch"))
    except ImportError as error:
        print(f"not compared with snnTorch: {error}")
        return None
    torch.set_num_threads(1)
    linear = torch.nn.Linear(X.shape[2], NEURONS, bias=False)
    common = {"beta": net.beta, "threshold": net.threshold}
    layer = (
        snn.Leaky(**common)
        if net.W_rec is None
        else snn.RLeaky(**common, linear_features=NEURONS)
    )
    with torch.no_grad():
        linear.weight.copy_(torch.tensor(net.W_in))
        if net.W_rec is not None:
            layer.recurrent.weight.copy_(torch.tensor(net.W_rec))
            layer.recurrent.bias.zero_()
    inputs = torch.tensor(X)

    def run():
        with torch.no_grad():
            state = layer.reset_mem()
            state = state if isinstance(state, tuple) else (state,)
            total = torch.zeros(SEQUENCES, NEURONS)
            for t in range(STEPS):
                out = layer(linear(inputs[:, t]), *state)
                state = out[-len(state) :]
                total += out[0]
            return (total / STEPS).numpy()

    return run


def main() -> None:
    rng = np.random.default_rng(0)
    driven = rng.standard_normal((SEQUENCES, STEPS, INPUTS)).astype(np.float32)
    works = [
        ("recurrent", LIFNetwork(NEURONS, INPUTS, threshold=scale, n_jobs=1), driven)
        for scale in (0.8, 2.0, 3.0)
    ]
    for share in (0.01, 0.03, 0.3):
        spikes = (rng.random((SEQUENCES, STEPS, NEURONS)) < share).astype(np.float32)
        layer = LIFNetwork(NEURONS, NEURONS, recurrent=False, input_scaling=4.0, n_jobs=1)
        works.append((f"feed-forward, {share:.0%} of inputs", layer, spikes))
    for name, net, X in works:
        rates = net.transform(X).reshape(SEQUENCES, NEURONS)
        peers = {"NumPy": in_numpy(net, X), "snnTorch": in_snntorch(net, X)}
        peers = {peer: call for peer, call in peers.items() if call}
        for peer, call in peers.items():
            # Sums are rounded in another order: now and then a spike comes a step later.
            off = abs(float(call().mean()) - float(rates.mean())) / float(rates.mean())
            assert off < 0.01, f"{peer} fires {off:.1%} otherwise"
        work = f"LIF, {name}, fires at {rates.mean():.1%} of steps"
        compare(work, lambda net=net, X=X: net.transform(X), peers, {"snnTorch": 3.0}, 3)


if __name__ == "__main__":
    main()
