import os
import subprocess
import sys
from pathlib import Path

import pytest

import holdfast
import holdfast.clustering
import holdfast.compat
import holdfast.datasets
import holdfast.edge
import holdfast.resilience
import holdfast.telemetry

PACKAGES = (
    holdfast,
    holdfast.clustering,
    holdfast.compat,
    holdfast.datasets,
    holdfast.edge,
    holdfast.resilience,
    holdfast.telemetry,
)

QUIET = """
import os, sys, threading
import holdfast, holdfast.clustering, holdfast.compat, holdfast.errors, holdfast.telemetry
import holdfast.cli, holdfast.edge
from holdfast.resilience import *
heavy = {"numpy", "sklearn", "pandas", "polars", "matplotlib", "tqdm", "asyncio", "scipy"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert threading.active_count() == 1
assert os.listdir(".") == [], os.listdir(".")
"""


@pytest.mark.parametrize(
    ("package", "name"),
    [(package, name) for package in PACKAGES for name in package.__all__],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_every_public_name_can_be_had(package, name):
    value = getattr(package, name)
    # The one object of its kind has no name of its own, and an older name is another's.
    assert package is holdfast.compat or getattr(value, "__name__", name) == name


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_public_names_are_sorted(package):
    assert package.__all__ == sorted(package.__all__)


def test_the_version_is_that_of_the_crate():
    manifest = (Path(__file__).parent.parent / "Cargo.toml").read_text()
    assert f'version = "{holdfast.__version__}"\nedition' in manifest


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        holdfast.nonsense  # noqa: B018


def test_importing_loads_nothing_heavy_and_writes_nothing(tmp_path):
    command = [sys.executable, "-B", "-c", QUIET]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# The command line and the devices load their own modules at once.
LAZY = (
    "holdfast",
    *(
        f"holdfast.{name}"
        for name in ("clustering", "compat", "datasets", "errors", "resilience", "telemetry")
    ),
)


@pytest.mark.parametrize("package", LAZY)
def test_a_package_is_imported_without_what_takes_longer_than_it(package):
    program = (
        f"import sys, {package}\n"
        "print(sorted({'typing', 'inspect', 're'} & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-S", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert shown.stdout.strip() == "[]"
