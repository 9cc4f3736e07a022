"""Seven tables with known groups: four of scikit-learn, two of river, one drawn."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
from sklearn import datasets


def of_river(name: str):
    """Read a data set that river carries; the label is what `take` yields beside x."""
    from river import datasets as streams

    samples = list(getattr(streams, name)())
    X = np.array([list(x.values()) for x, _ in samples], dtype=np.float64)
    return X, np.unique([str(y) for _, y in samples], return_inverse=True)[1]


def energies():
    """600 rows around four points, 0 to 100."""
    centers = np.array([(70, 20, 20, 40), (20, 70, 30, 20), (25, 30, 70, 35), (40, 15, 35, 75)])
    groups = np.repeat(np.arange(4), 150)
    rng = np.random.default_rng(0)
    X = centers[groups] + rng.normal(0, 12, (600, 4))
    return X.clip(0, 100), groups


TABLES = {
    "iris": lambda: datasets.load_iris(return_X_y=True),
    "wine": lambda: datasets.load_wine(return_X_y=True),
    "breast cancer": lambda: datasets.load_breast_cancer(return_X_y=True),
    "digits": lambda: datasets.load_digits(return_X_y=True),
    "energies": energies,
}
if find_spec("river"):
    TABLES["segment"] = lambda: of_river("ImageSegments")
    TABLES["phishing"] = lambda: of_river("Phishing")
else:
    print("segment and phishing are left out: river is not installed")
