"""Timing by pairs: ours and each peer in turn, so that a drifting machine cancels out.

Set the number of threads before numpy is imported: `one_thread()` first.
"""

from __future__ import annotations

import os
import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def one_thread() -> None:
    """Hold every library, ours included, to one thread."""
    for name in ("OMP", "OPENBLAS", "MKL", "NUMBA", "HOLDFAST", "VECLIB_MAXIMUM"):
        os.environ[f"{name}_NUM_THREADS"] = "1"
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"


def seconds(call: Callable[[], object]) -> float:
    """Time of the processor when held to one thread: others may share the machine."""
    alone = os.environ.get("HOLDFAST_NUM_THREADS") == "1"
    clock = time.process_time if alone else time.perf_counter
    start = clock()
    call()
    return clock() - start


def compare(
    work: str,
    ours: Callable[[], object],
    peers: Mapping[str, Callable[[], object]],
    goals: Mapping[str, float],
    repeat: int = 5,
) -> None:
    """Print how many times longer each peer takes than ours, with its spread.

    `goals[peer]` is the ratio to reach; a ratio below it is printed as `below goal`.
    """
    ours()
    for peer, call in peers.items():
        call()
        pairs = [(seconds(ours), seconds(call)) for _ in range(repeat)]
        ratios = sorted(theirs / mine for mine, theirs in pairs)
        ratio = statistics.median(ratios)
        mine, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
        goal = goals.get(peer)
        verdict = "" if goal is None else f"  goal {goal:g}x"
        verdict += "  below goal" if goal is not None and ratio < goal else ""
        print(
            f"{work:58} {1e3 * mine:9.1f} ms  {peer:20} {1e3 * theirs:9.1f} ms  "
            f"{ratio:7.2f}x [{ratios[0]:.2f}-{ratios[-1]:.2f}]{verdict}",
            flush=True,
        )
