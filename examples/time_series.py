"""Series of one length: an array (samples, time), by each of the four methods."""

import numpy as np

from holdfast import NeuromorphicClusterer
from holdfast.clustering import adjusted_rand_score

METHODS = (
    "spiking_neural_network",
    "echo_state_network",
    "liquid_state_machine",
    "hybrid_reservoir",
)

# Three kinds of signal that differ in what happens over time, not in level or phase.
rng = np.random.default_rng(0)
time = np.arange(200)
kinds = [
    lambda phase: np.sin(0.2 * time + phase),
    lambda phase: np.sign(np.sin(0.2 * time + phase)),
    lambda phase: np.sin(0.2 * time + phase + 0.0004 * time**2),
]
groups = np.repeat(np.arange(3), 40)
series = np.array([kinds[g](rng.uniform(0, 6)) for g in groups])
series += rng.normal(0, 0.3, series.shape)

for method in METHODS:
    # A 2-D array is a table; the third axis says that these are series of one channel.
    clusterer = NeuromorphicClusterer(method=method, n_clusters=3, random_state=0)
    labels = clusterer.fit_predict(series[:, :, np.newaxis])
    print(f"{method:24} {adjusted_rand_score(groups, labels):.3f}")
