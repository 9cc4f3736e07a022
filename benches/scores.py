"""Silhouettes of 20,000 rows and 64 columns in 10 clusters, one thread."""

from __future__ import annotations

from harness import compare, one_thread

one_thread()

import numpy as np  # noqa: E402
from sklearn import metrics  # noqa: E402

from holdfast.clustering import silhouette_samples  # noqa: E402

ROWS, COLUMNS, CLUSTERS = 20_000, 64, 10


def main() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, CLUSTERS, ROWS)
    X = random.standard_normal((ROWS, COLUMNS)) + labels[:, None]
    ours, theirs = silhouette_samples(X, labels), metrics.silhouette_samples(X, labels)
    print(f"largest difference {np.abs(ours - theirs).max():.1e}")
    compare(
        f"silhouette of {ROWS} x {COLUMNS}, {CLUSTERS} clusters",
        lambda: silhouette_samples(X, labels),
        {"scikit-learn": lambda: metrics.silhouette_samples(X, labels)},
        {"scikit-learn": 5.0},
        repeat=3,
    )


if __name__ == "__main__":
    main()
