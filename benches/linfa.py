"""linfa's mixture, density clustering and PCA against scikit-learn's: results and speed.

Both in float64 on one thread, by medians of three. linfa's are built from benches/linfa with
cargo; nothing of linfa's is in holdfast. Data: Gaussian groups, and an integer grid on which
many distances are exactly the radius.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import warnings
from pathlib import Path

from harness import one_thread, seconds

one_thread()
os.environ["RAYON_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
from drawn import groups  # noqa: E402
from sklearn.cluster import DBSCAN  # noqa: E402
from sklearn.decomposition import PCA  # noqa: E402
from sklearn.metrics import adjusted_rand_score  # noqa: E402
from sklearn.mixture import GaussianMixture  # noqa: E402

FOLDER = Path(__file__).parent / "linfa"
REPEAT = 3


def build() -> Path:
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=FOLDER, check=True)  # noqa: S607
    target = os.environ.get("CARGO_TARGET_DIR", FOLDER / "target")
    return Path(target) / "release/linfa-bench"


def linfa(program, algorithm, X, first, second=0.0):
    """Median seconds and what was learned, or the error."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / "in", Path(folder) / "out"]
        np.ascontiguousarray(X, "<f8").tofile(paths[0])
        shape = [str(n) for n in X.shape]
        numbers = [str(first), str(second), str(REPEAT)]
        command = [program, algorithm, paths[0], *shape, *numbers, paths[1]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return None, done.stderr.strip().splitlines()[-1]
        return statistics.median(map(float, done.stdout.split())), np.fromfile(paths[1], "<f8")


def timed(call):
    call()
    return statistics.median(seconds(call) for _ in range(REPEAT))


def report(work, ours, theirs, agreement):
    ratio = f"{ours / theirs:8.2f} times scikit-learn's" if ours else "failed"
    spent = f"linfa {1e3 * ours:9.1f} ms  " if ours else ""
    print(f"{work:48} {spent}scikit-learn {1e3 * theirs:9.1f} ms  {ratio}  {agreement}")


def mixtures(program):
    for n, d, k in [(20_000, 2, 4), (20_000, 16, 8), (100_000, 8, 5)]:
        X = groups(n, d, k)
        ours, learned = linfa(program, "gmm", X, k)
        theirs = GaussianMixture(k, random_state=0)
        spent = timed(lambda theirs=theirs, X=X: theirs.fit(X))
        agreement = learned
        if ours:
            weights, means, covariances = np.split(learned, [k, k + k * d])
            model = GaussianMixture(k).fit(X[: 10 * k * d])
            model.weights_, model.means_ = weights, means.reshape(k, d)
            model.covariances_ = covariances.reshape(k, d, d)
            precisions = np.linalg.inv(model.covariances_)
            model.precisions_cholesky_ = np.linalg.cholesky(precisions)
            agreement = f"log-likelihood {model.score(X):.4f}, {theirs.score(X):.4f}"
        report(f"mixture, {n} x {d}, {k} components", ours, spent, agreement)


def densities(program):
    grid = np.stack(np.meshgrid(*[np.arange(100.0)] * 2), axis=-1).reshape(-1, 2)
    grid = grid[np.random.default_rng(0).random(len(grid)) < 0.55]
    works = [
        ("grid", grid, 4, 1.0),
        ("groups", groups(20_000, 2, 10), 10, 0.2),
        ("groups", groups(20_000, 8, 10), 10, 1.5),
        ("groups", groups(20_000, 32, 10), 10, 5.0),
    ]
    for name, X, samples, radius in works:
        theirs = DBSCAN(eps=radius, min_samples=samples)
        spent = timed(lambda theirs=theirs, X=X: theirs.fit(X))
        for tree in ("dbscan", "dbscan-ball"):
            ours, labels = linfa(program, tree, X, samples, radius)
            if ours:
                differ = int((labels != theirs.labels_).sum())
                rand = adjusted_rand_score(theirs.labels_, labels)
                found = len(set(theirs.labels_) - {-1})
                labels = f"{found} clusters, {differ} labels differ, ARI {rand:.4f}"
            n, d = X.shape
            report(f"{tree}, {name} {n} x {d}", ours, spent, labels)


def principal(program):
    works = [(20_000, 16, 4), (20_000, 64, 8), (5_000, 400, 20), (100_000, 32, 32)]
    for n, d, count in works:
        X = groups(n, d, 10)
        theirs = PCA(count)
        spent = timed(lambda theirs=theirs, X=X: theirs.fit(X))
        ours, learned = linfa(program, "pca", X, count)
        agreement = learned
        if ours:
            variance, share, directions = np.split(learned, [count, 2 * count])
            directions = directions.reshape(count, d)
            cosine = np.abs((directions * theirs.components_).sum(axis=1)).min()
            factor = np.median(variance / theirs.explained_variance_)
            shares = np.abs(share - theirs.explained_variance_ratio_).max()
            agreement = (
                f"smallest cosine {cosine:.6f}, variance {factor:.4g} times theirs, "
                f"ratios differ by {shares:.3f}"
            )
        report(f"PCA, {n} x {d}, {count} components", ours, spent, agreement)


def main() -> None:
    warnings.simplefilter("ignore")  # one K-means start is what linfa does as well
    program = build()
    for part in (principal, densities, mixtures):
        part(program)


if __name__ == "__main__":
    main()
