"""Who may use whom, in Rust and in Python. Change a table to change the design."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE, PACKAGE = ROOT / "src", ROOT / "python/holdfast"

# --- the tables -------------------------------------------------------------------------
# Foundations in the order in which they may use each other; domains, which are siblings; the
# bindings. `src/lib.rs` shows the same table to those who read the documentation.
RUST = {
    "random": set(),
    "task": set(),
    "clock": set(),
    "series": set(),
    "linalg": {"random", "task"},
    "reservoir": {"linalg", "random", "series", "task"},
    "spiking": {"linalg", "random", "series", "task"},
    "cluster": {"linalg", "random", "task"},
    "telemetry": set(),
    "device": {"linalg", "task"},
    "resilience": {"clock"},
}
RUST_LAYERS = [
    {"random", "task", "clock", "series", "linalg"},
    {"reservoir", "spiking", "cluster", "telemetry", "device", "resilience"},
]

PYTHON = {
    "_lazy": set(),
    "_version": set(),
    "_context": set(),
    "_events": set(),
    "_sources": set(),
    "errors": {"_context", "_core", "_lazy", "_sources"},
    "_arrays": {"errors"},
    "_limits": {"_core", "errors"},
    "_warnings": set(),
    "_output": {"errors"},
    "_estimator": {"_arrays", "_warnings", "errors"},
    "datasets": {"_lazy"},
    "resilience": {"_context", "_core", "_events", "_lazy", "_sources", "errors"},
    "telemetry": {"_context", "_core", "_events", "_lazy", "_sources", "errors"},
    "clustering": {
        "_arrays",
        "_context",
        "_core",
        "_estimator",
        "_lazy",
        "_limits",
        "_output",
        "_warnings",
        "errors",
        "resilience",
        "telemetry",
    },
    "edge": {"_core", "_events", "_lazy", "_sources", "errors", "resilience"},
    "cli": {"edge", "errors"},
    "compat": {
        "_arrays",
        "_context",
        "_core",
        "_lazy",
        "_version",
        "clustering",
        "edge",
        "errors",
        "resilience",
        "telemetry",
    },
    "__main__": {"cli"},
}
PYTHON_LAYERS = [
    {"_core"},
    {"errors"} | {name for name in PYTHON if re.match(r"_[a-z]", name)},
    {"datasets", "resilience", "telemetry"},
    {"clustering", "edge"},
    {"cli", "compat"},
    {"__main__"},
]
FOUNDATIONS = (RUST_LAYERS[0], PYTHON_LAYERS[1])  # the only rows whose members may meet

# Imported inside the function that needs them, if at all.
OPTIONAL = {"sklearn", "pandas", "polars", "matplotlib", "tqdm", "scipy", "joblib"}
OPTIONAL |= {"huggingface_hub", "opentelemetry", "prometheus_client", "pyjls", "redis"}

LINES = 400
# Longer for now, and only ever shorter.
LONGER = {
    "python/holdfast/_core.pyi": 960,
}


# --- reading the code -------------------------------------------------------------------
def files(folder, name, ending):
    inside = folder / name
    return sorted(inside.rglob(f"*{ending}")) if inside.is_dir() else [folder / (name + ending)]


def rust_files(domain):
    return files(CORE, domain, ".rs")


def python_files(module):
    return files(PACKAGE, module, ".py")


def paths_of(text, behind):
    """The first names of `behind{a::b, c::{d, e}}` and of `behind a::b`."""
    for found in re.finditer(rf"\b{behind}(\w+|\{{)", text):
        if found[1] != "{":
            yield found[1]
            continue
        depth, first = 1, True
        for word in re.findall(r"\w+|[{},]|::", text[found.end() :]):
            if word in "{}":
                depth += 1 if word == "{" else -1
            elif word == ",":
                first = depth == 1 or first
                continue
            elif depth == 1 and first and word != "::":
                yield word
            first = False
            if depth == 0:
                break


def rust_uses(domain):
    text = "\n".join(file.read_text() for file in rust_files(domain))
    assert "super::super::super" not in text, "spell it from the crate root"
    return set(paths_of(text, "crate::")) - {domain}


def python_uses(module):
    names = set()
    for file in python_files(module):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "holdfast":
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file}: spell it from the package root"
                names |= set(re.findall(r"^holdfast\.(\w+)", node.module or ""))
            elif isinstance(node, ast.Import):
                dotted = ",".join(alias.name for alias in node.names)
                names |= set(re.findall(r"\bholdfast\.(\w+)", dotted))
    return names - {module}


def code(text):
    """Rust without comments and without its tests."""
    text = re.sub(r"//.*", "", text)
    return text.partition("#[cfg(test)]\nmod tests {")[0]


def test_grouped_and_nested_imports_are_read():
    text = "use crate::{a::b, c::{d, e::f}, g}; fn x() { crate::h::i() } use crate::j;"
    assert list(paths_of(text, "crate::")) == ["a", "c", "g", "h", "j"]


# --- the tables hold --------------------------------------------------------------------
@pytest.mark.parametrize("domain", RUST)
def test_rust_domains_use_what_the_table_allows_and_no_less(domain):
    assert rust_uses(domain) == RUST[domain]


@pytest.mark.parametrize("module", PYTHON)
def test_python_modules_use_what_the_table_allows_and_no_less(module):
    assert python_uses(module) == PYTHON[module]


@pytest.mark.parametrize(
    ("table", "layers"), [(RUST, RUST_LAYERS), (PYTHON, PYTHON_LAYERS)], ids=["rust", "python"]
)
def test_the_tables_only_point_down_and_siblings_never_meet(table, layers):
    order = list(table)
    for name, uses in table.items():
        level = next(i for i, layer in enumerate(layers) if name in layer)
        for used in uses:
            assert any(used in layer for layer in layers[: level + 1]), (name, used)
            if used in layers[level]:
                assert layers[level] in FOUNDATIONS, f"{name} and {used} are siblings"
                assert order.index(used) < order.index(name), f"{name} stands over {used}"


def test_the_tables_name_every_module():
    rust = {path.stem for path in CORE.iterdir()} - {"lib", "python"}
    python = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    python |= {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rust == set(RUST)
    assert python == set(PYTHON)


def test_the_table_in_the_documentation_of_the_crate_is_this_one():
    rows = re.findall(
        r"^//! \| (\[?`\w+`\]?) .*\| *(.*?) *\|$", (CORE / "lib.rs").read_text(), re.MULTILINE
    )
    shown = {name.strip("[]`"): set(re.findall(r"`(\w+)`", uses)) for name, uses in rows}
    assert shown.pop("python") == set()  # it says: all
    assert shown == RUST


# --- what the core leaves to others -----------------------------------------------------
@pytest.mark.parametrize("domain", RUST)
def test_only_the_bindings_know_python(domain):
    assert not any("pyo3" in file.read_text() for file in rust_files(domain))


@pytest.mark.parametrize("domain", sorted(set(RUST) - {"clock"}))
def test_the_core_reads_no_clock_opens_nothing_and_prints_nothing(domain):
    outside = r"\b(Instant::|SystemTime::|std::(?:fs|io::std|env|process)|Tcp\w+|e?println!)"
    for file in rust_files(domain):
        if file.name not in {"tests.rs", "schedules.rs"}:
            assert not re.findall(outside, code(file.read_text())), file


def test_unsafe_code_is_allowed_file_by_file_with_a_reason():
    for file in sorted(CORE.rglob("*.rs")):
        for line in file.read_text().splitlines():
            if "allow(" in line and line.lstrip().startswith("#"):
                assert "//" in line, f"{file}: {line}"


# --- what the package leaves to its user ------------------------------------------------
@pytest.mark.parametrize("module", PYTHON)
def test_optional_packages_are_imported_where_they_are_used(module):
    for file in python_files(module):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [getattr(node, "module", None) or ""]
                names += [alias.name for alias in node.names]
                assert not OPTIONAL & {name.split(".")[0] for name in names}, file


def module_name(file):
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts).removesuffix("__init__").rstrip(".")


def runtime_imports(node):
    """All that are made when it runs, in functions too; not those for types alone."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        behind = f"{getattr(node, 'module', None) or ''}."
        for alias in node.names:
            yield from (f"{behind}{alias.name}".lstrip("."), behind.strip("."))
    for child in ast.iter_child_nodes(node):
        yield from runtime_imports(child)


def within(uses, start):
    """What `start` leads to."""
    found, waiting = set(), [start]
    while waiting:
        for name in uses[waiting.pop()] - found:
            found.add(name)
            waiting.append(name)
    return found


def test_modules_do_not_import_each_other_in_a_circle():
    trees = {module_name(f): ast.parse(f.read_text()) for f in PACKAGE.rglob("*.py")}
    named = {
        name: {i.removeprefix("holdfast.") for i in runtime_imports(trees[name])}
        for name in trees
    }
    uses = {name: (named[name] & trees.keys()) - {name, ""} for name in trees}
    reach = {name: within(uses, name) for name in uses}
    circles = [{other for other in reach[name] if name in reach[other]} for name in reach]
    assert [circle for circle in circles if circle] == []


# --- size -------------------------------------------------------------------------------
def sources():
    for folder in (
        "agent/src",
        "benches",
        "examples",
        "firmware",
        "python",
        "src",
        "tests",
        "tools",
    ):
        for file in sorted((ROOT / folder).rglob("*")):
            parts = file.relative_to(ROOT).parts
            if file.suffix in {".rs", ".py", ".pyi"} and "target" not in parts:
                yield file.relative_to(ROOT).as_posix(), len(file.read_text().splitlines())


def test_files_are_short_enough_to_be_read_whole():
    long = {name: lines for name, lines in sources() if lines > LONGER.get(name, LINES)}
    assert not long, "split them by subject"


def test_the_list_of_longer_files_is_true():
    lengths = dict(sources())
    assert not [name for name in LONGER if lengths.get(name, 0) <= LINES], "take them out"
