"""Mixtures of normal distributions, with full covariances, against scikit-learn's; one thread.

Both start from one K-means of their own and end by the same rule; the time of an iteration
beyond the first is compared as well, by fits that may not end.
"""

from __future__ import annotations

import warnings

from harness import compare, one_thread

one_thread()

from drawn import groups  # noqa: E402
from sklearn import mixture  # noqa: E402

from holdfast.clustering import GaussianMixture  # noqa: E402

ENDS = {"to convergence": {}, "20 steps": {"tol": 0.0, "max_iter": 20}}
WORKS = [(20_000, 2, 4), (20_000, 16, 8), (100_000, 8, 5), (20_000, 64, 8)]


def main() -> None:
    warnings.simplefilter("ignore")
    for n, d, k in WORKS:
        X = groups(n, d, k)
        for name, limits in ENDS.items():
            ours = GaussianMixture(k, random_state=0, n_jobs=1, **limits)
            theirs = mixture.GaussianMixture(k, random_state=0, **limits)
            scores = ours.fit(X).score(X), theirs.fit(X).score(X)
            steps = ours.n_iter_, theirs.n_iter_
            print(f"log-likelihood {scores[0]:.4f}, theirs {scores[1]:.4f}; steps {steps}")
            compare(
                f"Gaussian mixture, {n} x {d}, {k} components, {name}",
                lambda ours=ours, X=X: ours.fit(X),
                {"scikit-learn": lambda theirs=theirs, X=X: theirs.fit(X)},
                {},
                3,
            )


if __name__ == "__main__":
    main()
