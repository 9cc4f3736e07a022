"""Adjusted Rand index of every method, with the true number of clusters.

Usage: python benches/quality.py [--data DIR] [--seeds 5] [--methods NAME ...] [--peers]
                                 [--jobs N]

`DIR` holds sets of series, one `.npz` each: `values` (sum of lengths, channels),
`lengths`, `y`. Without it, and always beside it, seven tables are scored. The score of a
set is the mean over seeds, that of a group of sets the mean over its sets. One set of
defaults for all, nothing per set.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from harness import one_thread

one_thread()

import numpy as np  # noqa: E402
import peers  # noqa: E402
from machine import describe  # noqa: E402
from tables import TABLES  # noqa: E402

from holdfast import NeuromorphicClusterer  # noqa: E402
from holdfast.clustering import (  # noqa: E402
    NeuromorphicClusteringMethod,
    adjusted_rand_score,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

UNIVARIATE = "univariate, one length"
OTHER = "multivariate or unequal"
TABLE = "tables"

METHODS = [method.value for method in NeuromorphicClusteringMethod]
HYBRID = NeuromorphicClusteringMethod.HYBRID_RESERVOIR.value
KMEANS, MINIROCKET = "K-means", "MiniRocket"

# (must, aim) for the default method; what the NumPy prototype reached for each method.
GOALS = {UNIVARIATE: (0.49, 0.55), OTHER: (0.48, 0.55), TABLE: (0.69, 0.72)}
PROTOTYPE = {
    "spiking_neural_network": {UNIVARIATE: 0.491, OTHER: 0.449},
    "echo_state_network": {UNIVARIATE: 0.411, OTHER: 0.504},
    "liquid_state_machine": {UNIVARIATE: 0.431, OTHER: 0.438},
    "hybrid_reservoir": {UNIVARIATE: 0.494, OTHER: 0.466, TABLE: 0.697},
}


def load(path: Path):
    with np.load(path) as archive:
        ends = np.cumsum(archive["lengths"])[:-1]
        return np.split(archive["values"], ends), archive["y"]


def kind_of(series) -> str:
    lengths = {len(s) for s in series}
    plain = series[0].shape[1] == 1 and len(lengths) == 1
    return UNIVARIATE if plain else OTHER


def labels_of(method: str, kind: str, X, k: int, seed: int):
    if method == KMEANS:
        cluster = peers.kmeans_of_table if kind == TABLE else peers.kmeans_of_series
        return cluster(X, k, seed)
    if method == MINIROCKET:
        return peers.minirocket(X, k, seed)
    clusterer = NeuromorphicClusterer(
        method=method, n_clusters=k, random_state=seed, enable_fallback=False
    )
    return clusterer.fit(X).get_cluster_assignments()


def timed(method: str, kind: str, X, y, seed: int) -> tuple[float, float]:
    begun = time.perf_counter()
    labels = labels_of(method, kind, X, len(set(y)), seed)
    return adjusted_rand_score(y, labels), time.perf_counter() - begun


def score(work) -> tuple[str, str, dict[str, tuple[float, float]]]:
    """Score one set by every method: mean over seeds, and median seconds of a fit."""
    source, methods, seeds = work
    name = source if isinstance(source, str) else source.stem
    X, y = TABLES[source]() if isinstance(source, str) else load(source)
    kind = TABLE if isinstance(source, str) else kind_of(X)
    results = {}
    for method in methods:
        if method == MINIROCKET and kind == TABLE:
            continue
        with warnings.catch_warnings():
            if method in {KMEANS, MINIROCKET}:
                warnings.simplefilter("ignore")  # theirs, about duplicates and the like
            runs = [timed(method, kind, X, y, seed) for seed in range(seeds)]
        scores, seconds = zip(*runs, strict=True)
        # The median leaves out the first run, in which a peer may compile itself.
        results[method] = np.mean(scores), np.median(seconds)
    return kind, name, results


def scored(works: list, jobs: int) -> Iterator:
    if jobs == 1:
        yield from map(score, works)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(score, works)


def row(name: str, values: Iterable[str]) -> None:
    print(f"{name:32}" + "".join(f"{value:>12}" for value in values), flush=True)


def against(reached: float, must: float) -> str:
    return f"{reached:.3f} {'reaches' if round(reached, 3) >= must else 'MISSES'} {must:g}"


def conclude(kind: str, sets: dict, methods: list[str]) -> None:
    """Print means over the sets of one kind and hold them against the goals."""
    methods = [m for m in methods if all(m in results for results in sets.values())]
    print(f"\n{kind}: mean over {len(sets)} sets")
    means = {m: np.mean([results[m][0] for results in sets.values()]) for m in methods}
    for method in methods:
        seconds = np.mean([results[method][1] for results in sets.values()])
        line = f"  {method:26} {means[method]:.3f}   {seconds:7.3f} s a fit"
        if (prototype := PROTOTYPE.get(method, {}).get(kind)) is not None:
            line += f"   prototype: {against(means[method], prototype)}"
        print(line)
    if HYBRID in means:
        must, aim = GOALS[kind]
        print(f"  must: {against(means[HYBRID], must)}; aim {against(means[HYBRID], aim)}")
    if HYBRID in means and KMEANS in means:
        lost = [n for n, r in sets.items() if r[HYBRID][0] < r[KMEANS][0]]
        print(f"  K-means is better on {len(lost)} of {len(sets)}: {', '.join(lost)}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of .npz sets")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--peers", action="store_true", help="run MiniRocket too")
    parser.add_argument("--jobs", type=int, default=1, help="sets scored at a time")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    describe()
    sources: list[Path | str] = sorted(given.data.glob("*.npz")) if given.data else []
    if given.data and not sources:
        sys.exit(f"no .npz file in {given.data}")
    methods = [KMEANS, *([MINIROCKET] if given.peers else []), *given.methods]
    row("", [method.split("_")[0] for method in methods])
    kinds: dict[str, dict] = defaultdict(dict)
    works = [(source, methods, given.seeds) for source in [*sources, *TABLES]]
    for kind, name, results in scored(works, given.jobs):
        kinds[kind][name] = results
        cells = [f"{results[m][0]:.3f}" if m in results else "-" for m in methods]
        row(name, cells)
    for kind, sets in kinds.items():
        conclude(kind, sets, methods)


if __name__ == "__main__":
    main()
