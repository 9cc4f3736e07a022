"""Two real data sets, clustered: `make demo`."""

import time
from pathlib import Path

import numpy as np

from holdfast import KMeans, NeuromorphicClusterer
from holdfast.clustering import adjusted_rand_score
from holdfast.datasets import load_japanese_vowels, load_wine


def resampled(series: list[np.ndarray], length: int) -> np.ndarray:
    """Series of one length, as rows: what K-means needs."""
    grid = np.linspace(0, 1, length)
    rows = [
        np.column_stack([np.interp(grid, np.linspace(0, 1, len(x)), c) for c in x.T]).ravel()
        for x in series
    ]
    return np.array(rows)


vowels, wine = load_japanese_vowels(), load_wine()
table = (wine.X - wine.X.mean(axis=0)) / wine.X.std(axis=0)
work = {
    "japanese vowels, 640 series, 12 channels": (
        vowels.X,
        resampled(vowels.X, 16),
        vowels.y,
    ),
    "wine, 178 rows, 13 columns": (wine.X, table, wine.y),
}
print(f"{'adjusted Rand index':42}{'Holdfast':>10}{'seconds':>9}{'K-means':>10}")
for name, (data, raw, truth) in work.items():
    k = len(set(truth.tolist()))
    begun = time.perf_counter()
    clusterer = NeuromorphicClusterer(n_clusters=k).fit(data)
    seconds = time.perf_counter() - begun
    ours = adjusted_rand_score(truth, clusterer.get_cluster_assignments())
    kmeans = KMeans(k, n_init=10, random_state=42).fit(raw)
    theirs = adjusted_rand_score(truth, kmeans.labels_)
    print(f"{name:42}{ours:10.3f}{seconds:9.2f}{theirs:10.3f}")
    if data is vowels.X:
        series = clusterer

try:
    import matplotlib as mpl

    mpl.use("Agg")
    picture = Path("demo.png")
    series.plot()[0].figure.savefig(picture, dpi=120)
    print(f"picture: {picture}")
except ImportError:
    print("no picture: matplotlib is not installed")
