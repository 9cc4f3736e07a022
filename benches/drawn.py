"""Rows drawn around means, each group with a shape of its own."""

from __future__ import annotations

import numpy as np


def groups(n, d, k=10, spread=4.0, seed=0):
    """`n` rows of `d` columns in `k` groups, whose means lie `spread` apart or so."""
    rng = np.random.default_rng(seed)
    means = spread * rng.normal(size=(k, d))
    scale = rng.uniform(0.3, 1.5, (k, d))
    label = rng.integers(k, size=n)
    return means[label] + scale[label] * rng.normal(size=(n, d))
