"""Series of different lengths and a new one: `python examples/unequal_lengths.py`."""

import numpy as np

from holdfast import NeuromorphicClusterer

rng = np.random.default_rng(0)
slow = [np.sin(np.arange(n) / 9) for n in rng.integers(60, 120, 15)]
fast = [np.sin(np.arange(n) / 2) for n in rng.integers(60, 120, 15)]
clusterer = NeuromorphicClusterer(n_clusters=2).fit(slow + fast)
print("slow:", clusterer.labels_[:15], "fast:", clusterer.labels_[15:])
print("a new fast one:", clusterer.predict([np.sin(np.arange(80) / 2.1)]))
print("fallback used:", clusterer.fallback_used)
