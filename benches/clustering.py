"""The whole default fit: against peers, and how time and memory grow with the data."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
import warnings
from importlib.util import find_spec

from harness import compare, one_thread

one_thread()

import numpy as np  # noqa: E402
import peers  # noqa: E402
from machine import describe  # noqa: E402

from holdfast import NeuromorphicClusterer  # noqa: E402

GIGABYTE = 1e9
LIMIT = 2.0


def waves(n: int, steps: int, kinds: int) -> np.ndarray:
    """`n` noisy sines of `kinds` frequencies with random phases, (n, steps, 1), float32."""
    rng = np.random.default_rng(0)
    pace = 0.05 * 1.5 ** (np.arange(n) % kinds)
    phase = rng.uniform(0, 6.3, n)
    series = np.sin(pace[:, None] * np.arange(steps) + phase[:, None])
    series += rng.normal(0, 0.3, series.shape)
    return series[:, :, None].astype(np.float32)


def against_peers() -> None:
    X, k = waves(1000, 500, 8), 8
    clusterer = NeuromorphicClusterer(n_clusters=k, random_state=0, n_jobs=1)
    goals = {"MiniRocket": 3.0, "KShape": 25.0, "KASBA": 60.0}
    runs = {
        "MiniRocket": ("aeon", peers.minirocket, 3),
        "KShape": ("tslearn", peers.kshape, 1),
        "KASBA": ("aeon", peers.kasba, 1),
    }
    for name, (package, cluster, repeat) in runs.items():
        if not find_spec(package):
            print(f"not compared with {name}: {package} is not installed")
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # theirs
            compare(
                "whole fit, 1000 series x 500, 8 clusters",
                lambda: clusterer.fit(X),
                {name: lambda cluster=cluster: cluster(list(X), k, 0)},
                goals,
                repeat,
            )


def measure(n: int) -> None:
    """In a child: print the seconds of a fit and how far memory rose above the input."""
    X = waves(n, 100, 8)
    # Importing and a first small fit are not what grows with the data.
    NeuromorphicClusterer(n_clusters=8, random_state=0).fit(X[:200])
    before = int(open("/proc/self/statm").read().split()[1])  # noqa: PTH123, SIM115
    begun = time.perf_counter()
    NeuromorphicClusterer(n_clusters=8, random_state=0).fit(X)
    seconds = time.perf_counter() - begun
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(seconds, peak - before * resource.getpagesize(), X.nbytes)


def growth() -> None:
    """Each size in a process of its own, since a peak never falls."""
    first = None
    for n in (25_000, 50_000, 100_000):
        output = subprocess.run(
            [sys.executable, __file__, str(n)], stdout=subprocess.PIPE, text=True, check=True
        ).stdout
        seconds, above, size = map(float, output.split())
        first = first or seconds / n
        print(
            f"whole fit, {n:7,} series x 100 ({size / GIGABYTE:.2f} GB): {seconds:7.1f} s, "
            f"{seconds / n / first:.2f} of the first per series, "
            f"peak {above / GIGABYTE:.2f} GB above the input"
            + ("" if above < LIMIT * GIGABYTE else f"  above the goal of {LIMIT:g} GB"),
            flush=True,
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(int(sys.argv[1]))
    else:
        describe()
        against_peers()
        growth()
