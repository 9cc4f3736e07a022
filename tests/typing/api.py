"""Type-checked, never run: what the public annotations promise."""

import numpy as np
from numpy.typing import NDArray

from holdfast import EdgeProfiler, KMeans, NeuromorphicClusterer
from holdfast.edge import ProfileResults, compare

clusterer: NeuromorphicClusterer = NeuromorphicClusterer(n_clusters=2).fit([[0.0], [1.0]])
labels: NDArray[np.int64] = clusterer.get_cluster_assignments()
features: NDArray[np.float32] = clusterer.transform([[0.0]])
inertia: float = KMeans(2).fit([[0.0], [1.0]]).inertia_

results: ProfileResults = EdgeProfiler("sim-rv32").profile_model(None, ["Hello"])
rate: float | None = results.tokens_per_second
code: int = compare(results, results, "tpot_ms").exit_code
