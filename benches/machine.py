"""What a number must be read with: machine, commit, versions, threads."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from holdfast import _core

PEERS = ("numpy", "scipy", "scikit-learn", "aeon", "tslearn", "faiss-cpu")
MORE_PEERS = ("reservoirpy", "reservoir-computing", "jax", "torch", "snntorch")


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def commit() -> str:
    answer = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip() or "unknown"


def installed(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} missing"


def describe() -> None:
    """Print the header of a benchmark."""
    processors = len(os.sched_getaffinity(0))
    print(
        f"{processor()}, {processors} processors, {_core.simd_level()}; "
        f"{_core.available_threads()} threads"
    )
    print(f"commit {commit()}, Python {platform.python_version()}")
    print(", ".join(installed(package) for package in (*PEERS, *MORE_PEERS)), flush=True)
