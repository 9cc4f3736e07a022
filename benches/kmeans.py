"""K-means against scikit-learn and faiss, one thread.

python benches/kmeans.py
"""

from harness import compare, one_thread

one_thread()

import warnings  # noqa: E402

import faiss  # noqa: E402
import numpy as np  # noqa: E402
import sklearn.cluster  # noqa: E402

from holdfast.clustering import KMeans  # noqa: E402

warnings.filterwarnings("ignore")  # of scikit-learn's that 20 steps are few

SHAPES = {
    "200k x 64, k=16": (200_000, 64, 16),
    "20k x 512, k=50": (20_000, 512, 50),
}
REPEAT = 3
GOALS = {
    "200k x 64, k=16": {"scikit-learn": 2.5, "faiss": 3.0},
    "20k x 512, k=50": {"scikit-learn": 1.6, "faiss": 1.6},
}


def data(n: int, d: int, k: int, *, structure: bool) -> np.ndarray:
    """Gaussian noise, or the same around `k` overlapping means."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, d))
    if structure:
        x += 0.5 * rng.normal(size=(k, d))[rng.integers(k, size=n)]
    return x


def twenty_steps(name: str, dtype: str) -> None:
    n, d, k = SHAPES[name]
    x = data(n, d, k, structure=False).astype(dtype)
    start = x[:k].copy()
    same = {"n_clusters": k, "init": start, "n_init": 1, "max_iter": 20, "tol": 0.0}

    def theirs() -> None:
        sklearn.cluster.KMeans(**same).fit(x)

    def faiss_steps() -> None:
        kmeans = faiss.Kmeans(d, k, niter=20, max_points_per_centroid=n)
        kmeans.train(x, init_centroids=start)

    peers = {"scikit-learn": theirs}
    if dtype == "float32":
        peers["faiss"] = faiss_steps
    goals = GOALS[name] if dtype == "float32" else {}
    compare(f"20 steps, {name}, {dtype}", lambda: KMeans(**same).fit(x), peers, goals)


def to_convergence(name: str, dtype: str, *, structure: bool) -> None:
    """From the same k-means++ centres, a new draw for every pair.

    The number of steps from there is luck of the draw, and both then take the same.
    """
    n, d, k = SHAPES[name]
    x = data(n, d, k, structure=structure).astype(dtype)
    steps = {"ours": [], "scikit-learn": []}
    inertia = {"ours": [], "scikit-learn": []}
    starts = [
        sklearn.cluster.kmeans_plusplus(x, k, random_state=seed)[0]
        for seed in range(REPEAT + 1)
    ]

    def fit(side: str, estimator: type) -> None:
        kmeans = estimator(k, init=starts[len(steps[side])], n_init=1).fit(x)
        steps[side].append(kmeans.n_iter_)
        inertia[side].append(kmeans.inertia_)

    kind = "structure" if structure else "noise"
    compare(
        f"to convergence, {name}, {dtype}, {kind}",
        lambda: fit("ours", KMeans),
        {"scikit-learn": lambda: fit("scikit-learn", sklearn.cluster.KMeans)},
        {"scikit-learn": 3.0},
        repeat=REPEAT,
    )
    for side, taken in steps.items():
        print(
            f"    {side:13} {np.mean(taken):5.1f} iterations, "
            f"inertia {np.mean(inertia[side]):.6g}"
        )


if __name__ == "__main__":
    for dtype in ("float32", "float64"):
        for name in SHAPES:
            twenty_steps(name, dtype)
    for dtype in ("float32", "float64"):
        for name in SHAPES:
            for structure in (True, False):
                to_convergence(name, dtype, structure=structure)
