"""Checks of values and paths."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.compat.tiny_llm_profiler._errors import InputValidationError, UnsafePathError

if TYPE_CHECKING:
    from collections.abc import Mapping

_FORBIDDEN = ("/etc", "/proc", "/sys", "c:/windows")


def safe_file_path(path: str, base_directory: str | None = None) -> str:
    """The absolute form of a path that leads nowhere it must not.

    Raises
    ------
    UnsafePathError
        For `..`, a path outside `base_directory` (links are followed), and system folders.
    """
    text = os.fspath(path)
    if ".." in Path(text.replace("\\", "/")).parts:
        raise UnsafePathError(text, "it must not contain '..'")
    if "\0" in text:
        raise UnsafePathError(text, "it must not contain a null character")
    plain = text.replace("\\", "/").lower()
    base = None if base_directory is None else Path(base_directory).resolve()
    full = (Path(text) if base is None else base / text).resolve()
    for folder in _FORBIDDEN:
        for one in (plain, str(full).lower()):
            if one == folder or one.startswith(f"{folder}/"):
                raise UnsafePathError(text, f"it must not lie in {folder}")
    if base is not None and not full.is_relative_to(base):
        raise UnsafePathError(text, f"it must lie in {base}")
    return str(full)


def _size(value: Any) -> tuple[str, float]:
    """Which rules of size apply, and to what."""
    if isinstance(value, str):
        return "length", len(value)
    if isinstance(value, (list, tuple)):
        return "items", len(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "value", value
    return "", 0


def validate_input(value: Any, rules: Mapping[str, Any], parameter_name: str) -> Any:
    """`value`, when it keeps all `rules`.

    Parameters
    ----------
    rules : mapping
        `type`, `min_value`, `max_value`, `min_length`, `max_length` (of text), `min_items`,
        `max_items` (of lists), `allowed_values`, `safe_path`, `allow_absolute`.

    Raises
    ------
    InputValidationError, UnsafePathError
        Naming the parameter, its rule and its value.
    """

    def refuse(rule: str) -> InputValidationError:
        return InputValidationError(parameter_name, value, rule)

    kind = rules.get("type")
    if kind is not None and not isinstance(value, kind):
        raise refuse(f"type={getattr(kind, '__name__', kind)}")
    name, size = _size(value)
    low, high = rules.get(f"min_{name}"), rules.get(f"max_{name}")
    if low is not None and not size >= low:
        raise refuse(f"min_{name}={low}")
    if high is not None and not size <= high:
        raise refuse(f"max_{name}={high}")
    allowed = rules.get("allowed_values")
    if allowed is not None and value not in allowed:
        raise refuse(f"allowed_values={list(allowed)}")
    if rules.get("safe_path") and isinstance(value, str):
        if not rules.get("allow_absolute", False) and Path(value).is_absolute():
            raise UnsafePathError(value, "it must be relative")
        safe_file_path(value)
    return value
