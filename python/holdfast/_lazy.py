"""Names of a package that are loaded on first use (PEP 562)."""

from __future__ import annotations

import importlib
import sys

TYPE_CHECKING = False  # without `typing`, which takes longer than all of this
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def attach(
    package: str, home: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of `package`.

    `home[name]` is the module in which `name` is defined.
    """

    def load(name: str) -> object:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(home[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    names = sorted(home)
    return load, lambda: names, names
