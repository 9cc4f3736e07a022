"""A kernel on its own: `python examples/echo_state_network.py`."""

import numpy as np

from holdfast.clustering import EchoStateNetwork

network = EchoStateNetwork(reservoir_size=200, input_size=1, spectral_radius=0.9)
series = [np.sin(np.arange(n)[:, None] / 5) for n in (50, 80, 65)]
print("states:", [states.shape for states in network.process_batch(series)])
print("pooled:", network.transform(series, pooling=("mean", "ppv")).shape)
