"""What the public names say of themselves: what is raised, in a section of its own."""

import ast
import importlib
import inspect
import re
import sys
import textwrap

import pytest

from holdfast.errors import _parameters as parameters

PACKAGES = ("clustering", "compat", "datasets", "edge", "errors", "resilience", "telemetry")


def public():
    """The public classes and functions that are written in Python."""
    found = {}
    for package in PACKAGES:
        module = importlib.import_module(f"holdfast.{package}")
        for name in module.__all__:
            value = getattr(module, name)
            try:
                found[f"{package}.{name}"] = inspect.getsource(value), value.__module__
            except (TypeError, OSError):  # made in Rust, or a value
                continue
    return found


def checks(module):
    """The names by which the module knows the checks of parameters."""
    known = [value for value in vars(parameters).values() if inspect.isfunction(value)]
    return {name for name, value in vars(sys.modules[module]).items() if value in known}


def raising(function, names):
    """Whether the function itself makes an error and raises it, or checks a parameter."""
    for node in ast.walk(function):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            return True
        if isinstance(node, ast.Call) and re.match(r"parameters\.", ast.unparse(node.func)):
            return True
        if isinstance(node, ast.Call) and ast.unparse(node.func) in names:
            return True
    return False


def untold(code, names=frozenset()):
    """Public methods of the class, or the function, that raise without a word about it."""
    (node,) = ast.parse(textwrap.dedent(code)).body
    whole = ast.get_docstring(node) or ""
    for method in node.body if isinstance(node, ast.ClassDef) else [node]:
        if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        made = method.name in {"__init__", "__post_init__", "__new__"}
        hidden = method.name.startswith("_") and not made
        told = whole if made else ast.get_docstring(method) or ""
        if raising(method, names) and not hidden and "Raises\n" not in told:
            yield method.name


SOURCES = public()
# What they check has been checked when the object was made.
NEVER = {
    "resilience.CircuitBreaker": {"open_time"},
    "resilience.CircuitBreakerConfig": {"changed"},
}


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_what_is_raised_is_told(name):
    code, module = SOURCES[name]
    assert set(untold(code, checks(module))) == NEVER.get(name, set())


def test_what_is_raised_without_a_word_is_found():
    code = '''
class Guard:
    """Told of the making.

    Raises
    ------
    ValueError
    """

    def __init__(self, size):
        count("size", size)

    def resize(self, size):
        """Not told."""
        count("size", size)

    def rename(self, name):
        """Not told."""
        parameters.text("name", name)

    async def run(self):
        """Not told."""
        raise ValueError("no")

    def stop(self):
        """Raises nothing of its own."""
        raise

    def _own(self):
        raise ValueError("not public")
'''
    assert list(untold(code, {"count"})) == ["resize", "rename", "run"]
