"""Density clustering against scikit-learn's, which is given its fastest tree; one thread."""

from __future__ import annotations

from harness import compare, one_thread

one_thread()

from drawn import groups  # noqa: E402
from sklearn import cluster  # noqa: E402

from holdfast.clustering import DBSCAN  # noqa: E402

WORKS = [
    # rows, columns, radius
    (20_000, 2, 0.2),
    (200_000, 2, 0.05),
    (20_000, 8, 1.5),
    (20_000, 32, 5.0),
]


def main() -> None:
    for n, d, eps in WORKS:
        X = groups(n, d)
        ours = DBSCAN(eps, min_samples=10, n_jobs=1)
        peers = {
            tree: cluster.DBSCAN(eps=eps, min_samples=10, algorithm=tree)
            for tree in ("kd_tree", "ball_tree", "brute")
            if tree != "brute" or n < 50_000
        }
        labels = ours.fit(X).labels_
        for tree, theirs in peers.items():
            assert (theirs.fit(X).labels_ == labels).all(), tree
        calls = {
            tree: lambda theirs=theirs, X=X: theirs.fit(X) for tree, theirs in peers.items()
        }
        work = (
            f"DBSCAN, {n} x {d}, {labels.max() + 1} clusters, {(labels < 0).mean():.0%} noise"
        )
        compare(work, lambda ours=ours, X=X: ours.fit(X), calls, {}, 3)


if __name__ == "__main__":
    main()
