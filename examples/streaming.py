"""Clusters that follow their samples: `python examples/streaming.py`."""

import numpy as np

from holdfast import NeuromorphicClusterer

rng = np.random.default_rng(0)


def batch(drift: float) -> np.ndarray:
    """Two groups of rows, the second one `drift` higher than at first."""
    low, high = rng.normal(0, 0.3, (40, 3)), rng.normal(4 + drift, 0.3, (40, 3))
    return np.concatenate([low, high])


clusterer = NeuromorphicClusterer(n_clusters=2, forgetting=0.5).fit(batch(0.0))
before = clusterer.cluster_centers_.copy()
for drift in (0.1, 0.2, 0.3):
    clusterer.partial_fit(batch(drift))
moved = np.linalg.norm(clusterer.cluster_centers_ - before, axis=1)
print("centres moved by", moved.round(3))
