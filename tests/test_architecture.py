"""Who may use whom, in Rust and in Python. Change a table to change the design."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOUNDATIONS = {"random", "task", "series", "linalg"}

RUST = {
    "random": set(),
    "task": set(),
    "series": set(),
    "linalg": {"random", "task"},
    "clock": set(),
    "cluster": FOUNDATIONS,
    "device": {"linalg", "task"},
    "reservoir": FOUNDATIONS,
    "resilience": {"clock"},
    "spiking": FOUNDATIONS,
    "telemetry": FOUNDATIONS,
    "python": FOUNDATIONS
    | {"clock", "cluster", "device", "reservoir", "resilience", "spiking", "telemetry"},
}

PYTHON = {
    "_errors": {"_context", "_core", "_parameters", "errors"},
    "errors": {"_context", "_errors", "_lazy"},
    "_lazy": set(),
    "_context": set(),
    "_events": set(),
    "_sources": set(),
    "_arrays": {"errors"},
    "_estimator": {"_arrays", "errors"},
    "_limits": {"_core", "errors"},
    "_parameters": {"errors"},
    "clustering": {
        "_arrays",
        "_context",
        "_core",
        "_estimator",
        "_lazy",
        "_limits",
        "errors",
        "resilience",
        "telemetry",
    },
    "compat": {"_arrays", "_context", "_core", "_lazy", "clustering", "errors", "telemetry"},
    "datasets": {"_lazy"},
    "telemetry": {
        "_context",
        "_core",
        "_events",
        "_lazy",
        "_parameters",
        "_sources",
        "errors",
    },
    "cli": {"edge", "errors"},
    "edge": {"_core", "_events", "_lazy", "_sources", "errors", "resilience"},
    "resilience": {"_context", "_core", "_events", "_lazy", "_sources", "errors"},
}

# Imported inside the function that needs them, if at all.
OPTIONAL = {"sklearn", "pandas", "polars", "matplotlib", "tqdm", "scipy", "joblib"}
OPTIONAL |= {"opentelemetry", "prometheus_client", "redis"}


def rust_files(domain):
    folder = ROOT / "src" / domain
    return list(folder.rglob("*.rs")) if folder.is_dir() else [folder.with_suffix(".rs")]


def rust_uses(domain):
    text = "\n".join(file.read_text() for file in rust_files(domain))
    assert "super::super::super" not in text, "spell it from the crate root"
    grouped = re.findall(r"\bcrate::\{([^}]*)\}", text)
    names = re.findall(r"\bcrate::(\w+)", text)
    names += re.findall(r"(?:^|,)\s*(\w+)", ",".join(grouped))
    return set(names) - {domain}


def python_files(module):
    folder = ROOT / "python/holdfast" / module
    return list(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def python_uses(module):
    names = set()
    for file in python_files(module):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "holdfast":
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, "spell it from the package root"
                names |= set(re.findall(r"^holdfast\.(\w+)", node.module or ""))
            elif isinstance(node, ast.Import):
                dotted = ",".join(alias.name for alias in node.names)
                names |= set(re.findall(r"\bholdfast\.(\w+)", dotted))
    return names - {module}


@pytest.mark.parametrize("domain", RUST)
def test_rust_domains_use_only_what_the_table_allows(domain):
    assert rust_uses(domain) <= RUST[domain]


@pytest.mark.parametrize("domain", set(RUST) - {"python"})
def test_only_the_bindings_know_python(domain):
    assert not any("pyo3" in file.read_text() for file in rust_files(domain))


@pytest.mark.parametrize("module", PYTHON)
def test_python_modules_use_only_what_the_table_allows(module):
    assert python_uses(module) <= PYTHON[module]


@pytest.mark.parametrize("module", PYTHON)
def test_optional_packages_are_imported_where_they_are_used(module):
    for file in python_files(module):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                module_names = [getattr(node, "module", None) or ""]
                module_names += [alias.name for alias in node.names]
                assert not OPTIONAL & {name.split(".")[0] for name in module_names}, file


def test_the_tables_name_every_module():
    rust = {path.stem for path in (ROOT / "src").iterdir()} - {"lib"}
    package = ROOT / "python/holdfast"
    python = {path.stem for path in package.glob("*.py")} - {"__init__"}
    python |= {path.parent.name for path in package.glob("*/__init__.py")}
    assert rust == set(RUST)
    assert python == set(PYTHON)
