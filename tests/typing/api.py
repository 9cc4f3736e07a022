"""Type-checked, never run: what the public annotations promise."""

import numpy as np
from numpy.typing import NDArray

from holdfast import KMeans, NeuromorphicClusterer

clusterer: NeuromorphicClusterer = NeuromorphicClusterer(n_clusters=2).fit([[0.0], [1.0]])
labels: NDArray[np.int64] = clusterer.get_cluster_assignments()
features: NDArray[np.float32] = clusterer.transform([[0.0]])
inertia: float = KMeans(2).fit([[0.0], [1.0]]).inertia_
