"""Series of different lengths: in time as it is, relative to their length, and both.

Usage: python benches/lengths.py [--data DIR] [--seeds 3]

Adjusted Rand index of the default features, clustered by members that see one kind of time
or, as `NeuromorphicClusterer` does, both. `DIR` as for `benches/quality.py`; of it, the sets
of different lengths.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from harness import one_thread

one_thread()

import numpy as np  # noqa: E402
from quality import load  # noqa: E402

from holdfast import _core  # noqa: E402
from holdfast.clustering import adjusted_rand_score  # noqa: E402
from holdfast.clustering._data.arrays import Limits, Sequences  # noqa: E402
from holdfast.clustering._model import Model  # noqa: E402
from holdfast.datasets import load_japanese_vowels  # noqa: E402

# Groups of features: dictionary, echo state; the same of relative time.
KINDS = {
    "as it is": [0, 0, 0, 1] * 4,
    "relative": [2, 2, 2, 3] * 4,
    "both": [0, 2, 0, 1, 2, 0, 2, 3] * 2,
}
N = 90


def sine(kind, length, rng):
    """Periods 5, 6 and 7.2."""
    period = (5, 6, 7.2)[kind]
    return np.sin(2 * np.pi * np.arange(length) / period + rng.uniform(0, 6))


def course(kind, length, rng):
    """Two cycles, three cycles, or the size of one with the sign of the other."""
    del rng
    t = np.linspace(0, 1, length)
    two, three = np.sin(4 * np.pi * t), np.sin(6 * np.pi * t)
    return (two, three, np.sign(two) * np.abs(three))[kind]


def bumps(kind, length, rng):
    """Bumps of one of three shapes at random times, one in forty steps."""
    shapes = (np.hanning(20), np.linspace(0, 1, 20), np.sin(np.linspace(0, 2 * np.pi, 20)))
    values = np.zeros(length)
    for _ in range(length // 40):
        at = rng.integers(0, length - 20)
        values[at : at + 20] += 2 * shapes[kind]
    return values


def autoregressive(kind, length, rng):
    """x <- a x + noise, of unit variance, with a of 0.9, 0.5 or -0.3."""
    a = (0.9, 0.5, -0.3)[kind]
    values = np.zeros(length + 20)
    for t in range(1, length + 20):
        values[t] = a * values[t - 1] + rng.normal()
    return values[20:] * np.sqrt(1 - a * a)


def made(make, seed):
    rng = np.random.default_rng(seed)
    truth = np.arange(N) % 3
    lengths = rng.integers(60, 180, N)
    series = [
        make(c, n, rng) + 0.2 * rng.normal(size=n) for c, n in zip(truth, lengths, strict=True)
    ]
    return [one[:, None] for one in series], truth


def unlimited() -> Limits:
    return Limits(1, None, None)


def scores(series, truth, seed):
    values = np.ascontiguousarray(np.concatenate(series), dtype=np.float64)
    data = Sequences(values, np.array([len(one) for one in series]))
    k = len(set(np.asarray(truth).tolist()))
    model = Model.fit(
        data,
        method="hybrid_reservoir",
        n_clusters=k,
        seed=seed,
        esn=None,
        snn=None,
        lsm=None,
        limits=unlimited,
    )
    features = model.features.compute(data, unlimited)
    for members in KINDS.values():
        fitted = _core.fit_consensus(
            features,
            n_clusters=k,
            members=members,
            share=0.6,
            standardised=True,
            spherical=True,
            seed=seed,
            limits=unlimited(),
        )
        groups, own, votes, centers = fitted
        places = _core.embed_consensus(
            features,
            groups=groups,
            members=own,
            votes=votes,
            spherical=True,
            limits=unlimited(),
        )
        yield adjusted_rand_score(truth, _core.nearest_center(places, centers))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of .npz sets")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    sets = {
        make.__name__: lambda seed, make=make: made(make, seed)
        for make in (sine, course, bumps, autoregressive)
    }
    vowels = load_japanese_vowels()
    sets["Japanese vowels"] = lambda seed: (vowels.X, vowels.y)  # noqa: ARG005
    for path in sorted(given.data.glob("*.npz")) if given.data else []:
        series, truth = load(path)
        if len({len(one) for one in series}) > 1:
            sets[path.stem] = lambda seed, own=(series, truth): own  # noqa: ARG005
    print(f"{'':24}" + "".join(f"{kind:>10}" for kind in KINDS))
    for name, draw in sets.items():
        table = [list(scores(*draw(seed), seed)) for seed in range(given.seeds)]
        print(f"{name:24}" + "".join(f"{s:10.2f}" for s in np.mean(table, axis=0)), flush=True)


if __name__ == "__main__":
    main()
