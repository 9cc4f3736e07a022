"""Build a wheel for every CPython found, install it in a fresh environment, use it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.10", "3.11", "3.12", "3.13")
SMOKE = """
import numpy as np
from holdfast import KMeans, NeuromorphicClusterer
rng = np.random.default_rng(0)
table = np.concatenate([rng.normal(c, 0.1, (20, 3)) for c in (0, 5)])
time = np.arange(60)
series = [np.sin(time / (2 if i % 2 else 9) + i) for i in range(20)]
for data in (table, series):
    labels = NeuromorphicClusterer(n_clusters=2).fit(data).labels_
    assert len(set(labels.tolist())) == 2, labels
assert KMeans(2, random_state=0).fit(table).inertia_ < 5
from holdfast import compat, datasets, edge, resilience, telemetry
for package in (compat, datasets, edge, resilience, telemetry):
    for name in package.__all__:
        getattr(package, name)
assert len(datasets.load_wine().X) == 178
with edge.EdgeProfiler("sim-rv32", config=edge.ProfilingConfig(max_new_tokens=2)) as profiler:
    assert profiler.profile_model(None, ["Hello"]).tokens_per_second > 0
"""
# What a wheel holds beside its modules, and what it must not.
BESIDE = (
    "holdfast/py.typed",
    "holdfast/_core.pyi",
    "holdfast/datasets/LICENCES.md",
    "holdfast/edge/images/sim-rv32.elf",
)
LICENCES = ("LICENSE", "LICENCES.md")


def interpreter(version: str) -> str | None:
    """Return a CPython of `version`, from the path or pyenv."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if version == here:
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = sorted(pyenv.glob(f"{version}.*/bin/python{version}"))
    candidates = [str(path) for path in found] + [shutil.which(f"python{version}")]
    for candidate in candidates:
        runs = candidate and subprocess.run(
            [candidate, "-c", "import venv, ensurepip"],
            capture_output=True,
            check=False,
        )
        if runs and runs.returncode == 0:
            return candidate
    return None


def check_content(wheel: Path) -> None:
    """Fail unless the wheel has its types, data and licences, and no more than the package."""
    names = zipfile.ZipFile(wheel).namelist()
    assert set(BESIDE) <= set(names), set(BESIDE) - set(names)
    for licence in LICENCES:
        assert any(".dist-info/" in name and name.endswith(licence) for name in names), licence
    outside = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert outside <= {"holdfast", "holdfast.libs"}, outside


def main() -> None:
    """Fail on the first Python on which the wheel does not work."""
    passed = 0
    for version in VERSIONS:
        python = interpreter(version)
        if python is None:
            print(f"CPython {version}: skipped, not on this machine")
            continue
        with tempfile.TemporaryDirectory() as place:
            subprocess.run(
                ["maturin", "build", "--release", "--quiet", "-i", python, "-o", place],  # noqa: S607
                cwd=ROOT,
                check=True,
            )
            (wheel,) = Path(place).glob("*.whl")
            check_content(wheel)
            subprocess.run([python, "-m", "venv", f"{place}/venv"], check=True)
            own = f"{place}/venv/bin/python"
            install = [own, "-m", "pip", "install", "--quiet", str(wheel)]
            subprocess.run(install, check=True)
            subprocess.run([own, "-W", "error", "-c", SMOKE], cwd=place, check=True)
            for command in ([f"{place}/venv/bin/holdfast"], [own, "-m", "holdfast"]):
                subprocess.run([*command, "--version"], cwd=place, check=True)
            print(f"CPython {version}: {wheel.name} works")
            passed += 1
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    main()
