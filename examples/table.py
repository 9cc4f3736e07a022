"""A table with missing values: `python examples/table.py`."""

import warnings

import numpy as np

from holdfast import NeuromorphicClusterer
from holdfast.datasets import load_wine
from holdfast.errors import MissingValuesWarning

wine = load_wine()
rows = wine.X.copy()
rows[3, 0] = np.nan
with warnings.catch_warnings():
    warnings.simplefilter("ignore", MissingValuesWarning)
    clusterer = NeuromorphicClusterer(n_clusters=3).fit(rows)
print("sizes:", np.bincount(clusterer.labels_))
print("filled in:", clusterer.imputed_)
for cluster, profile in clusterer.get_cluster_interpretation().items():
    print(cluster, {k: round(v, 1) for k, v in profile["distinctive"].items()})
