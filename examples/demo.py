"""Simulated waves, real series and a real table, clustered beside K-means: `make demo`."""

import time

import numpy as np

from holdfast import KMeans, NeuromorphicClusterer
from holdfast.clustering import adjusted_rand_score
from holdfast.datasets import load_japanese_vowels, load_wine


def waves() -> tuple[np.ndarray, np.ndarray]:
    """Three kinds of waves that differ in shape; each begins where it likes."""
    rng = np.random.default_rng(0)
    t = np.arange(200)
    kinds = [
        lambda phase: np.sin(0.2 * t + phase),
        lambda phase: np.sign(np.sin(0.2 * t + phase)),
        lambda phase: np.sin(0.2 * t + phase + 0.0004 * t**2),
    ]
    groups = np.repeat(np.arange(3), 40)
    series = np.array([kinds[g](rng.uniform(0, 6)) for g in groups])
    return (series + rng.normal(0, 0.3, series.shape))[:, :, np.newaxis], groups


def resampled(series: list[np.ndarray], length: int) -> np.ndarray:
    """Series of one length, as rows: what K-means needs."""
    grid = np.linspace(0, 1, length)
    rows = [
        np.column_stack([np.interp(grid, np.linspace(0, 1, len(x)), c) for c in x.T]).ravel()
        for x in series
    ]
    return np.array(rows)


(simulated, kinds), vowels, wine = waves(), load_japanese_vowels(), load_wine()
table = (wine.X - wine.X.mean(axis=0)) / wine.X.std(axis=0)
work = {
    "waves, 120 simulated series": (simulated, simulated[:, :, 0], kinds),
    "japanese vowels, 640 series, 12 channels": (vowels.X, resampled(vowels.X, 16), vowels.y),
    "wine, 178 rows, 13 columns": (wine.X, table, wine.y),
}
fitted = []
print(f"{'adjusted Rand index':42}{'Holdfast':>10}{'K-means':>10}{'seconds':>10}")
for name, (data, raw, truth) in work.items():
    k = len(set(truth.tolist()))
    begun = time.perf_counter()
    clusterer = NeuromorphicClusterer(n_clusters=k).fit(data)
    seconds = time.perf_counter() - begun
    ours = adjusted_rand_score(truth, clusterer.get_cluster_assignments())
    kmeans = KMeans(k, n_init=10, random_state=42).fit(raw)
    theirs = adjusted_rand_score(truth, kmeans.labels_)
    print(f"{name:42}{ours:10.3f}{theirs:10.3f}{seconds:10.2f}")
    fitted.append(clusterer)

try:
    import matplotlib as mpl
except ImportError:
    print("no picture: matplotlib is not installed")
else:
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    for i in (0, 1, 40, 41, 80, 81):
        cluster = fitted[0].labels_[i]
        left.plot(simulated[i, :, 0] - 3 * (i // 40), color=f"C{cluster}", lw=0.8)
    left.set(title="simulated waves, by cluster", xlabel="time step", yticks=[])
    fitted[1].plot(kind="embedding", ax=right)
    right.set(title="Japanese vowels in the space of the clusters", xlabel="", ylabel="")
    figure.savefig("demo.png", dpi=80)
    print("picture: demo.png")
