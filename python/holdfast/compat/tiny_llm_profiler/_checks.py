"""Inputs and paths against rules; foreign exceptions as the profiler's own."""

from __future__ import annotations

import builtins
import functools
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any, TypeVar, cast

from holdfast.compat.tiny_llm_profiler._errors import (
    InputValidationError,
    PermissionError,  # noqa: A004 (the older name)
    UnsafePathError,
)
from holdfast.edge import (
    DeviceConnectionError,
    DeviceError,
    DeviceTimeoutError,
    EdgeError,
    ModelError,
    ModelFormatError,
    ModelLoadError,
)
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    _Called = TypeVar("_Called", bound=Callable[..., Any])

_SYSTEM = ("/etc", "/proc", "/sys")
_SECONDS = 30.0  # the older limit: the text of a foreign exception tells none
_RULES = (
    "type",
    "min_value",
    "max_value",
    "min_length",
    "max_length",
    "min_items",
    "max_items",
    "allowed_values",
    "safe_path",
    "allow_absolute",
)


def handle_device_error(function: _Called) -> _Called:
    """Decorate: what else is raised becomes the `DeviceError` that its text speaks of."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except EdgeError:
            raise
        except Exception as error:
            text = str(error).lower()
            denied = isinstance(error, builtins.PermissionError)
            if denied or "permission denied" in text:
                raise PermissionError("device", "access") from error
            if "timeout" in text or isinstance(error, TimeoutError):
                name = getattr(function, "__name__", repr(function))
                raise DeviceTimeoutError(name, _SECONDS) from error
            if "connection" in text or "device" in text:
                device = str(kwargs.get("device", "unknown"))
                platform = str(kwargs.get("platform", "unknown"))
                raise DeviceConnectionError(device, platform, error) from error
            raise DeviceError(str(error)) from error

    return cast("_Called", call)


def handle_model_error(function: _Called) -> _Called:
    """Decorate: what else is raised becomes a `ModelError`."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        path = str(kwargs.get("model_path", args[0] if args else "unknown"))
        try:
            return function(*args, **kwargs)
        except PermissionError as error:
            raise ModelLoadError(path, "permission denied", error) from error
        except EdgeError:
            raise
        except FileNotFoundError as error:
            raise ModelLoadError(path, "file not found", error) from error
        except builtins.PermissionError as error:
            raise ModelLoadError(path, "permission denied", error) from error
        except Exception as error:
            text = str(error).lower()
            if "format" in text or "corrupt" in text:
                raise ModelFormatError(path) from error
            raise ModelError(str(error)) from error

    return cast("_Called", call)


def validate_input(value: Any, rules: Mapping[str, Any], parameter_name: str) -> Any:
    """Return `value` if it keeps the rules.

    Parameters
    ----------
    rules : mapping
        Any of `type`, `min_value`, `max_value`, `min_length`, `max_length` (of texts),
        `allowed_values`, `safe_path`, `allow_absolute` (of texts that are paths),
        `min_items`, `max_items` (of lists, tuples and dicts).

    Raises
    ------
    InputValidationError
        If it breaks one.
    UnsafePathError
        If it is a path that leads out.
    InvalidParameterError
        If there is no such rule.
    """
    unknown = sorted(set(rules) - set(_RULES))
    if unknown:
        raise InvalidParameterError(f"rules must be among {', '.join(_RULES)}, got {unknown}")
    for broken in _broken(value, rules):
        raise InputValidationError(parameter_name, value, broken)
    if rules.get("safe_path"):
        safe_file_path(value)
        absolute = PurePosixPath(value).is_absolute() or PureWindowsPath(value).is_absolute()
        if absolute and not rules.get("allow_absolute"):
            raise UnsafePathError(str(value), "must not be absolute")
    return value


def _broken(value: Any, rules: Mapping[str, Any]) -> Iterator[str]:
    """The rules that `value` breaks, in words."""
    if "type" in rules and not isinstance(value, rules["type"]):
        yield f"must be of type {rules['type']}"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _outside(value, rules, "value", "")
    if isinstance(value, str):
        yield from _outside(len(value), rules, "length", " characters")
    if isinstance(value, (list, tuple, dict)):
        yield from _outside(len(value), rules, "items", " items")
    if "allowed_values" in rules and value not in list(rules["allowed_values"]):
        yield f"must be one of {list(rules['allowed_values'])}"


def _outside(size: float, rules: Mapping[str, Any], name: str, unit: str) -> Iterator[str]:
    least, most = rules.get(f"min_{name}"), rules.get(f"max_{name}")
    if least is not None and not size >= least:
        yield f"must be at least {least}{unit}"
    if most is not None and not size <= most:
        yield f"must be at most {most}{unit}"


def safe_file_path(path: str | Path, base_directory: str | Path | None = None) -> str:
    """Return the absolute path, links followed.

    Raises
    ------
    UnsafePathError
        If it climbs by `..`, leads out of `base_directory`, or into a folder of the system.
    """
    text = str(path)
    if "\0" in text:
        raise UnsafePathError(text, "must not hold a zero byte")
    windows = PureWindowsPath(text)
    if ".." in windows.parts:  # either kind of slash
        raise UnsafePathError(text, "must not climb by '..'")
    base = None if base_directory is None else Path(base_directory).resolve()
    found = (Path(text) if base is None else base / text).resolve()
    if base is not None and not found.is_relative_to(base):
        raise UnsafePathError(text, f"must stay inside {base}")
    system = any(found.is_relative_to(folder) for folder in _SYSTEM)
    if system or [part.lower() for part in windows.parts[:2]] == ["c:\\", "windows"]:
        raise UnsafePathError(text, "must not lead into a folder of the system")
    return str(found)
